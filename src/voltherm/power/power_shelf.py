"""Rack power shelf: rectifiers that turn the rack's alternating current into its direct-current bus.

    x = P_out / (n S)      P_in = P_out + n S loss(x)      Q_in = P_in tan(arccos(power_factor))

| symbol | meaning | unit |
| --- | --- | --- |
| P_out, P_in | direct-current output, alternating-current input of all supplies of a rack | W |
| n, S | number of supplies that share the load evenly, rated output of one | -, W |
| loss(x) | loss over rated output (see `loss_curve`) | - |

Source: 80 PLUS Titanium, 230 V internal redundant: 90, 94, 96, 91 % at 10, 20, 50, 100 % load, power factor >= 0.95
from 20 %; AI shelves publish a 97.5 % peak. Valid from no load to rated load; inrush and hold-up are not modelled.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.power.load import reactive_power_of
from voltherm.power.loss_curve import LossCurve

TITANIUM_LOAD_FRACTION = (0.1, 0.2, 0.5, 1.0)
TITANIUM_EFFICIENCY = (0.90, 0.94, 0.96, 0.91)


class PowerShelf(eqx.Module):
    """Shelves of `count` supplies of `rated_power` [W] each, in n racks; fields are scalars or (n,)."""

    rated_power: Float[Array, "..."] | float = eqx.field(metadata=bounded("W", above=0.0))
    count: Float[Array, "..."] | float = eqx.field(metadata=bounded("", above=0.0))
    curve: LossCurve
    power_factor: Float[Array, "..."] | float = eqx.field(metadata=bounded("", above=0.0, most=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def titanium(
        cls,
        rated_power: Float[Array, "..."] | float,
        count: Float[Array, "..."] | float,
        power_factor: Float[Array, "..."] | float,
    ) -> "PowerShelf":
        """Shelves that just meet the 80 PLUS Titanium points."""
        dtype = jnp.asarray(rated_power).dtype
        curve = LossCurve(jnp.array(TITANIUM_LOAD_FRACTION, dtype), jnp.array(TITANIUM_EFFICIENCY, dtype))
        return cls(rated_power, count, curve, power_factor)

    def load_fraction(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Output over rated output of all supplies."""
        return output_power / (self.count * self.rated_power)

    def loss(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Heat released [W]."""
        return self.count * self.rated_power * self.curve.loss(self.load_fraction(output_power))

    def input_power(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Active power drawn [W]."""
        return output_power + self.loss(output_power)

    def reactive_power(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Reactive power drawn [var]."""
        return reactive_power_of(self.input_power(output_power), self.power_factor)
