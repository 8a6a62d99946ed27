r"""Package of a chip as one resistance from junction to case (theta_jc, all heat through the case).

    R = R_spreading + sum_i t_i / (k_i A_i)

| symbol      | meaning                                                             | unit   |
|-------------|---------------------------------------------------------------------|--------|
| R           | junction to case                                                    | K/W    |
| t_i, k_i    | thickness and conductivity of layer i (die, inner film, lid)        | m, W/(mK) |
| A_i         | area through which the heat passes layer i                          | m2     |
| R_spreading | what the sum leaves out: heat spreading sideways (see `spreading`)  | K/W    |

Source: series conduction; theta_jc as JEDEC JESD51-14 (2010) defines it. Range: heat spread evenly over each A_i.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.arguments import refuse_not_positive
from voltherm.thermal.leakage import OfChips


class Package(eqx.Module):
    """Junction-to-case resistance [K/W] of chips, a scalar or the shape of the chips."""

    resistance: OfChips = eqx.field(metadata=bounded("K/W", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_layers(
        cls,
        thickness: Float[Array, " layer"],
        conductivity: Float[Array, " layer"],
        area: Float[Array, " layer"],
        spreading_resistance: float | Float[Array, ""] = 0.0,
    ) -> "Package":
        """One chip's package from its layers: thickness [m], conductivity [W/(mK)] and area [m2] of each.

        **Raises**: `ValueError` where one of them is not above zero.
        """
        refuse_not_positive("layers of a package", thickness=thickness, conductivity=conductivity, area=area)
        return cls(jnp.sum(thickness / (conductivity * area)) + spreading_resistance)
