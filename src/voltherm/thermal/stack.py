r"""Conduction in a stack of laterally uniform layers: any power map, direct and exact.

    sum_neighbours G (T_neighbour - T) + sum_faces G_face (T_face - T) + q = C dT/dt     every cell

    G_x = k_x t dy / dx,   G_y = k_y t dx / dy,   G_z = dx dy / (r_i + r_contact + r_(i+1)),   r_i = t_i / (2 k_z,i)
    G_face = dx dy / (r_i + 1 / h)

The cosine transform in the plane separates the modes; each is one tridiagonal system through the layers:

    [t_i (k_x,i kappa_m + k_y,i kappa_n) + vertical conductances per area] That_i,mn = qhat_i,mn / (dx dy)

| symbol    | meaning                                                                          | unit      |
|-----------|----------------------------------------------------------------------------------|-----------|
| T, q      | temperature and power of a cell, one node at mid-height of its layer             | K, W      |
| t, k      | thickness and conductivities of a layer                                          | m, W/(mK) |
| C         | heat capacity of a cell, c_v t dx dy                                             | J/K       |
| dx, dy    | width of a cell along the columns (x) and the rows (y)                           | m         |
| r_contact | contact resistance between two layers                                            | m2K/W     |
| h, T_face | heat transfer coefficient and fluid temperature of the bottom or top face        | W/(m2K), K|
| kappa     | lateral eigenvalue (see `cosine_transform`)                                      | 1/m2      |

Layers run from bottom to top, sides are adiabatic, a face without convection is adiabatic. With `outer_node_on_face`
the node of an outermost layer under an adiabatic face lies on that face, so that its link inward has the full
thickness: the convention of compact thermal models (A. Sridhar et al., 3D-ICE, ICCAD 2010). Second order in cell size
otherwise.

Source: finite volumes, S. V. Patankar (1980), chapter 4. Range: constant properties, uniform over each layer.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.cosine_transform import eigenvalues, from_modes, to_modes
from voltherm.thermal.tridiagonal import solve_tridiagonal


class ConvectiveFace(eqx.Module):
    """Convection on an outer face: heat transfer coefficient [W/(m2 K)] and fluid temperature [K]."""

    heat_transfer_coefficient: Float[Array, ""] | float = eqx.field(metadata=bounded("W/(m2 K)", above=0.0))
    temperature: Float[Array, ""] | float = eqx.field(metadata=bounded("K", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)


class LayeredStack(eqx.Module):
    """A stack on a grid of `rows` times `columns` equal cells (static); at least one face has to convect.

    `width` (x) and `depth` (y) [m]; per layer thickness [m], conductivities along x, y, z [W/(m K)] and volumetric heat
    capacity [J/(m3 K)]; per joint between layers the contact resistance [m2K/W].
    """

    columns: int = eqx.field(static=True)
    rows: int = eqx.field(static=True)
    width: Float[Array, ""] | float = eqx.field(metadata=bounded("m", above=0.0))
    depth: Float[Array, ""] | float = eqx.field(metadata=bounded("m", above=0.0))
    thickness: Float[Array, " _layer"] = eqx.field(metadata=bounded("m", above=0.0))
    conductivity_x: Float[Array, " _layer"] = eqx.field(metadata=bounded("W/(m K)", above=0.0))
    conductivity_y: Float[Array, " _layer"] = eqx.field(metadata=bounded("W/(m K)", above=0.0))
    conductivity_z: Float[Array, " _layer"] = eqx.field(metadata=bounded("W/(m K)", above=0.0))
    volumetric_heat_capacity: Float[Array, " _layer"] = eqx.field(metadata=bounded("J/(m3 K)", above=0.0))
    contact_resistance: Float[Array, " _joint"] = eqx.field(metadata=bounded("m2K/W", least=0.0))
    bottom: ConvectiveFace | None
    top: ConvectiveFace | None
    outer_node_on_face: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        if self.bottom is None and self.top is None:
            raise ValueError("a stack whose two faces are adiabatic has no steady temperature: let one face convect")
        if self.columns < 1 or self.rows < 1:
            raise ValueError(f"a stack needs at least one cell, not {self.rows} rows of {self.columns} columns")
        layers = _last(self.thickness)
        each = ("conductivity_x", "conductivity_y", "conductivity_z", "volumetric_heat_capacity")
        for name, needed in (*((name, layers) for name in each), ("contact_resistance", layers and layers - 1)):
            count = _last(getattr(self, name))
            if layers is not None and count is not None and count != needed:
                what = "joints between its layers" if name == "contact_resistance" else "layers"
                raise ValueError(f"a stack of {layers} layers has {needed} {what}, and {count} entries of {name}")
        refuse_out_of_bounds(self)

    @property
    def cell_area(self) -> Float[Array, ""] | float:
        """Area of a cell in the plane [m2]."""
        return self.width / self.columns * (self.depth / self.rows)

    @property
    def reference_temperature(self) -> Float[Array, ""] | float:
        """Fluid temperature [K] above which fields are solved: that of the top face, or of the bottom one."""
        face = self.top if self.top is not None else self.bottom
        assert face is not None, "checked at construction"
        return face.temperature


def _last(value: Any) -> int | None:
    """Length of the last axis; None where there is none, as of what stands for axes in a `jax.vmap`."""
    shape = np.shape(value)
    return shape[-1] if shape else None


def _refuse_other_shape(stack: LayeredStack, power: Float[Array, "layer row column"]) -> None:
    expected = (stack.thickness.shape[0], stack.rows, stack.columns)
    if power.shape != expected:
        raise ValueError(f"power has the shape {power.shape}; this stack has layers, rows and columns {expected}")


def refine(stack: LayeredStack, lateral: int, layers: int) -> LayeredStack:
    """The same stack with every cell split `lateral` times along x and y and every layer into `layers` sublayers."""
    thickness = jnp.repeat(stack.thickness / layers, layers)
    joints = jnp.zeros((stack.thickness.shape[0], layers), stack.thickness.dtype)
    joints = joints.at[:-1, -1].set(stack.contact_resistance)
    return LayeredStack(
        columns=stack.columns * lateral,
        rows=stack.rows * lateral,
        width=stack.width,
        depth=stack.depth,
        thickness=thickness,
        conductivity_x=jnp.repeat(stack.conductivity_x, layers),
        conductivity_y=jnp.repeat(stack.conductivity_y, layers),
        conductivity_z=jnp.repeat(stack.conductivity_z, layers),
        volumetric_heat_capacity=jnp.repeat(stack.volumetric_heat_capacity, layers),
        contact_resistance=joints.ravel()[:-1],
        bottom=stack.bottom,
        top=stack.top,
        outer_node_on_face=stack.outer_node_on_face,
    )


def link_conductances(stack: LayeredStack) -> Float[Array, " joint"]:
    """Conductance per area [W/(m2K)] between the nodes of neighbouring layers."""
    half = 0.5 * stack.thickness / stack.conductivity_z
    if stack.outer_node_on_face:
        if stack.bottom is None:
            half = half.at[0].multiply(2.0)
        if stack.top is None:
            half = half.at[-1].multiply(2.0)
    return 1.0 / (half[:-1] + stack.contact_resistance + half[1:])


def face_conductances(stack: LayeredStack) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Conductance per area [W/(m2K)] from the outermost nodes to the fluid below and above; zero where adiabatic."""
    half = 0.5 * stack.thickness / stack.conductivity_z
    zero = jnp.zeros((), stack.thickness.dtype)
    below, above = stack.bottom, stack.top
    return (
        zero if below is None else 1.0 / (half[0] + 1.0 / below.heat_transfer_coefficient),
        zero if above is None else 1.0 / (half[-1] + 1.0 / above.heat_transfer_coefficient),
    )


