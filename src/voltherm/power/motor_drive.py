"""Motor behind a variable-frequency drive: shaft power to electrical power, for pumps, fans and compressors.

    x = P_shaft / S        P_in = P_shaft + S loss(x)        Q_in = P_in tan(arccos(power_factor))

| symbol | meaning | unit |
| --- | --- | --- |
| P_shaft, P_in | mechanical output, electrical input | W |
| S | rated shaft power | W |
| loss(x) | loss of motor and drive over rated power (see `loss_curve`) | - |

Source: IEC 61800-9-2 (power drive systems, losses at part load); typical IE3 motor with drive 88, 92.5, 94, 94 % at 25,
50, 75, 100 % of rated power. Valid for speed and torque that fall together, as those of pumps and fans do.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.power.load import reactive_power_of
from voltherm.power.loss_curve import LossCurve

LOAD_FRACTION = (0.25, 0.5, 0.75, 1.0)
TYPICAL_EFFICIENCY = (0.88, 0.925, 0.94, 0.94)


class MotorDrive(eqx.Module):
    """n drives; `rated_power` [W] and `power_factor` are scalars or (n,)."""

    rated_power: Float[Array, "..."] | float = eqx.field(metadata=bounded("W", above=0.0))
    curve: LossCurve
    power_factor: Float[Array, "..."] | float = eqx.field(metadata=bounded("", above=0.0, most=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def typical(
        cls, rated_power: Float[Array, "..."] | float, power_factor: Float[Array, "..."] | float
    ) -> "MotorDrive":
        """Drives with the typical curve of the module's source."""
        dtype = jnp.asarray(rated_power).dtype
        curve = LossCurve(jnp.array(LOAD_FRACTION, dtype), jnp.array(TYPICAL_EFFICIENCY, dtype))
        return cls(rated_power, curve, power_factor)

    def loss(self, shaft_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Heat released by motor and drive [W]."""
        return self.rated_power * self.curve.loss(shaft_power / self.rated_power)

    def input_power(self, shaft_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Active power drawn [W]."""
        return shaft_power + self.loss(shaft_power)

    def reactive_power(self, shaft_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Reactive power drawn [var]."""
        return reactive_power_of(self.input_power(shaft_power), self.power_factor)
