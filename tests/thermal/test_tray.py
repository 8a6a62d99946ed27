import dataclasses

import equinox as eqx
import jax.numpy as jnp
import pytest

from tests.thermal.checks import check_gradient
from tests.thermal.rack_case import device_group, rack
from voltherm.thermal import (
    LITRE_PER_MINUTE,
    Tray,
    tray_flow_at_pressure_drop,
    tray_flow_coefficient,
    tray_pressure_drop,
)


def test_flow_is_conserved_and_every_plate_has_the_same_drop():
    tray = rack().trays[0]
    flow = jnp.asarray([8.1, 5.0]) * LITRE_PER_MINUTE
    flows = tray.plate_flows(flow)
    total = sum(group.count * each for group, each in zip(tray.devices, flows, strict=True))
    assert jnp.max(jnp.abs(total / flow - 1.0)) < 1e-14
    for group, each in zip(tray.devices, flows, strict=True):
        drop = group.cold_plate.flow_coefficient() * each**1.85
        assert jnp.max(jnp.abs(drop / (tray_flow_coefficient(tray) * flow**1.85) - 1.0)) < 1e-13


def test_drop_and_its_inverse():
    tray = rack().trays[0]
    flow = jnp.asarray(8.1 * LITRE_PER_MINUTE)
    drop = tray_pressure_drop(tray, flow)
    assert drop == pytest.approx(float(tray_flow_coefficient(tray) * flow**1.85), rel=1e-4)
    assert tray_flow_at_pressure_drop(tray, drop) == pytest.approx(float(flow), rel=1e-4)
    assert tray_pressure_drop(tray, jnp.asarray(0.0)) == 0.0


def test_one_kind_shares_evenly():
    tray = rack().trays[1]
    assert tray.plate_shares()[0] == pytest.approx(0.5, rel=1e-15)


def test_shares_per_tray():
    tray = rack(3, 1).trays[0]
    blocked = eqx.tree_at(
        lambda t: t.devices[0].cold_plate.nominal_pressure_drop, tray, jnp.asarray([50.0e3, 50.0e3, 200.0e3])
    )
    gpu, _ = blocked.plate_shares()
    assert gpu.shape == (3,)
    assert gpu[2] < gpu[0]


def test_gradient_of_the_share():
    tray = rack().trays[0]

    def share(drop):
        return eqx.tree_at(lambda t: t.devices[0].cold_plate.nominal_pressure_drop, tray, drop).plate_shares()[0]

    check_gradient(share, jnp.asarray(50.0e3))


def test_mistakes_are_refused():
    gpu = device_group("gpu", 4, 1200.0, 1.25, 50.0e3, 0.004, 16.0e-4)
    with pytest.raises(ValueError, match="no devices"):
        Tray("empty", 1, ())
    with pytest.raises(ValueError, match="twice"):
        Tray("double", 1, (gpu, gpu))
    other = device_group("cpu", 2, 300.0, 0.45, 98.0e3, 0.02, 8.0e-4)
    plate = dataclasses.replace(other.cold_plate, pressure_exponent=1.0)
    laminar = eqx.tree_at(lambda group: group.cold_plate, other, plate)
    with pytest.raises(ValueError, match="different pressure exponents"):
        Tray("mixed", 1, (gpu, laminar))
