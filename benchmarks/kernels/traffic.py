"""What one Newton step costs a machine, counted from the schedule: operations and bytes of one scenario.

    products p, fill f, n pivots, blocks of b x b

| part | floating-point operations | blocks or numbers touched |
| --- | --- | --- |
| elimination | 2 b^3 (p + f + n) | 2 p + 3 (n + 2 f) blocks |
| both sweeps | 2 b^2 (2 f + n) | 2 f + n blocks, 2 b (2 f + n) numbers |
| power: mismatch and Jacobian | 72 a branch, 60 a bus | 4 numbers a branch end, 8 a bus |
| coolant: friction, slopes, flows | 90 a branch | 8 a branch, 4 a node |

A product reads its two factors; a block of the factors is read from the matrix, written, and read again. The operations
of the physics are counted by hand, a logarithm, power, sine or exponential as 20. `touched` takes every touch for a
trip to memory, what one thread per scenario does whose factors fit no cache; `least` writes the factors once and reads
them once, the floor for whoever keeps a front on the chip. What scenarios share (admittances, pipe lengths, the
schedule) stays in the cache and is not counted.
"""

from typing import NamedTuple

from voltherm_kernels import Schedule

NUMBER = 8
"""Bytes of a number in double precision."""


class Machine(NamedTuple):
    """A device: bytes per second that it copies, double-precision operations per second."""

    name: str
    bandwidth: float
    operations: float


H200 = Machine("H200", 4.3e12, 34e12)
"""Copy rate as measured on such devices, operations as the maker states them."""


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
        return max(moved / machine.bandwidth, self.operations / machine.operations)


def newton_step(schedule: Schedule, branches: int, suite: str) -> Effort:
    """One iteration of one scenario of a network of `branches` branches; suite `power` or `coolant`."""
    size, fill, products, block = schedule.size, schedule.fill, schedule.products, schedule.block_size
    factors = size + 2 * fill
    if suite == "power":
        physics, numbers = 72 * branches + 60 * size, 4 * 2 * branches + 8 * size
    else:
        physics, numbers = 90 * branches, 8 * branches + 4 * size
    operations = 2 * block**3 * (products + fill + size) + 2 * block**2 * factors + physics
    sweep = 2 * block * factors
    touched = block**2 * (2 * products + 3 * factors + factors) + sweep + numbers
    least = block**2 * 2 * factors + sweep + numbers
    return Effort(float(operations), float(NUMBER * touched), float(NUMBER * least))
