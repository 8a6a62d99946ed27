"""The site in time: rest stays rest, heat is booked, steps do not matter, and what is lost and restored shows.

One compiled program serves all cases: the small site on its hot day, with chips at 10 K from their limit.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site import simulate, steady, transient, with_parameters
from voltherm.site.equipment import build_equipment
from voltherm.site.events import Course, Event
from voltherm.site.row_stores import plate_heat_capacity, row_heat_capacity

CLOSED = 1e-9
CHIPS = "chip junction limit"
REJECTION = (Event(0.0, "heat rejection"),)


@pytest.fixture(scope="module")
def run(site, state):
    def simulated(*events, duration=300.0, step=15.0, **given):
        return simulate(site, state, duration=duration, step=step, events=events, **given)

    return simulated


@pytest.fixture(scope="module")
def lost(run):
    return run(*REJECTION, duration=3300.0)


@pytest.fixture(scope="module")
def pumps(run):
    return run(Event(0.0, "facility pumps"))


def after(course, seconds):
    return int(np.searchsorted(course.time, seconds))


def test_rest_stays_rest_and_the_first_row_is_the_start(run, state, hot):
    figures = hot[2]
    course = run(duration=600.0)
    assert (course.time[0], course.time[-1]) == (0.0, 600.0)
    plant = state.buildings.facility.plant
    for values, start in (
        (course.facility_supply, plant.supply_temperature[0]),
        (course.tank, plant.supply_temperature[0]),
        (course.supply, figures["supply_temperature"]),
        (course.gpu_temperature, figures["gpu_temperature"]),
        (course.junction_margin, figures["junction_margin"]),
        (course.inlet_air, state.buildings.air.supply_temperature[0]),
    ):
        assert values[0] == pytest.approx(float(start), abs=1e-9)
        assert values == pytest.approx(float(start), abs=2e-6)
    assert course.it_power == pytest.approx(float(figures["it_power"]), rel=1e-7)
    assert course.facility_flow == pytest.approx(float(state.buildings.facility.mass_flow[0]), rel=1e-6)
    assert course.energy_residual < CLOSED
    assert (course.seconds_to_limit, course.first_limit, course.events) == (math.inf, "none", "")


def test_time_to_the_limit_does_not_depend_on_the_step(run, lost):
    others = [run(*REJECTION, duration=3300.0, step=step).seconds_to_limits for step in (5.0, 30.0)]
    assert lost.first_limit == "maker's limit of the supply"
    assert next(iter(lost.later_limits)) == CHIPS
    for limit in (lost.first_limit, CHIPS):
        assert [each[limit] for each in others] == pytest.approx([lost.seconds_to_limits[limit]] * 2, rel=2e-3)


def test_limit_is_reached_between_two_rows_and_the_margin_is_that_of_its_time(lost):
    reached = lost.seconds_to_limits[CHIPS]
    there = after(lost, reached)
    assert lost.junction_margin[there - 1] > 0.0 >= lost.junction_margin[there]
    assert reached == pytest.approx(float(np.interp(0.0, -lost.junction_margin, lost.time)), rel=1e-9)


def test_loss_of_rejection_warms_the_water_as_its_content_says(lost, state, site, hot):
    assert lost.energy_residual < CLOSED
    heat = float(jnp.sum(state.buildings.facility.plant.heat))
    fill = float(site.facility.volume) * 992.0 * 4179.0
    assert lost.seconds_per_kelvin == pytest.approx(fill / heat, rel=0.05)
    # published for such a building: 1 K in 139 to 202 s, of a fill of 5,000 m3 behind 704 racks of 132 kW
    power = float(hot[2]["it_power"]) / (site.building.racks * 132e3)
    fill = float(site.facility.volume) / site.building.racks / (5000.0 / 704.0)
    assert 139.0 < lost.seconds_per_kelvin * power / fill < 202.0


def test_valves_hold_the_chips_until_they_are_open_then_margin_falls_with_the_water(lost):
    assert np.all(np.diff(lost.tank) > 0.0)
    arrived = int(np.argmax(lost.facility_supply > lost.facility_supply[0] + 0.1))
    saturated = int(np.argmax(lost.junction_margin < lost.junction_margin[0] - 0.5))
    assert 5 < arrived < saturated - 5
    # until chips throttle, and their plates cool
    until = slice(saturated + 10, after(lost, lost.seconds_to_throttling))
    warmed = np.diff(lost.facility_supply[until])
    assert len(warmed) > 20
    assert np.all(warmed > 0.0)
    assert np.diff(lost.junction_margin[until]) == pytest.approx(-1.05 * warmed, rel=0.2)


def test_facility_pumps_lost_leave_the_chips_as_long_as_their_row_stores_the_heat(pumps, site, state):
    assert pumps.energy_residual < CLOSED
    assert np.all(np.isfinite(pumps.facility_return))
    flow = pumps.facility_flow / pumps.facility_flow[0]
    assert flow[after(pumps, 20.0)] < 0.03
    assert flow[after(pumps, 60.0)] < 1e-4
    # a row of two racks: its heat over its heat capacity, and how far its coolant may warm
    rows = state.buildings.rows
    heat = float(jnp.mean(rows.cdu_heat))
    rate = heat / float(row_heat_capacity(site, build_equipment(site).coolant))
    late = slice(after(pumps, 25.0), after(pumps, 45.0))
    supply = np.polyfit(pumps.time[late], pumps.supply[late], 1)[0]
    assert supply == pytest.approx(rate, rel=0.15)
    limit = float(site.limits.supply_maximum)
    assert pumps.seconds_to_limits["maker's limit of the supply"] == pytest.approx(
        float(np.interp(limit, pumps.supply, pumps.time)), abs=0.1
    )
    assert pumps.seconds_to_limits[CHIPS] == pytest.approx(pumps.junction_margin[0] / rate, rel=0.2)


def test_pumps_that_stop_at_once_leave_less_time(site, state, pumps):
    sudden = with_parameters(site, {"ride_through.facility_pump_coast_down": 0.0})
    course = simulate(sudden, state, duration=300.0, step=15.0, events=(Event(0.0, "facility pumps"),))
    assert course.energy_residual < CLOSED
    assert course.facility_flow[0] < 1e-3
    assert 2.0 < pumps.seconds_to_limits[CHIPS] - course.seconds_to_limits[CHIPS] < 8.0


def test_cdu_pumps_lost_leave_the_chips_to_their_plates(run, site, state):
    # chips that nothing holds, so that leakage is seen
    limits = ("power_limit", "throttle_above_limit", "shutdown_above_limit")
    free = with_parameters(
        site, {f"rack.{kind}.{name}": math.inf for kind in ("gpu", "cpu", "switch") for name in limits}
    )
    course = simulate(free, state, duration=60.0, step=15.0, events=(Event(0.0, "CDU pumps"),))
    assert course.energy_residual < CLOSED
    assert course.row_flow[after(course, 15.0)] < 1e-3 * course.row_flow[0]
    assert 2.0 < course.seconds_to_limit < 10.0
    # without flow a plate warms by the power of its chip alone
    late = slice(after(course, 9.0), after(course, 12.0))
    chip = float(site.rack.gpu.power * (1.0 + site.rack.gpu.power_spread))
    assert np.polyfit(course.time[late], course.gpu_temperature[late], 1)[0] == pytest.approx(
        1.15 * chip / float(site.rack.gpu.heat_capacity), rel=0.2
    )
    assert "runs away" in course.ended
    assert np.all(np.isfinite(course.gpu_temperature))


def test_chips_without_coolant_throttle_and_the_course_ends_where_they_switch_off(run, site):
    course = run(Event(0.0, "CDU pumps"), duration=60.0)
    gpu = site.rack.gpu
    assert course.energy_residual < CLOSED
    assert course.first_limit == "chip junction limit"
    assert course.seconds_to_limit <= course.seconds_to_throttling < course.time[-1] < 60.0
    assert "switch themselves off" in course.ended
    # a chip that throttles holds its temperature by doing less
    throttles = (course.time > course.seconds_to_throttling) & (course.work > 0.3)
    assert np.sum(throttles) > 3
    assert course.gpu_temperature[throttles] == pytest.approx(
        float(gpu.junction_limit + gpu.throttle_above_limit), abs=0.2
    )
    assert np.all(np.diff(course.work[throttles]) < 0.0)


def test_what_is_restored_comes_back_to_the_steady_state(run, hot):
    course = run(Event(0.0, "facility pumps"), Event(15.0, "facility pumps", True, 10.0), duration=600.0)
    assert course.energy_residual < CLOSED
    assert np.min(course.junction_margin) > 0.0
    assert course.junction_margin[0] - np.min(course.junction_margin) > 1.0
    for values, name in ((course.gpu_temperature, "gpu_temperature"), (course.supply, "supply_temperature")):
        assert values[-1] == pytest.approx(float(hot[2][name]), abs=0.02)


def test_ups_lost_stops_racks_and_cdus_and_they_come_back(run, hot):
    course = run(Event(0.0, "UPS"), Event(60.0, "UPS", True), duration=600.0)
    assert course.energy_residual < CLOSED
    off = (course.time < 60.0) & (course.time > 20.0)
    assert course.it_power[off] == pytest.approx(0.0, abs=1e-6)
    assert np.max(course.gpu_temperature[off]) < float(hot[2]["gpu_temperature"]) - 15.0
    assert course.it_power[-1] == pytest.approx(float(hot[2]["it_power"]), rel=1e-3)
    assert course.gpu_temperature[-1] == pytest.approx(float(hot[2]["gpu_temperature"]), abs=0.1)


def test_air_handlers_lost_end_at_the_inlet_limit_by_the_room_alone(run, site, state):
    course = run(Event(0.0, "air handlers"))
    heat = float(state.buildings.air.heat[0])
    room = site.building.racks * float(site.air.room_heat_capacity)
    expected = room * float(site.air.inlet_limit - state.buildings.air.supply_temperature[0]) / heat
    assert course.first_limit == "rack inlet air limit"
    # warmer racks give the air a little more
    assert course.seconds_to_limit == pytest.approx(expected, rel=0.02)
    assert np.all(course.handler_share == 0.0)


def test_chillers_lost_warm_the_room_by_way_of_the_chilled_water(run):
    course = run(Event(0.0, "chillers"), duration=900.0)
    assert course.energy_residual < CLOSED
    assert course.first_limit == "rack inlet air limit"
    assert course.inlet_air[after(course, 60.0)] == pytest.approx(course.inlet_air[0], abs=0.1)
    assert 200.0 < course.seconds_to_limit < 900.0


def test_utility_lost_and_back_behind_a_generator(run):
    course = run(Event(0.0, "utility power"), Event(15.0, "utility power", True))
    assert course.energy_residual < CLOSED
    assert course.events == "utility power lost at 0 s; utility power restored at 15 s"
    assert course.seconds_to_limit == math.inf
    assert np.min(course.junction_margin) < 0.6 * course.junction_margin[0]
    assert course.facility_flow[after(course, 10.0)] < 0.3 * course.facility_flow[-1]


def test_load_follows_its_course(run, hot):
    course = run(duration=600.0, load=Course((0.0, 60.0, 120.0), (1.0, 1.0, 0.0)))
    assert course.energy_residual < CLOSED
    busy, idle = float(hot[2]["it_power"]), course.it_power[-1]
    assert course.it_power[after(course, 50.0)] == pytest.approx(busy, rel=1e-6)
    # idle power is what is left, with the little that cool chips leak
    assert 0.15 * busy < idle < 0.3 * busy
    assert course.gpu_temperature[-1] < course.gpu_temperature[0] - 20.0
    assert course.load_factor[after(course, 90.0)] == pytest.approx(0.5, abs=0.05)


def test_a_colder_day_takes_the_chips_along(run):
    course = run(duration=600.0, dry_bulb=Course((0.0, 600.0), (316.15, 300.0)))
    assert course.energy_residual < CLOSED
    assert course.gpu_temperature == pytest.approx(course.gpu_temperature[0], abs=0.05)


def test_steps_longer_than_the_pipes_hold_and_events_behind_the_end_are_refused(run):
    with pytest.raises(transient.StepTooLongError, match="longer than water stays in the facility pipes; take at most"):
        run(step=3600.0)
    with pytest.raises(ValueError, match="'fans lost at 400 s' lies behind the 300 s simulated"):
        run(Event(400.0, "fans"))


def test_events_are_values_and_not_another_program(run, monkeypatch, lost):
    traced = []
    advance = transient.advance
    monkeypatch.setattr(transient, "advance", lambda *given: traced.append(None) or advance(*given))
    for events in ((Event(3.0, "fans"), Event(7.0, "fans", True)), (Event(11.0, "UPS"), Event(90.0, "UPS", True, 5.0))):
        run(*events, duration=120.0, step=20.0)
    assert not traced


def test_all_chips_of_a_rack_are_a_part_of_its_metal(site):
    assert float(plate_heat_capacity(site)) < 0.5 * float(site.rack.heat_capacity)


def test_single_precision_is_refused(site, state):
    def single(leaf):
        return leaf.astype(jnp.float32) if getattr(leaf, "dtype", None) == jnp.float64 else leaf

    with pytest.raises(ValueError, match=r"double precision: say jax.config.update\('jax_enable_x64', True\)"):
        simulate(*jax.tree.map(single, (site, state)), events=REJECTION)
    with pytest.raises(ValueError, match=r"double precision: say jax.config.update\('jax_enable_x64', True\)"):
        jax.eval_shape(steady, jax.tree.map(single, site))
