r"""Cold plate: resistance from its base to the entering coolant, and pressure drop, against flow.

    R(V) = R_0 + R_1 w^-n,    w = sqrt(V^2 + V_0^2) / V_1
    dp(V) = dp_N (V / V_N)^m

| symbol   | meaning                                                                    | unit   |
|----------|----------------------------------------------------------------------------|--------|
| R        | thermal resistance, case to coolant inlet                                  | K/W    |
| R_0      | part that no flow removes: conduction in the plate                         | K/W    |
| R_1, n   | part at the flow V_1, and its exponent                                     | K/W, - |
| V        | volume flow through the plate, either direction                            | m3/s   |
| V_0      | width of the regularisation: R stays finite and smooth at rest             | m3/s   |
| V_1      | 1 L/min, the flow of R_1                                                   | m3/s   |
| dp_N, V_N, m | nominal drop at the nominal flow, and its exponent                     | Pa, m3/s, - |

With coolant properties, the flow part follows the Peclet number of laminar channels (thermal entry, Graetz), which
viscosity does not enter, and the drop follows the friction law that has the same exponent:

    R_1 -> R_1 (k_ref / k)^(1 - n) ((rho c)_ref / (rho c))^n
    dp_N -> dp_N (rho / rho_ref)^(m - 1) (mu / mu_ref)^(2 - m)

Source: fit of the curve of the Open Compute Project's OAI liquid cooling guideline (2023), figure 7, a 1 kW
accelerator plate with PG25: R_0 = 0.01736 K/W, R_1 = 0.00697 K/W, n = 1.194, within 2.5 % from 0.4 to 2.4 L/min;
about 50 kPa at 10 L/min over 8 plates, m = 1.85. Graetz scaling: Shah and London (1978), chapter V. The guideline
does not state the test's coolant temperature; 40 degC is assumed where the property scaling is used. Measured plates
differ by 10 to 20 %. Range: see `out_of_range`.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import signed_power
from voltherm.thermal.coolant_properties import CoolantProperties

LITRE_PER_MINUTE = 1.0e-3 / 60.0
"""1 L/min in m3/s."""
FITTED_RANGE = (0.4 * LITRE_PER_MINUTE, 2.4 * LITRE_PER_MINUTE)
"""Volume flows [m3/s] of the published table."""
REGULARISATION_FLOW = 0.01 * LITRE_PER_MINUTE
"""Default V_0 [m3/s]: changes R by less than 0.05 % over the table's range."""
PRESSURE_EXPONENT = 1.85


class ColdPlate(eqx.Module):
    """Cold plates of one kind; every number is a scalar or has the shape of the flows.

    `reference` holds the coolant's properties in the test that gave the law; without it (None) the law is used as it
    is for any coolant. `pressure_exponent` is static: plates fed side by side share one, so that the split of flow is
    in closed form.
    """

    base_resistance: Float[Array, "..."]
    flow_resistance: Float[Array, "..."]
    flow_exponent: Float[Array, "..."]
    nominal_flow: Float[Array, "..."]
    nominal_pressure_drop: Float[Array, "..."]
    reference: CoolantProperties | None = None
    pressure_exponent: float = eqx.field(static=True, default=PRESSURE_EXPONENT)
    regularisation_flow: float = eqx.field(static=True, default=REGULARISATION_FLOW)

    @classmethod
    def published(cls, reference: CoolantProperties | None = None) -> "ColdPlate":
        """The plate of the module's source, in JAX's default precision."""
        return cls(
            base_resistance=jnp.asarray(0.01736, float),
            flow_resistance=jnp.asarray(0.00697, float),
            flow_exponent=jnp.asarray(1.194, float),
            nominal_flow=jnp.asarray(1.25 * LITRE_PER_MINUTE, float),
            nominal_pressure_drop=jnp.asarray(50.0e3, float),
            reference=reference,
        )

    def resistance(
        self, volume_flow: Float[Array, "..."], properties: CoolantProperties | None = None
    ) -> Float[Array, "..."]:
        """Case-to-inlet resistance [K/W] at volume flow [m3/s]; finite at zero flow, even in the flow's sign."""
        flow_part = self.flow_resistance
        if self.reference is not None and properties is not None:
            conductivity = self.reference.conductivity / properties.conductivity
            capacity = self.reference.volumetric_heat_capacity() / properties.volumetric_heat_capacity()
            flow_part = flow_part * conductivity ** (1.0 - self.flow_exponent) * capacity**self.flow_exponent
        squared = (volume_flow / LITRE_PER_MINUTE) ** 2 + (self.regularisation_flow / LITRE_PER_MINUTE) ** 2
        # a power by its logarithm: its derivative needs no second power
        return self.base_resistance + flow_part * jnp.exp(-0.5 * self.flow_exponent * jnp.log(squared))

    def flow_coefficient(self, properties: CoolantProperties | None = None) -> Float[Array, "..."]:
        """The coefficient C [Pa/(m3/s)^m] of dp = C V^m."""
        coefficient = self.nominal_pressure_drop / self.nominal_flow**self.pressure_exponent
        if self.reference is not None and properties is not None:
            density = properties.density / self.reference.density
            viscosity = properties.viscosity / self.reference.viscosity
            coefficient = (
                coefficient * density ** (self.pressure_exponent - 1.0) * viscosity ** (2.0 - self.pressure_exponent)
            )
        return coefficient

    def pressure_drop(
        self, volume_flow: Float[Array, "..."], properties: CoolantProperties | None = None
    ) -> Float[Array, "..."]:
        """Pressure drop [Pa] at volume flow [m3/s], odd in the flow's sign; linear below the regularisation's flow."""
        return self.flow_coefficient(properties) * signed_power(
            volume_flow, self.pressure_exponent, self.regularisation_flow
        )


def out_of_range(volume_flow: object, limits: tuple[float, float] = FITTED_RANGE) -> str | None:
    """Host check: a sentence naming the flow [m3/s] that leaves the range of the law, or None."""
    flows = np.abs(np.asarray(volume_flow, dtype=float))
    low, high = (limit / LITRE_PER_MINUTE for limit in limits)
    outside = [
        flow for flow in (flows.min() / LITRE_PER_MINUTE, flows.max() / LITRE_PER_MINUTE) if not low <= flow <= high
    ]
    if not outside:
        return None
    return (
        f"a cold plate carries {outside[0]:.3g} L/min; its resistance law is fitted from {low:.3g} to {high:.3g} "
        "L/min: change the tray's flow, or give a law for this plate at that flow"
    )
