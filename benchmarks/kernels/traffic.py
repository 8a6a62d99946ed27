"""What one Newton step costs a GPU that gives every scenario a thread: operations and bytes of one scenario.

The linear step is counted by `voltherm_kernels.cost` from the schedule; the physics is added by hand, a logarithm,
power, sine or exponential as 20 operations. A branch law of Colebrook's pipe takes nine of those:

| part | floating-point operations | numbers loaded and stored |
| --- | --- | --- |
| power: mismatch and Jacobian | 72 a branch, 60 a bus | 4 a branch end, 8 a bus |
| coolant: friction, slopes, flows, balances | 250 a branch | 17 a branch, 6 a node |

`touched` takes every load and store for a trip to memory; `least` moves each number of the factors out and in once.
What scenarios share (admittances, pipe lengths) stays in the cache and is not counted.
"""

from typing import NamedTuple

from voltherm_kernels import Schedule
from voltherm_kernels.cost import Machine, traffic

_NUMBER = 8  # bytes in double precision


class Effort(NamedTuple):
    """Floating-point operations, and bytes touched and at least moved."""

    operations: float
    touched: float
    least: float

    def times(self, count: float) -> "Effort":
        """That many steps."""
        return Effort(*(count * part for part in self))

    def seconds(self, machine: Machine, touched: bool = True) -> float:
        """The longer of moving the bytes and doing the operations."""
        moved = self.touched if touched else self.least
        return max(moved / machine.bandwidth, self.operations / machine.double_precision)


def newton_step(schedule: Schedule, branches: int, suite: str) -> Effort:
    """One iteration of one scenario of a network of `branches` branches; suite `power` or `coolant`."""
    if suite == "power":
        operations, numbers = 72 * branches + 60 * schedule.size, 4 * 2 * branches + 8 * schedule.size
    else:
        operations, numbers = 250 * branches, 17 * branches + 6 * schedule.size
    linear, moved = traffic(schedule, symmetric=suite == "coolant"), float(_NUMBER * numbers)
    return Effort(linear.flops + operations, linear.bytes + moved, linear.least_bytes + moved)
