"""Uninterruptible power supply: double conversion, or the static bypass of its eco mode.

    x = P_out / S        P_in = P_out + S [(1 - e) loss_double(x) + e loss_eco(x)]
    Q_in = P_in tan(arccos(power_factor))        in double conversion; the bypass passes Q_out through

| symbol | meaning | unit |
| --- | --- | --- |
| P_out, P_in | active output and input power | W |
| S | rated active output | W |
| e | eco mode: 0 double conversion, 1 bypass, between them the share of modules in bypass | - |
| loss | over rated output (see `loss_curve`) | - |

Source: efficiency against load at 25, 50, 75, 100 % as IEC 62040-3 has it declared; typical large units 96 to 97.5 % in
double conversion, 98.5 to 99 % in eco mode. Valid from no load to rated load with charged batteries.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.power.load import reactive_power_of
from voltherm.power.loss_curve import LossCurve

LOAD_FRACTION = (0.25, 0.5, 0.75, 1.0)
DOUBLE_CONVERSION_EFFICIENCY = (0.962, 0.972, 0.974, 0.970)
ECO_EFFICIENCY = (0.985, 0.989, 0.990, 0.990)


class UninterruptiblePowerSupply(eqx.Module):
    """n units; `rated_power` [W], `eco_mode` in [0, 1] and `power_factor` are scalars or (n,).

    `eco`: None for units without that mode, whose `eco_mode` is zero.
    """

    rated_power: Float[Array, "..."] | float = eqx.field(metadata=bounded("W", above=0.0))
    double_conversion: LossCurve
    eco: LossCurve | None
    eco_mode: Float[Array, "..."] | float = eqx.field(metadata=bounded("", least=0.0, most=1.0))
    power_factor: Float[Array, "..."] | float = eqx.field(metadata=bounded("", above=0.0, most=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def typical(
        cls,
        rated_power: Float[Array, "..."] | float,
        eco_mode: Float[Array, "..."] | float,
        power_factor: Float[Array, "..."] | float,
    ) -> "UninterruptiblePowerSupply":
        """Units with the typical efficiency curves of the module's source."""
        dtype = jnp.asarray(rated_power).dtype
        load_fraction = jnp.array(LOAD_FRACTION, dtype)
        return cls(
            rated_power,
            LossCurve(load_fraction, jnp.array(DOUBLE_CONVERSION_EFFICIENCY, dtype)),
            LossCurve(load_fraction, jnp.array(ECO_EFFICIENCY, dtype)),
            eco_mode,
            power_factor,
        )

    def load_fraction(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Output over rated output."""
        return output_power / self.rated_power

    def loss(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Heat released [W]."""
        load = self.load_fraction(output_power)
        double_conversion = self.double_conversion.loss(load)
        if self.eco is None:
            return self.rated_power * double_conversion
        return self.rated_power * (double_conversion + self.eco_mode * (self.eco.loss(load) - double_conversion))

    def input_power(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Active power drawn [W]."""
        return output_power + self.loss(output_power)

    def reactive_power(
        self, output_power: Float[Array, "..."], output_reactive_power: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Reactive power drawn [var] when the load behind takes `output_reactive_power` [var]."""
        return self.reactive_power_at(self.input_power(output_power), output_reactive_power)

    def reactive_power_at(
        self, input_power: Float[Array, "..."], output_reactive_power: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """The same where the active power drawn is known [W]."""
        own = reactive_power_of(input_power, self.power_factor)
        return own + self.eco_mode * (output_reactive_power - own)
