r"""Pumps as branches: at a given speed, and with the speed that holds a differential pressure.

    Pump:                    dp = -rise(q, w)
    PressureControlledPump:  dp = -min(max(set point, rise(q, w_min) - loss(m)), rise(q, w_max) - loss(m))

| symbol     | meaning                                                               | unit  |
|------------|-----------------------------------------------------------------------|-------|
| rise       | pump curve with affinity laws (`pump_curve.py`)                       | Pa    |
| q          | volume flow of one pump, m / (rho N), N equal pumps in parallel       | m3/s  |
| w          | speed over rated speed                                                | -     |
| loss       | between the pump and the points of the set point: filters, exchanger  | Pa    |

Source: the ideal integral controller of a variable-speed drive (ASHRAE Handbook, HVAC Systems and Equipment, 2020,
chapter 44): at rest the set point is held exactly while the speed is within its limits. Both limits are one-sided and
smooth over `width` of the set point; inside them the only deviation is the `droop`, a fall of the set point by that
share at the curve's run-out flow, which keeps the law strictly increasing. Droop 1e-6 suits double precision; take
1e-3 in single precision.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.law import AbstractBranchLaw, OfBranches
from voltherm.coolant.pump_curve import PumpCurve
from voltherm.numerics import smooth_maximum, smooth_minimum
from voltherm.numerics.bounds import bounded

_USUAL_SHARE_OF_RUN_OUT = 0.5


class Pump(AbstractBranchLaw):
    """Pumps at a given speed.

    curve: PumpCurve of one pump; speed (branch,), over rated speed; number_running (branch,) or scalar, equal pumps in
    parallel, > 0.
    """

    rises_by_its_form: ClassVar[bool] = True

    curve: PumpCurve
    speed: OfBranches = eqx.field(metadata=bounded("", least=0.0))
    number_running: Float[Array, "..."] | float = eqx.field(default=1.0, metadata=bounded("", above=0.0))

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return -self.curve.pressure_rise(mass_flow / (density * self.number_running), self.speed, density)

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        # at full speed: a stopped pump starts, too, and speeds of a batch leave the start common to it
        return _USUAL_SHARE_OF_RUN_OUT * self.curve.run_out_flow() * density * self.number_running


class PressureControlledPump(AbstractBranchLaw):
    """Pumps that hold a differential pressure between their terminals while their speed allows.

    pressure_set_point (branch,), Pa, end minus start; curve: parabola (n = 2) of one pump; maximum_speed,
    minimum_speed (branch,), over rated speed; internal_loss: law between the terminals that the pump has to overcome
    as well, of the whole flow; number_running (branch,) or scalar.
    """

    rises_by_its_form: ClassVar[bool] = True

    pressure_set_point: OfBranches = eqx.field(metadata=bounded("Pa", least=0.0))
    curve: PumpCurve
    maximum_speed: OfBranches = eqx.field(metadata=bounded("", above=0.0))
    minimum_speed: OfBranches = eqx.field(metadata=bounded("", least=0.0))
    internal_loss: AbstractBranchLaw | None = None
    number_running: Float[Array, "..."] | float = eqx.field(default=1.0, metadata=bounded("", above=0.0))
    droop: float = eqx.field(static=True, default=1e-6)
    width: float = eqx.field(static=True, default=1e-3)

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        volume_flow = mass_flow / (density * self.number_running)
        lost = self._internal_loss(mass_flow, density, viscosity)
        highest = self.curve.pressure_rise(volume_flow, self.maximum_speed, density) - lost
        lowest = self.curve.pressure_rise(volume_flow, self.minimum_speed, density) - lost
        set_point = self.pressure_set_point * (1.0 - self.droop * volume_flow / self.curve.run_out_flow())
        width = self.width * self.pressure_set_point
        return -smooth_minimum(smooth_maximum(set_point, lowest, width), highest, width)

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return _USUAL_SHARE_OF_RUN_OUT * self.curve.run_out_flow() * self.maximum_speed * density * self.number_running

    def operating_point(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> tuple[Float[Array, " branch"], Float[Array, " branch"]]:
        """Relative speed (branch,) and pressure rise over the impeller (branch,), Pa, internal loss included, at a
        solved flow.
        """
        rise = self._internal_loss(mass_flow, density, viscosity) - self.pressure_drop(mass_flow, density, viscosity)
        volume_flow = mass_flow / (density * self.number_running)
        return self.curve.speed_for(volume_flow, rise, density), rise

    def _internal_loss(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        if self.internal_loss is None:
            return jnp.zeros_like(mass_flow)
        return self.internal_loss.pressure_drop(mass_flow, density, viscosity)
