"""Memory traffic and arithmetic of one lane of the `pallas` factor-and-solve, counted from the schedule.

Nothing here is measured. The walk of `pallas/elimination.py` is counted operation by operation (f off-diagonal numbers,
n pivots, p pairs, e entries, blocks of b rows):

| what | blocks of b x b read + written | vectors of b | flops |
| --- | --- | --- | --- |
| values | e + 0 | | e b^2 |
| rows of L and V for D and y | 2 f + 0 | f | f (2 b^3 + 2 b^2) |
| inverses | 0 + n | n + n | n i(b) |
| pairs for L and V | 4 p + 0 | | p 4 b^3 |
| L_ik times D^-1, storing L and V | f + 2 f | | f 2 b^3 |
| backward sweep | n + f | n + n + f | f 2 b^2 + n 2 b^2 |

The tables are the same for all lanes: a warp reads them once for 32 lanes. Of a symmetric matrix one triangle is read
and worked on: half of the pairs, and of the entries off the diagonal.
"""

from typing import Any, NamedTuple

import numpy as np

from .pallas.tables import tables
from .schedule import Schedule

WARP = 32


class Machine(NamedTuple):
    """Rates that a prediction rests on."""

    name: str
    bandwidth: float  # B/s, of a copy, bytes read and written
    double_precision: float  # flop/s in float64
    single_precision: float  # flop/s in float32
    cache: float  # B of the last level


H200 = Machine("NVIDIA H200", bandwidth=4.3e12, double_precision=34e12, single_precision=67e12, cache=60e6)
"""Copy bandwidth and cache as seen on such machines, arithmetic by the vendor's datasheet."""


class Traffic(NamedTuple):
    """Of one lane. `bytes` counts every load and store, as if nothing stayed in cache; `least_bytes` moves each number
    of the operands, factors and results as rarely as a cache without limits allows: values and right-hand side in,
    solution out, factors written once and read once. `seconds` is the larger of the times for `bytes` and for `flops`,
    `least_seconds` that for `least_bytes` and `flops`; a batch must be large enough to fill the machine.
    """

    bytes: float
    least_bytes: float
    flops: float
    seconds: float
    least_seconds: float
    factor_bytes: float  # memory for the factors of one lane
    cached_lanes: int  # lanes whose factors the last-level cache holds together
    waits: int  # loads that a thread has to wait for one after the other


def traffic(
    schedule: Schedule, dtype: Any = np.float64, machine: Machine = H200, *, symmetric: bool = False
) -> Traffic:
    """One factor-and-solve with one right-hand side."""
    kind = np.dtype(dtype)
    size, fill, block, entries = schedule.size, schedule.fill, schedule.block_size, schedule.entries
    walk = tables(schedule)
    pairs = int(walk.pair_start[fill])
    products = 1 if symmetric else 2  # of a pair of blocks
    if symmetric:
        entries -= int(np.count_nonzero(schedule.rows != schedule.columns)) // 2
    slots = size + 2 * fill

    blocks = entries + 2 * fill + size + 2 * products * pairs + 3 * fill + size + fill
    vectors = fill + 2 * size + 2 * size + fill
    least_blocks = entries + 2 * slots
    table_bytes = sum(table.nbytes for table in walk) / WARP
    moved = (blocks * block**2 + vectors * block) * kind.itemsize + table_bytes
    least = (least_blocks * block**2 + 2 * size * block) * kind.itemsize + table_bytes

    flops = entries * block**2
    flops += fill * (2 * block**3 + 2 * block**2) + size * _inverse_flops(block)
    flops += pairs * 2 * products * block**3 + fill * 2 * block**3
    flops += (fill + size) * 2 * block**2

    rate = machine.double_precision if kind == np.float64 else machine.single_precision
    arithmetic = flops / rate
    factor_bytes = slots * block**2 * kind.itemsize
    return Traffic(
        bytes=float(moved),
        least_bytes=float(least),
        flops=float(flops),
        seconds=max(moved / machine.bandwidth, arithmetic),
        least_seconds=max(least / machine.bandwidth, arithmetic),
        factor_bytes=float(factor_bytes),
        cached_lanes=int(machine.cache // factor_bytes),
        waits=_waits(size, fill, pairs, entries),
    )


def _inverse_flops(block: int) -> int:
    """Closed forms to three rows; then Gauss-Jordan on twice as many columns."""
    closed = {1: 1, 2: 7, 3: 50}
    return closed.get(block, block * (2 * block + (block - 1) * 2 * 2 * block))


def _waits(size: int, fill: int, pairs: int, entries: int) -> int:
    """Turns of every loop, and the bounds and the node that each pivot and each number of a front begins with."""
    forward = (size + 2 * fill) + entries + fill + pairs + 2 * (size + fill)
    return forward + 2 * size + 2 * fill
