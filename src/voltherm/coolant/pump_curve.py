r"""Pump curve and affinity laws.

    dp_rise = rho/rho0 (a w^2 + b w q + c w^(2-n) |q|^n sign(q)),   q = m / (rho N)

| symbol | meaning                                                                    | unit            |
|--------|----------------------------------------------------------------------------|-----------------|
| a      | pressure rise at zero flow and full speed, at density rho0                 | Pa              |
| b, c   | linear and power coefficients, b <= 0, c < 0                               | Pa s/m3, Pa (s/m3)^n |
| n      | exponent, 2 for the usual parabola                                         | -               |
| w      | speed over rated speed                                                     | -               |
| q      | volume flow of one pump                                                    | m3/s            |
| N      | equal pumps running in parallel                                            | -               |

Sources: Karassik et al., Pump Handbook (4th ed., 2008), section 2.3 (affinity laws); the power curve A - B q^C is
EPANET's. Valid for centrifugal pumps while the impeller's Reynolds number stays turbulent. A stopped pump (w = 0)
resists flow like a fitting. Backflow meets a rising pressure. Below 1e-4 of the run-out flow sqrt-like terms turn
linear so that a pump has a slope at zero flow.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.law import OfBranches
from voltherm.numerics import signed_power
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

LINEAR_FRACTION = 1e-4


class PumpCurve(eqx.Module):
    """Pressure rise of one pump at full speed.

    shut_off_pressure (branch,), a, Pa; linear (branch,), b, Pa s/m3; power (branch,), c, Pa (s/m3)^n; nominal_density
    (branch,), kg/m3; exponent, n, scalar or (branch,).
    """

    shut_off_pressure: OfBranches = eqx.field(metadata=bounded("Pa", above=0.0))
    linear: OfBranches = eqx.field(metadata=bounded("Pa s/m3", most=0.0))
    power: OfBranches = eqx.field(metadata=bounded("Pa (s/m3)^n", below=0.0))
    nominal_density: OfBranches = eqx.field(metadata=bounded("kg/m3", above=0.0))
    exponent: Float[Array, "..."] | float = eqx.field(default=2.0, metadata=bounded("", least=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def through_duty_point(
        cls,
        shut_off_pressure: OfBranches,
        nominal_mass_flow: OfBranches,
        nominal_pressure_rise: OfBranches,
        nominal_density: OfBranches,
    ) -> "PumpCurve":
        """Parabola with its top at zero flow through one duty point: kg/s and Pa, all (branch,)."""
        volume_flow = nominal_mass_flow / nominal_density
        power = -(shut_off_pressure - nominal_pressure_rise) / volume_flow**2
        return cls(shut_off_pressure, jnp.zeros_like(power), power, nominal_density)

    @property
    def is_parabola(self) -> bool:
        """Whether the exponent is known to be 2."""
        return isinstance(self.exponent, float) and self.exponent == 2.0

    def run_out_flow(self) -> OfBranches:
        """Volume flow (branch,), m3/s, at which a parabola without its linear term would give no rise: the scale of the
        curve.
        """
        square = -self.shut_off_pressure / self.power
        return jnp.sqrt(square) if self.is_parabola else square ** (1.0 / self.exponent)

    def pressure_rise(
        self,
        volume_flow: Float[Array, " branch"],
        speed: OfBranches,
        density: Float[Array, " branch"],
    ) -> Float[Array, " branch"]:
        """Pressure rise (branch,), Pa, at the volume flow of one pump (branch,), m3/s, and relative speed (branch,)."""
        relative = volume_flow / self.run_out_flow()
        power_term = -self.shut_off_pressure * signed_power(relative, self.exponent, LINEAR_FRACTION)
        # w^(2-n) has no derivative at a stopped pump, and there is nothing to scale in a parabola
        scaled = power_term if self.is_parabola else power_term * speed ** (2.0 - self.exponent)
        rise = self.shut_off_pressure * speed**2 + self.linear * speed * volume_flow + scaled
        return density / self.nominal_density * rise

    def speed_for(
        self,
        volume_flow: Float[Array, " branch"],
        pressure_rise: Float[Array, " branch"],
        density: Float[Array, " branch"],
    ) -> Float[Array, " branch"]:
        """Relative speed (branch,) at which a parabola (n = 2) gives this rise, Pa, at this volume flow of one pump,
        m3/s.
        """
        relative = signed_power(volume_flow / self.run_out_flow(), 2.0, LINEAR_FRACTION)
        needed = pressure_rise * self.nominal_density / density + self.shut_off_pressure * relative
        half_linear = 0.5 * self.linear * volume_flow
        discriminant = half_linear**2 + self.shut_off_pressure * needed
        return (jnp.sqrt(jnp.maximum(discriminant, 0.0)) - half_linear) / self.shut_off_pressure