def mode_system(stack: LayeredStack) -> tuple[Float[Array, "layer row column"], Float[Array, " joint"]]:
    """Diagonal (layer, row mode, column mode) and coupling (joint,) of the tridiagonal systems, W/(m2K)."""
    links = link_conductances(stack)
    below, above = face_conductances(stack)
    vertical = jnp.zeros_like(stack.thickness).at[:-1].add(links).at[1:].add(links).at[0].add(below).at[-1].add(above)
    dtype = stack.thickness.dtype
    along_x = eigenvalues(stack.columns, jnp.asarray(stack.width / stack.columns, dtype))
    along_y = eigenvalues(stack.rows, jnp.asarray(stack.depth / stack.rows, dtype))
    diagonal = (
        vertical[:, None, None]
        + (stack.thickness * stack.conductivity_x)[:, None, None] * along_x[None, None, :]
        + (stack.thickness * stack.conductivity_y)[:, None, None] * along_y[None, :, None]
    )
    return diagonal, links


def mode_source(stack: LayeredStack, power: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
    """Right-hand side [W/m2] in mode space, for temperatures over the reference temperature."""
    flux = power / stack.cell_area
    if stack.bottom is not None and stack.top is not None:
        offset = stack.bottom.temperature - stack.reference_temperature
        flux = flux.at[0].add(face_conductances(stack)[0] * offset)
    return to_modes(flux)


def steady_stack(stack: LayeredStack, power: Float[Array, "layer row column"]) -> Float[Array, "layer row column"]:
    """Steady temperature [K] of every node, from the power [W] of every cell.

    Direct: two transforms and one sweep through the layers. Differentiable in the stack's numbers and the power, by
    one more solve in either mode; a batch of power maps or stacks goes through `jax.vmap`.

    **Raises**: `ValueError` where power has another shape than the stack's cells.
    """
    _refuse_other_shape(stack, power)
    diagonal, coupling = mode_system(stack)
    rise = solve_tridiagonal(diagonal, coupling, mode_source(stack, power))
    return stack.reference_temperature + from_modes(rise)


def face_heat(
    stack: LayeredStack, temperature: Float[Array, "layer row column"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Heat [W] leaving through the bottom and the top face."""
    below, above = face_conductances(stack)
    bottom = stack.reference_temperature if stack.bottom is None else stack.bottom.temperature
    top = stack.reference_temperature if stack.top is None else stack.top.temperature
    return (
        below * stack.cell_area * jnp.sum(temperature[0] - bottom),
        above * stack.cell_area * jnp.sum(temperature[-1] - top),
    )
