"""One small site for all tests of this folder: the shipped building cut down to 2 halls x 2 rows x 2 racks.

It keeps what the shipped building no longer has: water outdoors, and pumps that are larger than their duty. Its
equipment is scaled with its heat, so that the hot day needs trim chilling and holds every set point. A compilation of
the coupled site takes the same time whatever the building's size: the compiled functions below are made once, and their
results are shared.
"""

from pathlib import Path

import equinox as eqx
import jax
import pytest

from voltherm.formats import configuration
from voltherm.numerics import Solution
from voltherm.site import Site, build, outputs, steady, with_parameters
from voltherm.site.states import SiteState

BUILDING = Path(__file__).resolve().parents[2] / "configs" / "campus" / "abilene_building.yaml"
OVERRIDES = (
    "building.halls=2",
    "building.rows_per_hall=2",
    "building.racks_per_row=2",
    "secondary.header_diameter=70 mm",
    "secondary.pump_shutoff_pressure=780 kPa",
    "secondary.pump_nominal_flow=5.73 kg/s",
    "secondary.pump_nominal_pressure=700 kPa",
    "secondary.cdu_volume=40 L",
    "cdu.rated_heat=364 kW",
    "cdu.secondary_flow=5.73 kg/s",
    "cdu.facility_flow=5.87 kg/s",
    "cdu.electronics=0.3 kW",
    "facility.fluid=water",
    "facility.volume=57 m3",
    "facility.main_diameter=100 mm",
    "facility.header_diameter=100 mm",
    "facility.branch_diameter=70 mm",
    "facility.control_valve=45 m3/h",
    "facility.balancing_valve=73 m3/h",
    "facility.pumps=2",
    "facility.pump_shutoff_pressure=620 kPa",
    "facility.pump_nominal_flow=20 kg/s",
    "facility.pump_nominal_pressure=520 kPa",
    "facility.reset_opening=10 %",
    "dry_coolers.count=2",
    "dry_coolers.rated_heat=800 kW",
    "dry_coolers.rated_fan_power=32 kW",
    "chillers.count=4",
    "chillers.capacity=270 kW",
    "air.handlers=2",
    "air.coil_rated_heat=98 kW",
    "air.coil_rated_air_flow=4.1 m3/s",
    "air.coil_rated_water_flow=2.6 kg/s",
    "air.dry_coolers=1",
    "air.chillers=1",
    "electrical.intake_short_circuit=60 MVA",
    "electrical.base_power=1 MVA",
    "electrical.feeders=2",
    "electrical.mechanical_substations=2",
    "electrical.main_transformer.rating=1.4 MVA",
    "electrical.main_transformer.no_load_loss=0.7 kW",
    "electrical.unit_substation.rating=455 kVA",
    "electrical.unit_substation.vkr=0.9 %",
    "electrical.unit_substation.no_load_loss=0.7 kW",
    "electrical.mechanical_substation.rating=260 kVA",
    "electrical.mechanical_substation.vkr=0.8 %",
    "electrical.mechanical_substation.no_load_loss=0.4 kW",
    "electrical.ups.rating=400 kVA",
    "electrical.house_load=4.5 kW",
)
COOL = {"climate.dry_bulb": 298.15}
RESET = {**COOL, "facility.reset_opening": 0.9}
"""At 25 °C, with the differential pressure reset to what the most open valve needs."""
WEAK = {"chillers.count": 2.0}
"""On the hot day two chillers less float every supply above its set point."""

traces: list[str] = []
"""One entry for every time the shared function is traced."""


@eqx.filter_jit
def solve(site: Site) -> tuple[Solution, dict[str, jax.Array]]:
    """Steady state and figures."""
    traces.append(site.name)
    solution = steady(site)
    return solution, outputs(site, solution.value)


@pytest.fixture(scope="session")
def site() -> Site:
    """The small site on the hot day."""
    return build(configuration(BUILDING, OVERRIDES)[0])


@pytest.fixture(scope="session")
def cool(site: Site) -> tuple[Site, Solution, dict[str, jax.Array]]:
    """At 25 °C, where everything is held without chillers."""
    there = with_parameters(site, COOL)
    return there, *solve(there)


@pytest.fixture(scope="session")
def reset(site: Site) -> tuple[Site, Solution, dict[str, jax.Array]]:
    """At 25 °C, with as little differential pressure as the CDU valves need."""
    there = with_parameters(site, RESET)
    return there, *solve(there)


@pytest.fixture(scope="session")
def hot(site: Site) -> tuple[Site, Solution, dict[str, jax.Array]]:
    """At 43 °C, where fans and trim chillers share the work and hold the set point."""
    return site, *solve(site)


@pytest.fixture(scope="session")
def weak(site: Site) -> tuple[Site, Solution, dict[str, jax.Array]]:
    """At 43 °C with heat rejection exhausted: valves open, fans and chillers full, supply floating."""
    there = with_parameters(site, WEAK)
    return there, *solve(there)


@pytest.fixture(scope="session")
def state(hot: tuple[Site, Solution, dict[str, jax.Array]]) -> SiteState:
    """The solved state of the hot day."""
    return hot[1].value
