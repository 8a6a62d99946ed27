r"""Power maps from floor plans: rectangles with a power, spread over the cells they cover.

    q(r, c) = sum_b P_b w_b(r) w_b(c),    w_b(c) = overlap of block b with cell c along x / overlap with the plane

| symbol | meaning                                             | unit |
|--------|-----------------------------------------------------|------|
| q      | power of a cell                                     | W    |
| P_b    | power of block b, even over its area                | W    |

Source: area weighting. Piecewise linear in the blocks' positions and sizes, and so differentiable but where an edge
crosses a cell's edge. Range: blocks inside the plane. Numbers that the host can see are refused outside it; in a traced
program a block that reaches beyond gives all its power to the part inside, and one that lies outside as a whole makes
the map NaN: no power is lost.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, is_known, refuse_out_of_bounds

_ROUNDING = 1e-6
"""Of a length: blocks may overlap, and reach beyond the plane, by what their numbers are rounded to."""


class FloorPlan(eqx.Module):
    """Rectangles: lower left corner (x, y) and size [m], power [W].

    Static: `names` of the blocks for messages, and `overlapping`: whether blocks may lie on others, whose powers then
    add up; without it that is refused.
    """

    x: Float[Array, " _block"]
    y: Float[Array, " _block"]
    width: Float[Array, " _block"] = eqx.field(metadata=bounded("m", above=0.0))
    depth: Float[Array, " _block"] = eqx.field(metadata=bounded("m", above=0.0))
    power: Float[Array, " _block"]
    names: tuple[str, ...] = eqx.field(static=True, default=())
    overlapping: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in ("x", "y", "width", "depth", "power")}
        counts = {name: np.shape(value)[-1] for name, value in numbers.items() if np.ndim(value)}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} of {count}" for name, count in counts.items())
            raise ValueError(f"a floor plan needs one number of each kind for every block; it has {told}")
        count = next(iter(counts.values()), None)
        if self.names and count is not None and count != len(self.names):
            raise ValueError(f"a floor plan of {count} blocks has {len(self.names)} names; give one for each")
        refuse_out_of_bounds(self)
        if not self.overlapping:
            self._refuse_overlaps()

    def _refuse_overlaps(self) -> None:
        sides = (self.x, self.y, self.width, self.depth)
        if not all(is_known(side) and np.ndim(side) == 1 for side in sides):
            return
        x, y, width, depth = (np.asarray(side) for side in sides)
        along_x, along_y = _common(x, width), _common(y, depth)
        both = (along_x > _ROUNDING * np.minimum.outer(width, width)) & (
            along_y > _ROUNDING * np.minimum.outer(depth, depth)
        )
        pairs = np.argwhere(np.triu(both, 1))
        if len(pairs):
            first, second = (self.name(int(block)) for block in pairs[0])
            raise ValueError(
                f"{first} and {second} overlap{f', and {len(pairs) - 1} more pairs' if len(pairs) > 1 else ''}: their "
                "powers would add up; move them apart, or say overlapping=True"
            )

    def name(self, block: int) -> str:
        """How a message calls a block."""
        return f"'{self.names[block]}'" if self.names else f"block {block + 1}"

    def refuse_outside(self, width: Float[Array, ""] | float, depth: Float[Array, ""] | float) -> None:
        """Host check: **raises** `ValueError` naming the block that reaches beyond a plane of this size [m]."""
        for start, size, length, side in ((self.x, self.width, width, "x"), (self.y, self.depth, depth, "y")):
            if not all(is_known(number) for number in (start, size, length)):
                continue
            low, end, allowed = np.asarray(start), np.asarray(start) + np.asarray(size), float(length)
            outside = np.argwhere((low < -_ROUNDING * allowed) | (end > (1.0 + _ROUNDING) * allowed))
            if len(outside):
                block = int(outside[0][-1])
                place = tuple(outside[0])
                raise ValueError(
                    f"{self.name(block)} lies from {low[place]:.6g} to {end[place]:.6g} m along {side}, beyond a plane "
                    f"of {allowed:.6g} m: its power has to stay inside"
                )


def _common(start: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Length that every two spans have in common, negative where they are apart."""
    return np.minimum.outer(start + size, start + size) - np.maximum.outer(start, start)


def _weights(
    start: Float[Array, " block"], size: Float[Array, " block"], length: Float[Array, ""] | float, cells: int
) -> Float[Array, "block cell"]:
    start, size = jnp.asarray(start), jnp.asarray(size)
    edges = jnp.arange(cells + 1, dtype=start.dtype) * (length / cells)
    low = jnp.maximum(start[:, None], edges[None, :-1])
    high = jnp.minimum((start + size)[:, None], edges[None, 1:])
    covered = jnp.maximum(high - low, 0.0)
    inside = jnp.sum(covered, axis=1, keepdims=True)
    return jnp.where(inside > 0.0, covered / jnp.where(inside > 0.0, inside, 1.0), jnp.nan)


def power_map(
    plan: FloorPlan, width: Float[Array, ""] | float, depth: Float[Array, ""] | float, rows: int, columns: int
) -> Float[Array, "row column"]:
    """Power [W] of every cell of a plane of `width` (x) times `depth` (y) [m].

    **Raises**: `ValueError` naming a block that reaches beyond the plane, where the numbers are not traced.
    """
    plan.refuse_outside(width, depth)
    along_x = _weights(plan.x, plan.width, width, columns)
    along_y = _weights(plan.y, plan.depth, depth, rows)
    return jnp.einsum("b,br,bc->rc", plan.power, along_y, along_x)


def block_means(
    plan: FloorPlan,
    field: Float[Array, "row column"],
    width: Float[Array, ""] | float,
    depth: Float[Array, ""] | float,
) -> Float[Array, " block"]:
    """Mean of a field over each block, weighted by area; of its part inside the plane.

    **Raises**: as `power_map`.
    """
    plan.refuse_outside(width, depth)
    rows, columns = field.shape
    along_x = _weights(plan.x, plan.width, width, columns)
    along_y = _weights(plan.y, plan.depth, depth, rows)
    return jnp.einsum("br,rc,bc->b", along_y, field, along_x)
