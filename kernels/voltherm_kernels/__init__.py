"""Sparse factorisation kernels for matrices whose pattern never changes (jax and numpy only).

schedule = analyse(rows, columns, size, block_size=2)      # once per topology, on the host
x = solve(schedule, values, right_hand_side)               # traced, differentiable, batched by vmap
"""

from .newton import Problem as Problem
from .newton import newton as newton
from .schedule import Schedule as Schedule
from .schedule import analyse as analyse
from .solve import Factors as Factors
from .solve import factor as factor
from .solve import multiply as multiply
from .solve import solve as solve
from .solve import solve_factored as solve_factored
