"""Racks say what they are not made of: by element, with a sentence for shapes, and plain numbers are taken."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from tests.thermal.rack_case import liquid, rack, tray_mass_flow
from voltherm.thermal import (
    AirSide,
    ColdPlate,
    DeviceGroup,
    InterfaceMaterial,
    LeakagePower,
    OperatingLimits,
    Package,
    RackModel,
    Tray,
    steady,
)
from voltherm.thermal.arguments import refuse_not_positive

SUPPLY = jnp.asarray(313.15)


def group(**changed: object) -> DeviceGroup:
    """GPUs from plain numbers."""
    numbers: dict = {
        "name": "gpu",
        "count": 4,
        "power": LeakagePower(840.0, 144.0, 348.15, 40.0, 216.0),
        "package": Package(0.004),
        "interface": InterfaceMaterial(1.0e-5, 16.0e-4),
        "cold_plate": dataclasses.replace(ColdPlate.published(), flow_resistance=0.0139),
        "junction_limit": 360.15,
        "heat_capacity": 300.0,
        "limits": OperatingLimits(1200.0, 360.15, 365.15),
    }
    return DeviceGroup(**(numbers | changed))


def model(gpus: DeviceGroup, **changed: object) -> RackModel:
    air = AirSide(9.0e3, 6.0e3, 2.0e3, 0.003, 368.15, 308.15)
    return RackModel(**({"trays": (Tray("compute", 2, (gpus,)),), "air_side": air, "liquid_capture": 1.0} | changed))


FLOW = jnp.full(2, 0.1)


def test_a_rack_of_plain_numbers_is_that_of_arrays():
    plain = model(group())
    arrays = jax.tree.map(lambda number: jnp.asarray(number, float), plain)
    found, expected = (steady(model, SUPPLY, FLOW, liquid()).value for model in (plain, arrays))
    assert jnp.array_equal(found.junction_temperature["gpu"], expected.junction_temperature["gpu"])
    assert found.electrical_power == expected.electrical_power


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"junction_limit": -1.0}, "'gpu', DeviceGroup: junction_limit is -1 K and has to be above 0 K"),
        ({"heat_capacity": -300.0}, "'gpu', DeviceGroup: heat_capacity is -300 J/K"),
        ({"count": 0}, "'gpu': a tray holds 0 of them; at least 1"),
    ],
)
def test_what_no_chip_has_is_refused_by_element(changed: dict, message: str):
    with pytest.raises(ValueError, match=message):
        group(**changed)


def test_a_built_model_that_was_changed_is_checked_by_element():
    sound = model(group())
    assert sound.unphysical() == []
    # numbers replaced inside a tree pass no constructor
    leaves, structure = jax.tree.flatten(sound)
    broken = jax.tree.unflatten(structure, [-leaf if leaf == 0.004 else leaf for leaf in leaves])
    assert broken.unphysical() == ["'gpu', Package: package.resistance is -0.004 K/W and has to be at least 0 K/W"]


def test_a_capture_of_25_is_refused():
    with pytest.raises(ValueError, match="liquid_capture is 25 and has to be at least 0 and at most 1"):
        model(group(), liquid_capture=25.0)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"package": Package(jnp.full(1, 0.004))}, r"package'?\]?.*has the shape \[1\]"),
        ({"junction_limit": jnp.full(3, 360.15)}, r"junction_limit.*has the shape \[3\]"),
        ({"heat_capacity": jnp.full((1, 4), 300.0)}, r"heat_capacity.*has the shape \[1, 4\]"),
    ],
)
def test_shapes_that_do_not_fit_have_a_sentence(changed: dict, where: str):
    with pytest.raises(ValueError, match=rf"'gpu': .*{where}.*one for each device of a tray \[4\]"):
        steady(model(group(**changed)), SUPPLY, FLOW, liquid())


def test_one_flow_for_many_trays_is_refused():
    with pytest.raises(ValueError, match=r"tray_mass_flow has the shape \[1\]; a rack of 3 trays needs \[3\]"):
        steady(rack(2, 1), SUPPLY, jnp.ones(1), liquid())


def test_traced_numbers_pass():
    assert jax.jit(lambda area: InterfaceMaterial(1.0e-5, area).resistance())(-1.0) < 0.0
    jax.jit(lambda length: refuse_not_positive("pipe", length=length))(-1.0)


def test_numbers_for_single_devices_fit():
    each = LeakagePower(jnp.full(4, 840.0), jnp.full(4, 144.0), 348.15, 40.0, jnp.full(4, 216.0))
    found, expected = (steady(model(gpus), SUPPLY, FLOW, liquid()).value for gpus in (group(power=each), group()))
    assert jnp.array_equal(found.junction_temperature["gpu"], expected.junction_temperature["gpu"])
    assert tray_mass_flow(rack(2, 1)).shape == (3,)
