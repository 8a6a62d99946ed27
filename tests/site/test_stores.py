"""Stores at rest hold what the state holds, and stay there while nothing changes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site.equipment import build_equipment
from voltherm.site.row_stores import plate_heat_capacity, side_mass
from voltherm.site.stores import Stores, facility_mass, pipe_mass, tank


@pytest.fixture(scope="module")
def rest(hot):
    site, solution, _ = hot
    equipment = build_equipment(site)
    state, flows = jax.tree.map(lambda leaf: leaf[0], (solution.value.buildings, solution.value.flows))
    return site, equipment, state, Stores.at_rest(site, equipment, state, flows, 30)


def test_the_fill_is_in_the_tank_and_the_pipes(rest):
    site, equipment, _, _ = rest
    fill = float(site.facility.volume * equipment.water.density(site.secondary.supply_temperature))
    assert facility_mass(site, equipment) == pytest.approx(fill, rel=1e-14)
    assert 2.0 * pipe_mass(site, equipment) + tank(site, equipment).mass == pytest.approx(fill, rel=1e-14)


def test_rest_stores_the_enthalpy_of_supply_and_return(rest):
    site, equipment, state, stores = rest
    plant, water = state.facility.plant, equipment.water
    supply = float(water.specific_enthalpy(plant.supply_temperature))
    back = float(water.specific_enthalpy(plant.return_temperature) - state.facility.pump_shaft_power / plant.mass_flow)
    pipe, buffer = float(pipe_mass(site, equipment)), float(tank(site, equipment).mass)
    water = pipe * (supply + back) + buffer * supply
    assert stores.facility_stored(site, equipment) == pytest.approx(water, rel=1e-12)
    coolant, rows = equipment.coolant, state.rows
    loops = coolant.specific_enthalpy(rows.supply_temperature) + coolant.specific_enthalpy(rows.return_temperature)
    plates = float(stores.stored(site, equipment)) - water - float(side_mass(site, coolant) * jnp.sum(loops))
    # plates lie between the coolant and their junctions
    capacity = site.building.racks * float(plate_heat_capacity(site))
    assert float(jnp.min(rows.supply_temperature)) < plates / capacity < float(jnp.max(state.racks.gpu_temperature))


def test_what_leaves_at_rest_is_what_stands_there(rest):
    site, equipment, state, stores = rest
    flow, step = state.facility.mass_flow, jnp.asarray(15.0)
    assert stores.supply_pipe.outlet(flow, step) == pytest.approx(float(stores.facility_supply()), rel=1e-13)
    assert stores.return_pipe.outlet(flow, step) == pytest.approx(float(stores.facility_return()), rel=1e-13)
    held, left = tank(site, equipment).step(stores.tank_enthalpy, stores.tank_enthalpy, flow, jnp.zeros(()), step)
    assert held == pytest.approx(float(stores.tank_enthalpy), rel=1e-14)
    assert left == pytest.approx(float(stores.tank_enthalpy), rel=1e-14)


def test_a_closed_ring_of_stores_keeps_its_enthalpy(rest):
    site, equipment, state, stores = rest
    flows = jnp.asarray(np.random.default_rng(5).uniform(0.2, 1.2, 40)) * state.facility.mass_flow

    def ring(now, flow):
        step = jnp.asarray(15.0)
        back = now.return_pipe.outlet(flow, step)
        held, left = tank(site, equipment).step(now.tank_enthalpy, back, flow, jnp.zeros(()), step)
        supply_pipe, out = now.supply_pipe.step(left, flow, step)
        return_pipe, _ = now.return_pipe.step(out, flow, step)
        after = eqx.tree_at(
            lambda tree: (tree.tank_enthalpy, tree.supply_pipe, tree.return_pipe), now, (held, supply_pipe, return_pipe)
        )
        return after, after.facility_stored(site, equipment)

    course = jax.jit(lambda start: jax.lax.scan(ring, start, flows)[1])(stores)
    assert np.asarray(course) == pytest.approx(float(stores.facility_stored(site, equipment)), rel=1e-12)
