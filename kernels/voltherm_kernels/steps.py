"""The padded tables that `xla` walks: pivots, products and sweeps of a schedule, cut into steps of one fixed width.

A loop over the steps is a program whose size does not depend on the matrix. No step holds two levels, for what a level
reads another has written. What a step lacks is padding: an identity block that is inverted, products of zero blocks
that are added to a zero block. Built when they are first wanted: `native` does without them.
"""

from typing import NamedTuple

import numpy as np

# Cost of a step and of one gathered block product in one lane, in nanoseconds on one CPU core (measured), and a
# typical number of lanes. They only choose among widths; no result depends on them.
_STEP_COST = 400.0
_PRODUCT_COST = 4.0
_TYPICAL_LANES = 64
_WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512)


class Steps(NamedTuple):
    """Items in steps: `table` (steps, kinds, width), `ends` (levels + 1,) the first step of each level."""

    table: np.ndarray
    ends: np.ndarray


def cut(items: np.ndarray, level: np.ndarray, levels: int, padding: tuple[int, ...], block_size: int) -> Steps:
    """Lay (kinds, items) out in steps of the cheapest width; `level` (items,) ascends."""
    per_level = np.bincount(level, minlength=levels)

    def cost(width: int) -> float:
        step_cost = _STEP_COST + _PRODUCT_COST * _TYPICAL_LANES * block_size**2 * width
        return float(np.ceil(per_level / width).sum() * step_cost)

    width = min(_WIDTHS, key=cost)
    ends = np.concatenate([[0], np.cumsum(-(-per_level // width))])
    within = np.arange(items.shape[1]) - np.repeat(np.cumsum(per_level) - per_level, per_level)
    table = np.empty((int(ends[-1]), items.shape[0], width), dtype=np.int32)
    table[:] = np.array(padding, dtype=np.int32)[None, :, None]
    table[np.repeat(ends[:-1], per_level) + within // width, :, within % width] = items.T
    return Steps(table, ends)
