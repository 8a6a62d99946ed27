import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.thermal.checks import check_gradient
from tests.thermal.rack_case import liquid, rack, tray_mass_flow
from voltherm.numerics import ResultCode
from voltherm.thermal import RackModel, steady

SUPPLY = jnp.asarray(313.15)
run = jax.jit(steady)


def test_reference_rack():
    model = rack()
    solution = run(model, SUPPLY, tray_mass_flow(model), liquid())
    assert solution.status.converged
    assert solution.status.residual == 0.0
    state = solution.value
    assert state.junction_temperature["gpu"].shape == (18, 4)
    assert state.junction_temperature["switch"].shape == (9, 2)
    assert state.liquid_heat == pytest.approx(115.0e3, rel=0.02)
    assert state.air_heat == pytest.approx(17.0e3)
    assert state.return_temperature - SUPPLY == pytest.approx(10.0, abs=0.3)
    assert state.minimum_margin == min(float(jnp.min(margin)) for margin in state.margin.values())


def test_balances_close_to_round_off():
    model = eqx.tree_at(lambda rack: rack.liquid_capture, rack(), jnp.asarray(0.93))
    flow, coolant = tray_mass_flow(model), liquid()
    state = run(model, SUPPLY, flow, coolant, load_factor=0.7).value
    assert state.electrical_power == pytest.approx(float(state.liquid_heat + state.air_heat), rel=1e-15)
    chips = sum(float(jnp.sum(power)) for power in state.device_power.values())
    assert state.liquid_heat == pytest.approx(0.93 * chips, rel=1e-14)
    carried = flow * (coolant.specific_enthalpy(state.outlet_temperature) - coolant.specific_enthalpy(SUPPLY))
    assert jnp.max(jnp.abs(carried / state.heat_to_liquid - 1.0)) < 1e-11
    mixed = jnp.sum(flow) * (coolant.specific_enthalpy(state.return_temperature) - coolant.specific_enthalpy(SUPPLY))
    assert mixed == pytest.approx(float(state.liquid_heat), rel=1e-11)


def test_junction_is_case_plus_package_drop():
    model = rack(2, 1)
    state = run(model, SUPPLY, tray_mass_flow(model), liquid()).value
    drop = state.junction_temperature["gpu"] - state.case_temperature["gpu"]
    assert jnp.max(jnp.abs(drop - 0.004 * state.device_power["gpu"])) < 1e-10


def test_numbers_of_single_chips_and_trays():
    power = jnp.full((2, 4), 1000.0).at[1, 2].set(1200.0)
    model = eqx.tree_at(lambda rack: rack.trays[0].devices[0].power.dynamic_power, rack(2, 1), power)
    flow = tray_mass_flow(model).at[0].multiply(0.8)
    gpu = run(model, SUPPLY, flow, liquid()).value.junction_temperature["gpu"]
    assert jnp.argmax(gpu[1]) == 2
    assert jnp.all(gpu[0, :2] > gpu[1, :2])


def test_closed_valve_of_one_tray():
    model = rack(3, 1)
    flow = tray_mass_flow(model).at[1].set(0.0)
    solution = run(model, SUPPLY, flow, liquid())
    assert solution.status.result == ResultCode.LIMIT
    assert solution.status.worst == 1
    assert jnp.isnan(solution.status.residual)
    state = solution.value
    assert jnp.isnan(state.outlet_temperature).tolist() == [False, True, False, False]
    assert jnp.all(jnp.isnan(state.junction_temperature["gpu"][1]))
    assert jnp.all(jnp.isfinite(state.junction_temperature["gpu"][0]))
    assert jnp.isnan(state.electrical_power)
    gradient = jax.jit(jax.grad(lambda flow: steady(model, SUPPLY, flow, liquid()).value.electrical_power))(flow)
    assert jnp.all(gradient == 0.0)


def test_no_load_at_rest_stays_at_supply():
    model = rack(2, 1)
    groups = [group for tray in model.trays for group in tray.devices]
    still = eqx.tree_at(
        lambda rack: [group.power.leakage_power for tray in rack.trays for group in tray.devices],
        model,
        [jnp.zeros_like(group.power.leakage_power) for group in groups],
    )
    solution = run(still, SUPPLY, jnp.zeros((3,)), liquid(), load_factor=0.0)
    assert solution.status.converged
    assert solution.value.return_temperature == pytest.approx(float(SUPPLY), abs=1e-12)


