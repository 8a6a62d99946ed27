r"""Power of a pump: hydraulic, at the shaft, and electric.

    P_hydraulic = dp_rise m / rho
    eta(x) = eta_best x (2 - x),   x = q / (w q_best)
    P_shaft = P_hydraulic / eta,   P_electric = P_shaft / (eta_motor eta_drive)

| symbol     | meaning                                                     | unit  |
|------------|-------------------------------------------------------------|-------|
| eta_best   | efficiency of the pump at its best point                    | -     |
| q_best     | volume flow of one pump at its best point and rated speed   | m3/s  |
| q, w       | volume flow of one pump, speed over rated speed             | m3/s, - |

Sources: the parabola through rest and the best point is the first approximation of Gülich, Centrifugal Pumps (3rd ed.,
2014), section 4.2; at affine points the efficiency stays the same (affinity laws). Written as P_shaft = dp_rise w
q_best / (eta_best (2 - x)) per pump, so that the shaft power at a shut valve is finite, about half of the best
point's. 2 - x is held above 0.3 (smoothly over 0.02): beyond x = 1.7 the parabola is no pump.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.law import OfBranches
from voltherm.numerics import smooth_maximum
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

_LEAST_TAIL = 0.3
_TAIL_WIDTH = 0.02


class PumpPower(eqx.Module):
    """Powers of a group of pumps, W, (branch,) each, all parallel pumps together; efficiency is the pump's own, -."""

    hydraulic_power: Float[Array, "*lanes branch"]
    shaft_power: Float[Array, "*lanes branch"]
    electric_power: Float[Array, "*lanes branch"]
    efficiency: Float[Array, "*lanes branch"]


class PumpEfficiency(eqx.Module):
    """Efficiencies of one pump, its motor and its drive.

    best_volume_flow (branch,), m3/s; best_efficiency, motor_efficiency, drive_efficiency (branch,), -.
    """

    best_volume_flow: OfBranches = eqx.field(metadata=bounded("m3/s", above=0.0))
    best_efficiency: OfBranches = eqx.field(metadata=bounded("", above=0.0, most=1.0))
    motor_efficiency: OfBranches = eqx.field(metadata=bounded("", above=0.0, most=1.0))
    drive_efficiency: OfBranches = eqx.field(metadata=bounded("", above=0.0, most=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    def power(
        self,
        mass_flow: Float[Array, " branch"],
        pressure_rise: Float[Array, " branch"],
        speed: Float[Array, " branch"],
        density: Float[Array, " branch"],
        number_running: Float[Array, "..."] | float = 1.0,
    ) -> PumpPower:
        """Powers at a mass flow of all pumps (branch,), kg/s, rise over the impeller (branch,), Pa, and relative speed
        (branch,), > 0.
        """
        volume_flow = mass_flow / density
        best_flow = speed * self.best_volume_flow
        relative = volume_flow / (number_running * best_flow)
        tail = smooth_maximum(2.0 - relative, jnp.full_like(relative, _LEAST_TAIL), _TAIL_WIDTH)
        shaft_power = pressure_rise * number_running * best_flow / (self.best_efficiency * tail)
        return PumpPower(
            hydraulic_power=pressure_rise * volume_flow,
            shaft_power=shaft_power,
            electric_power=shaft_power / (self.motor_efficiency * self.drive_efficiency),
            efficiency=self.best_efficiency * relative * tail,
        )
