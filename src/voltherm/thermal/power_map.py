r"""Power maps from floor plans: rectangles with a power, spread over the cells they cover.

    q(r, c) = sum_b P_b w_b(r) w_b(c),    w_b(c) = overlap of block b with cell c along x / width of the block

| symbol | meaning                                             | unit |
|--------|-----------------------------------------------------|------|
| q      | power of a cell                                     | W    |
| P_b    | power of block b, even over its area                | W    |

Source: area weighting. Piecewise linear in the blocks' positions and sizes, and so differentiable but where an edge
crosses a cell's edge. Range: blocks inside the plane; what lies outside is lost.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class FloorPlan(eqx.Module):
    """Rectangles: lower left corner (x, y) and size [m], power [W]."""

    x: Float[Array, " block"]
    y: Float[Array, " block"]
    width: Float[Array, " block"]
    depth: Float[Array, " block"]
    power: Float[Array, " block"]


def _weights(
    start: Float[Array, " block"], size: Float[Array, " block"], length: Float[Array, ""], cells: int
) -> Float[Array, "block cell"]:
    edges = jnp.arange(cells + 1, dtype=start.dtype) * (length / cells)
    low = jnp.maximum(start[:, None], edges[None, :-1])
    high = jnp.minimum((start + size)[:, None], edges[None, 1:])
    return jnp.maximum(high - low, 0.0) / size[:, None]


def power_map(
    plan: FloorPlan, width: Float[Array, ""], depth: Float[Array, ""], rows: int, columns: int
) -> Float[Array, "row column"]:
    """Power [W] of every cell of a plane of `width` (x) times `depth` (y) [m]."""
    along_x = _weights(plan.x, plan.width, width, columns)
    along_y = _weights(plan.y, plan.depth, depth, rows)
    return jnp.einsum("b,br,bc->rc", plan.power, along_y, along_x)


def block_means(
    plan: FloorPlan, field: Float[Array, "row column"], width: Float[Array, ""], depth: Float[Array, ""]
) -> Float[Array, " block"]:
    """Mean of a field over each block, weighted by area."""
    rows, columns = field.shape
    along_x = _weights(plan.x, plan.width, width, columns)
    along_y = _weights(plan.y, plan.depth, depth, rows)
    return jnp.einsum("br,rc,bc->b", along_y, field, along_x)
