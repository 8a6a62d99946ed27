r"""Cold plate: resistance from its base to the entering coolant, and pressure drop, against flow.

    R(V) = M(x) / C,    x = 1/2 + C (R_0 + R_1 w^-p),    C = rho c |V|,    w = |V| / V_1
    M(x) = (x + 1 + sqrt((x - 1)^2 + d^2)) / 2  >=  max(x, 1)
    dp(V) = dp_N (V / V_N)^m

| symbol   | meaning                                                                        | unit   |
|----------|--------------------------------------------------------------------------------|--------|
| R        | thermal resistance, case to coolant inlet                                      | K/W    |
| R_0      | conduction in the plate                                                        | K/W    |
| R_1, p   | convection to the test's coolant at the flow V_1, and the power of flow by which it falls | K/W, - |
| C        | heat capacity rate of the coolant                                              | W/K    |
| M        | smooth maximum: of what the laws ask for and the second law's least            | -      |
| V        | volume flow through the plate, either direction                                | m3/s   |
| V_1      | 1 L/min, the flow of R_1                                                       | m3/s   |
| d        | width of the smooth maximum, 0.14                                              | -      |
| dp_N, V_N, m | nominal drop at the nominal flow, and its exponent                         | Pa, m3/s, - |

Under an even heat flux the base is on average warmer than the entering coolant by convection, conduction and half of
what the coolant warms, 1 / (2 C): so the published curves are (R - 1 / (2 C) is the same within 1.5 % from 0.8 to 2.4
L/min, and within 0.3 % for water). At little flow the base evens itself out, and no coolant leaves warmer than a plate
of one temperature: **R is never below 1 / C**. In between M leads from one to the other. Flows below 0.001 L/min count
as a little more than they are, so that R stays finite and smooth at rest.

Laminar channels give h ~ k (V rho c / k)^p: p = 0 where the profile is developed, 1/3 in a thermal entry (Graetz).
With the properties of a coolant other than that of the test (`reference`), what follows the flow is therefore

    R_1 -> R_1 (k_ref / k)^(1 - p) ((rho c)_ref / (rho c))^p
    dp_N -> dp_N (rho / rho_ref)^(m - 1) (mu / mu_ref)^(2 - m)

so that a better conductor is a better coolant; viscosity enters the drop alone, by the friction law of its exponent.

Source: curves of the Open Compute Project's OAI system liquid cooling guidelines (2023) for a 1 kW accelerator, figure
7 (PG25, 0.4 to 2.4 L/min) and figure 8 (water, 2 to 5 L/min), as records of the Modelica Buildings library hold them:
R_0 = 0.0028 K/W, R_1 = 0.0139 K/W, p = 0 hold the first within 1.6 % and the
second within 0.6 %. About 50 kPa at 10 L/min over 8 plates, m = 1.85.
Convection: R. K. Shah and A. L. London, Laminar Flow Forced Convection in Ducts (1978), chapters V and VI. The
guideline does not state the test's coolant temperature; 40 degC is assumed. Measured plates differ by 10 to 20 %.
Range: laminar channels, p up to 0.5; see `out_of_range` for the flow.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.media import propylene_glycol_from_volume_fraction
from voltherm.numerics import signed_power
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.coolant_properties import CoolantProperties

LITRE_PER_MINUTE = 1.0e-3 / 60.0
"""1 L/min in m3/s."""
FITTED_RANGE = (0.4 * LITRE_PER_MINUTE, 5.0 * LITRE_PER_MINUTE)
"""Volume flows [m3/s] of the published tables."""
REGULARISATION_FLOW = 0.01 * LITRE_PER_MINUTE
"""Flow [m3/s] below which the drop is linear."""
PRESSURE_EXPONENT = 1.85

TEST_TEMPERATURE = 313.15
"""Temperature [K] assumed for the coolant of a published test that states none."""
REST_FLOW = 0.001 * LITRE_PER_MINUTE
"""Flow [m3/s] below which a plate counts as at rest."""
_FLOOR_WIDTH = 0.14


class ColdPlate(eqx.Module):
    """Cold plates of one kind; every number is a scalar or has the shape of the flows.

    `base_resistance`, and `flow_resistance` at the nominal flow [K/W]; `flow_exponent` [-]; `nominal_flow` [m3/s] and
    `nominal_pressure_drop` [Pa] at it; `regularisation_flow` [m3/s].
    `reference` holds the coolant's properties in the test that gave the law. `pressure_exponent` is static: plates fed
    side by side share one, so that the split of flow is in closed form.
    """

    base_resistance: Float[Array, "..."] | float = eqx.field(metadata=bounded("K/W", least=0.0))
    flow_resistance: Float[Array, "..."] | float = eqx.field(metadata=bounded("K/W", least=0.0))
    flow_exponent: Float[Array, "..."] | float = eqx.field(metadata=bounded("", least=0.0, below=1.0))
    nominal_flow: Float[Array, "..."] | float = eqx.field(metadata=bounded("m3/s", above=0.0))
    nominal_pressure_drop: Float[Array, "..."] | float = eqx.field(metadata=bounded("Pa", above=0.0))
    reference: CoolantProperties
    pressure_exponent: float = eqx.field(static=True, default=PRESSURE_EXPONENT)
    regularisation_flow: float = eqx.field(static=True, default=REGULARISATION_FLOW)

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def published(cls) -> "ColdPlate":
        """The plate of the module's source, tested with PG25, in JAX's default precision."""
        glycol = propylene_glycol_from_volume_fraction(jnp.asarray(0.25, float))
        return cls(
            base_resistance=jnp.asarray(0.0028, float),
            flow_resistance=jnp.asarray(0.0139, float),
            flow_exponent=jnp.asarray(0.0, float),
            nominal_flow=jnp.asarray(1.25 * LITRE_PER_MINUTE, float),
            nominal_pressure_drop=jnp.asarray(50.0e3, float),
            reference=CoolantProperties.of(glycol, jnp.asarray(TEST_TEMPERATURE, float)),
        )

    def resistance(
        self, volume_flow: Float[Array, "..."], properties: CoolantProperties | None = None
    ) -> Float[Array, "..."]:
        """Case-to-inlet resistance [K/W] at volume flow [m3/s]; finite at zero flow, even in the flow's sign.

        **Arguments**: `properties`: of the coolant that flows, by default those of the test.
        """
        coolant = self.reference if properties is None else properties
        conductivity = self.reference.conductivity / coolant.conductivity
        capacity = self.reference.volumetric_heat_capacity() / coolant.volumetric_heat_capacity()
        size = jnp.abs(volume_flow)
        flow = jnp.where(size < REST_FLOW, 0.5 * (size**2 / REST_FLOW + REST_FLOW), size)
        # powers by their logarithms: their derivatives need no second power
        share = jnp.log(conductivity) + self.flow_exponent * (
            jnp.log(capacity) - jnp.log(conductivity) - jnp.log(flow / LITRE_PER_MINUTE)
        )
        rate = coolant.volumetric_heat_capacity() * flow
        asked = 0.5 + rate * (self.base_resistance + self.flow_resistance * jnp.exp(share))
        return 0.5 * (asked + 1.0 + jnp.sqrt((asked - 1.0) ** 2 + _FLOOR_WIDTH**2)) / rate

    def flow_coefficient(self, properties: CoolantProperties | None = None) -> Float[Array, "..."] | float:
        """The coefficient C [Pa/(m3/s)^m] of dp = C V^m."""
        coefficient = self.nominal_pressure_drop / self.nominal_flow**self.pressure_exponent
        if properties is not None:
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
