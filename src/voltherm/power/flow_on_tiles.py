"""The power-flow equations one bus and one branch end at a time, for the fused iteration on GPUs.

    residual at bus i = S_load(V_i) + S_shunt(V_i) - S_generation + sum over its branch ends of S_ii + S_ij
    S_ii = V_i conj(Y_ii V_i),    S_ij = V_i conj(Y_ij V_j)
    dP/dtheta_i = - Im S_ij,   dP/du_i = Re S_ij + 2 Re S_ii,   dQ/dtheta_i = Re S_ij,   dQ/du_i = Im S_ij + 2 Im S_ii
    dP/dtheta_j =   Im S_ij,   dP/du_j = Re S_ij,               dQ/dtheta_j = - Re S_ij, dQ/du_j = Im S_ij

are those of `flow.py`, on tiles of scenarios: `entry_powers` and `Load` are called there and here.

| symbol | meaning | unit |
| --- | --- | --- |
| theta, u | voltage angle, logarithm of the magnitude | rad, - |
| V | voltage in rectangular form | p.u. |
| S_ii, S_ij | power of the own and of the coupling admittance at one branch end | p.u. |

Source and range of validity: `flow.py`.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array
from voltherm_kernels import pallas, safeguard
from voltherm_kernels.pallas import on_platform
from voltherm_kernels.pallas.iteration import Physics
from voltherm_kernels.pallas.newton import Operands, newton

from voltherm.power.branch import Admittances
from voltherm.power.load import Load
from voltherm.power.network import Topology
from voltherm.power.state import entry_powers

Vector = list[Array]
Matrix = list[list[Array]]


def _voltage(unknowns: Vector) -> Vector:
    magnitude = jnp.exp(unknowns[1])
    return [magnitude * jnp.cos(unknowns[0]), magnitude * jnp.sin(unknowns[0])]


def _bus(operands: list[Vector], unknowns: Vector) -> tuple[Vector, Matrix]:
    """Load, shunt and generation of a bus, and how they change with its own voltage."""
    (active_generation, reactive_generation), (conductance, susceptance), *parts = operands
    load = Load(*(part[0] for part in parts))
    voltage = jnp.exp(unknowns[1])
    active_shunt, reactive_shunt = conductance * voltage**2, -susceptance * voltage**2
    residual = [
        load.active_power(voltage) + active_shunt - active_generation,
        load.reactive_power(voltage) + reactive_shunt - reactive_generation,
    ]
    zero = jnp.zeros_like(voltage)
    active_slope = load.active_slope(voltage) + 2.0 * active_shunt
    reactive_slope = load.reactive_slope(voltage) + 2.0 * reactive_shunt
    return residual, [[zero, active_slope], [zero, reactive_slope]]


def _branch_end(operands: list[Vector], own: Vector, other: Vector) -> tuple[Vector, Matrix, Matrix]:
    """What a branch adds to the residual at one of its ends, with derivatives: seen from there it is the from end."""
    own_real, own_imaginary, other_real, other_imaginary = (part[0] for part in operands)
    here, there = (own_real, own_imaginary), (other_real, other_imaginary)
    (active_own, reactive_own), (active, reactive), _, _ = entry_powers(
        Admittances(here, there, there, here), (own[0], own[1]), (other[0], other[1])
    )
    residual = [active_own + active, reactive_own + reactive]
    own_slope = [[-reactive, active + 2.0 * active_own], [active, reactive + 2.0 * reactive_own]]
    return residual, own_slope, [[reactive, active], [-active, reactive]]


PHYSICS = Physics(state=_voltage, node=_bus, coupling=_branch_end, states=2)


def solve(
    topology: Topology, operands: Sequence[Array], tolerance: float, maximum_iterations: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Unknowns (bus, 2, lane), largest residual, iterations, result code and bus of the largest residual (lane,).

    `operands`, each with a lane axis of length 1 where all lanes share it: start, fixed (1 where an unknown is held
    where it starts), generation and shunts (bus, 2, lane) [p.u.]; the four admittances, real and imaginary (branch,
    lane) [p.u.]; the six parts of the load (bus, lane) [p.u.].
    """
    return on_platform(
        lambda *given, interpret: _solve(topology, given, tolerance, maximum_iterations, interpret), *operands
    )


def _solve(
    topology: Topology, operands: Sequence[Array], tolerance: float, maximum_iterations: int, interpret: bool
) -> tuple[Array, Array, Array, Array, Array]:
    start, fixed, generation, shunt, *rest = operands
    from_from, from_to, to_from, to_to = rest[0:2], rest[2:4], rest[4:6], rest[6:8]
    ends = zip([*from_from, *from_to], [*to_to, *to_from], strict=True)
    found = newton(
        topology.schedule,
        PHYSICS,
        Operands(
            start=start,
            fixed=fixed,
            set_point=start,
            nodes=[generation, shunt, *(part[:, None] for part in rest[8:])],
            couplings=[_end_to_end(*pair)[:, None] for pair in ends],
        ),
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
        interpret=interpret,
    )
    return found.unknowns, found.residual, found.iterations, found.result, found.worst // 2


def can_eliminate(topology: Topology, jacobian: Array) -> Array:
    """Whether the kernels can do the Jacobian (entry, 2, 2, lane) of each lane, which they do not pivot, (lane,)."""
    return safeguard.suffices(pallas, topology.schedule, jacobian)


def _end_to_end(first: Array, second: Array) -> Array:
    """From ends, then to ends: the order of the entries of the schedule."""
    return jnp.concatenate(jnp.broadcast_arrays(first, second))
