"""Facility indicators: ratios of energies, water and emissions over a stated period.

```
PUE = E_facility / E_it                     ISO/IEC 30134-2
WUE = V_water / E_it                        ISO/IEC 30134-9
CUE = (E_grid · c) / E_it                   ISO/IEC 30134-8
ERF = E_reused / E_facility                 ISO/IEC 30134-6
ERE = (E_facility − E_reused) / E_it = (1 − ERF) · PUE      The Green Grid, White Paper 29 (2010)
```

| symbol     | meaning                                                            | unit     |
| ---        | ---                                                                | ---      |
| E_facility | energy through the facility's boundary, E_it included              | J        |
| E_it       | energy of the IT equipment at the meter the category names         | J        |
| E_reused   | energy handed to a use outside the facility                        | J        |
| E_grid     | energy bought from the grid                                        | J        |
| V_water    | water used                                                         | m³       |
| c          | carbon dioxide per unit of grid energy                             | kg/J     |

Powers may stand in place of energies: the result is then an interim value, not the yearly indicator of the standards.
The same plant has three PUEs, one for each place where E_it is metered, hence `Category` in every result.
Valid for E_it > 0; an indicator of a facility without IT load is infinite or NaN and means nothing.
"""

import enum

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

Number = Float[Array, "..."] | Float[np.ndarray, "..."] | float
"""One total, or an array of totals: of months, of designs."""

LATENT_HEAT = 2.430e6
"""Latent heat of evaporation of water near 30 C [J/kg] (ASHRAE Fundamentals 2021, chapter 1)."""

_JOULES_PER_KILOWATT_HOUR = 3.6e6
_LITRES_PER_CUBIC_METRE = 1.0e3


class Category(enum.IntEnum):
    """Where the energy of the IT equipment is metered (ISO/IEC 30134-2)."""

    UPS_OUTPUT = 1
    PDU_OUTPUT = 2
    IT_INPUT = 3


class PowerUsageEffectiveness(eqx.Module):
    """PUE with what it is worth nothing without: category, period and boundary."""

    value: Number
    category: Category = eqx.field(static=True)
    interim: bool = eqx.field(static=True)
    boundary: str = eqx.field(static=True)

    def label(self) -> str:
        """`PUE category 3 (IT input), interim, boundary: …`."""
        meter = self.category.name.replace("_", " ").lower().replace("ups", "UPS").replace("pdu", "PDU")
        meter = meter.replace("it input", "IT input")
        period = "interim" if self.interim else "annual"
        return f"PUE category {int(self.category)} ({meter}), {period}, boundary: {self.boundary}"


def power_usage_effectiveness(
    facility_energy: Number,
    it_energy: Number,
    *,
    category: Category,
    interim: bool,
    boundary: str,
) -> PowerUsageEffectiveness:
    """PUE [1] of one period; `boundary` says in words what the facility's energy includes."""
    return PowerUsageEffectiveness(facility_energy / it_energy, category, interim, boundary)


def water_usage_effectiveness(water_volume: Number, it_energy: Number) -> Number:
    """WUE [L/kWh] from water [m³] and IT energy [J] of the same period."""
    return water_volume * _LITRES_PER_CUBIC_METRE / (it_energy / _JOULES_PER_KILOWATT_HOUR)


def carbon_usage_effectiveness(
    grid_energy: Number,
    it_energy: Number,
    emission_factor: Number,
) -> Number:
    """CUE [kg/kWh] from grid and IT energy [J] and the grid's emission factor [kg/kWh]."""
    return grid_energy * emission_factor / it_energy


def energy_reuse_factor(reused_energy: Number, facility_energy: Number) -> Number:
    """ERF [1], between 0 and 1."""
    return reused_energy / facility_energy


def energy_reuse_effectiveness(
    facility_energy: Number,
    reused_energy: Number,
    it_energy: Number,
) -> Number:
    """ERE [1]; may lie below 1 where heat is reused."""
    return (facility_energy - reused_energy) / it_energy


def evaporation_bound() -> float:
    """Most water that rejecting heat by evaporation alone can use [L per kWh of heat], blowdown and drift apart."""
    return _JOULES_PER_KILOWATT_HOUR / LATENT_HEAT


def broken_bounds(
    facility_energy: float,
    it_energy: float,
    *,
    reused_energy: float = 0.0,
    evaporated_mass: float = 0.0,
    rejected_heat: float = 0.0,
) -> list[str]:
    """Sentences for the physical bounds that a period's totals break; empty where all hold.

    Energies and heat in J, mass in kg. A facility that uses no more than its IT load, reuses more than it takes in or
    evaporates more water than its heat can is a mistake in a model or a meter, never a result.
    """
    broken = []
    if not facility_energy > it_energy:
        broken.append("the facility takes in no more energy than its IT equipment (PUE must be above 1)")
    if not 0.0 <= reused_energy <= facility_energy:
        broken.append("reused energy lies outside 0 to the facility's energy (ERF must be between 0 and 1)")
    if not evaporated_mass * LATENT_HEAT <= rejected_heat * (1.0 + 1.0e-9):
        broken.append(f"more than {evaporation_bound():.2f} L of water evaporated per kWh of heat rejected")
    return broken
