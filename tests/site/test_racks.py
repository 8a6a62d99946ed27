"""Racks of the shipped building: nameplate held by less work, idle power, plates that know their coolant."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import BUILDING
from voltherm.formats import configuration
from voltherm.formats.errors import ConfigurationError
from voltherm.site import Site, with_parameters
from voltherm.site.electrical import rack_supply
from voltherm.site.fluids import liquid_named
from voltherm.site.racks import solve_racks
from voltherm.site.secondary_loop import solve_row
from voltherm.site.states import RackStates

ZERO = 273.15
TRAY = 8.0 / 60_000.0
"""Flow of a tray [m3/s]."""


@jax.jit
def _racks(site: Site, supply: jax.Array) -> RackStates:
    """One rack at each supply temperature [K], 8 L/min a tray."""
    coolant = liquid_named(site.secondary.fluid)
    trays = site.rack.compute_trays + site.rack.switch_trays
    flow = jnp.broadcast_to((TRAY * coolant.density(supply))[:, None, None], (*supply.shape, 1, trays))
    return solve_racks(site, rack_supply(site), coolant, supply, flow, site.rack.load_factor)


def racks(site: Site, *supply: float) -> RackStates:
    return jax.tree.map(np.asarray, _racks(site, jnp.asarray(supply) + ZERO))


def with_coolant(site: Site, name: str) -> Site:
    return dataclasses.replace(site, secondary=dataclasses.replace(site.secondary, fluid=name))


@pytest.fixture(scope="module")
def over_supply(site: Site) -> RackStates:
    return racks(site, 20.0, 40.0, 55.0, 65.0, 77.0, 95.0)


def test_a_rack_never_draws_more_than_its_nameplate(over_supply: RackStates):
    liquid = over_supply.liquid_heat[:, 0]
    assert np.all(liquid < 115.0e3)
    assert np.all(np.diff(liquid[2:]) < 0.0)
    assert liquid[5] == 0.0


def test_warm_supply_costs_work_and_not_power(over_supply: RackStates):
    work = over_supply.work[:, 0]
    assert np.all(np.diff(work[:-1]) < 0.0)
    assert 0.95 < work[1] < 1.0
    assert 0.0 < work[3] < 0.6
    assert work[4:].tolist() == [0.0, 0.0]


def test_hot_chips_hold_their_limit_and_margins_go_on_falling(site: Site, over_supply: RackStates):
    hottest, free = (
        values.max(axis=(1, 2, 3)) for values in (over_supply.gpu_temperature, over_supply.gpu_unthrottled_temperature)
    )
    limit = float(site.rack.gpu.junction_limit)
    assert np.array_equal(hottest[:2], free[:2])
    assert hottest[2:4] == pytest.approx(limit, abs=1e-9)
    assert limit < hottest[4] < limit + 5.0
    assert np.diff(free[1:]) == pytest.approx(np.diff([40.0, 55.0, 65.0, 77.0, 95.0]), rel=0.03)
    chips = 18 * 6 + 9 * 2
    assert over_supply.throttled_chips[:2].sum() == 0.0
    assert np.all(over_supply.throttled_chips <= chips)
    assert over_supply.off_chips[:, 0].tolist()[:4] == [0.0] * 4
    # at 95 degC every GPU and CPU is off; a switch chip may be 110 degC warm and idles on
    assert over_supply.off_chips[5, 0] >= 18 * 6


def test_idle_power_of_a_rack(site: Site):
    full, tenth = (
        racks(with_parameters(site, {"rack.load_factor": load}), 30.0).electrical_power[0, 0] for load in (1.0, 0.1)
    )
    # 30 % of what its chips draw and nothing of its air-cooled parts, and a tenth of the rest: 33.5 %, less what cool
    # chips leak less, some 60 % of 12 %
    assert 0.335 - 0.6 * 0.12 * 115.0 / 132.0 < tenth / full < 0.335


def test_another_coolant_changes_plates_and_their_drop(site: Site):
    water = with_coolant(site, "water")
    glycol_state, water_state = racks(site, 40.0), racks(water, 40.0)
    cooler = glycol_state.gpu_temperature - water_state.gpu_temperature
    # 19 to 22 % of the plate's 0.021 K/W at 1,200 W is 4 to 5 K
    assert np.all((cooler > 3.5) & (cooler < 5.5))
    thick = racks(with_coolant(site, "propylene glycol 50 %vol"), 40.0)
    assert np.all(thick.gpu_temperature > glycol_state.gpu_temperature + 1.0)

    @jax.jit
    def volume_flow(there: Site) -> jax.Array:
        coolant = liquid_named(there.secondary.fluid)
        flow, _ = solve_row(there, coolant, jnp.asarray(313.15), jnp.asarray(323.15))
        return flow.mass_flow / coolant.density(jnp.asarray(318.15))

    # at the same differential pressure: the plates' drop falls by an eighth, of which the flow gains a root's share
    assert 1.01 < volume_flow(water) / volume_flow(site) < 1.08


def test_a_plate_tested_with_water_is_converted_to_the_loop(site: Site):
    tested = dataclasses.replace(
        site, rack=dataclasses.replace(site.rack, gpu=dataclasses.replace(site.rack.gpu, plate_coolant="water"))
    )
    assert np.all(racks(tested, 40.0).gpu_temperature > racks(site, 40.0).gpu_temperature + 2.0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rack.gpu.plate_coolant=brine", "brine"),
        ("rack.cpu.plate_flow_exponent=1.194", "plate_flow_exponent"),
        ("rack.gpu.shutdown_above_limit=0 K", "throttle_above_limit"),
        ("rack.gpu.idle_power=120 %", "idle_power"),
    ],
)
def test_what_no_plate_or_chip_has_is_refused_by_name(override: str, message: str):
    with pytest.raises(ConfigurationError, match=message):
        configuration(BUILDING, (override,))