def test_coolant_at_rest_with_heat_names_its_tray():
    model = eqx.tree_at(
        lambda rack: [group.power.leakage_power for tray in rack.trays for group in tray.devices],
        rack(3, 1),
        [jnp.zeros(()) for tray in rack(3, 1).trays for _ in tray.devices],
    )
    status = run(model, SUPPLY, tray_mass_flow(model).at[2].set(0.0), liquid()).status
    assert status.result == ResultCode.NOT_FINITE
    assert status.worst == 2


def test_plain_numbers_are_accepted():
    model = rack(2, 1)
    flow = tray_mass_flow(model)
    plain = steady(model, float(SUPPLY), np.asarray(flow), liquid())
    arrays = run(model, SUPPLY, flow, liquid())
    assert plain.value.return_temperature == pytest.approx(float(arrays.value.return_temperature), abs=1e-11)


def test_no_plate_is_colder_than_the_coolant_that_leaves_it():
    model = rack(2, 1)
    flow = tray_mass_flow(model) * jnp.asarray([0.05, 0.2, 0.1])
    cool = eqx.tree_at(
        lambda rack: [group.power.leakage_power for tray in rack.trays for group in tray.devices],
        model,
        [jnp.zeros(()) for tray in model.trays for _ in tray.devices],
    )
    state = run(cool, jnp.asarray(283.15), flow, liquid(), load_factor=0.2).value
    plate = {
        name: state.case_temperature[name] - state.device_power[name] * group.interface.resistance()
        for name, group in {group.name: group for tray in model.trays for group in tray.devices}.items()
    }
    hottest = jnp.stack([jnp.maximum(plate["gpu"].max(axis=1), plate["cpu"].max(axis=1))[i] for i in (0, 1)])
    assert jnp.all(hottest > state.outlet_temperature[:2])
    assert jnp.all(plate["switch"] > state.outlet_temperature[2])


def test_gradients():
    model = rack(2, 1)

    @jax.jit
    def result(numbers):
        interface = jnp.asarray(1.0e-5) * numbers[4]
        changed = eqx.tree_at(lambda rack: rack.trays[0].devices[0].interface.area_resistance, model, interface)
        state = steady(
            changed, SUPPLY + 10.0 * (numbers[0] - 1.0), tray_mass_flow(model) * numbers[1:4], liquid()
        ).value
        return state.minimum_margin + 0.01 * state.electrical_power + state.return_temperature

    check_gradient(result, jnp.ones((5,)))


def test_batch_of_racks_matches_single_racks():
    model = rack(2, 1)
    flow = tray_mass_flow(model)
    supplies, flows = jnp.asarray([300.0, 313.15, 320.0]), flow[None, :] * jnp.asarray([0.8, 1.0, 1.2])[:, None]

    def power(supply, flow):
        state = steady(model, supply, flow, liquid()).value
        return state.electrical_power, state

    slopes, states = jax.jit(jax.vmap(jax.grad(power, has_aux=True)))(supplies, flows)
    single = run(model, supplies[2], flows[2], liquid()).value
    assert states.return_temperature.shape == (3,)
    assert jnp.max(jnp.abs(states.junction_temperature["gpu"][2] - single.junction_temperature["gpu"])) < 1e-11
    assert jnp.all(slopes > 0.0)


def test_single_precision():
    model, coolant = rack(2, 1, jnp.float32), liquid(jnp.float32)
    flow = tray_mass_flow(model, jnp.float32)
    state = run(model, jnp.float32(313.15), flow, coolant).value
    exact = run(rack(2, 1), SUPPLY, tray_mass_flow(rack(2, 1)), liquid()).value
    assert state.junction_temperature["gpu"].dtype == jnp.float32
    assert state.minimum_margin == pytest.approx(float(exact.minimum_margin), abs=1e-3)


def test_kinds_have_their_own_names():
    model = rack(1, 1)
    with pytest.raises(ValueError, match="name them apart"):
        RackModel((model.trays[0], model.trays[0]), model.air_side, model.liquid_capture)
