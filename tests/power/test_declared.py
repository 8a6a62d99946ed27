"""Sentences about numbers and shapes that no equipment has."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.power import LossCurve, MotorDrive, PowerShelf, UninterruptiblePowerSupply
from voltherm.power.declared import POSITIVE, SHARE, number_mistakes, refuse, shape_mistakes, values_of


def test_shapes_that_would_be_broadcast_are_told():
    arrays = {"length": jnp.ones(2), "parallel": jnp.ones(1), "current_rating": 400.0}
    assert shape_mistakes("line", ("F1", "F2"), arrays) == [
        "line: parallel has the shape (1,) where one number for each of 2 is wanted",
        "line: current rating has the shape () where one number for each of 2 is wanted",
    ]
    assert shape_mistakes("line", ("F1",), {"length": jnp.ones(2)}) == [
        "line: length has the shape (2,) where one number for each of 1 is wanted"
    ]
    assert shape_mistakes("line", (), {"length": jnp.ones(0), "parallel": jnp.ones(0)}) == []


def test_numbers_are_told_by_name_or_number():
    arrays = {"length": np.array([1.0, -2.0, np.nan]), "share": 25.0}
    conditions = {"length": POSITIVE, "share": SHARE}
    assert number_mistakes("line", ("a", "b", "c"), arrays, conditions) == [
        "line 'b': length -2 must be positive",
        "line 'c': length nan must be positive",
        "line: share 25 must lie between 0 and 1",
    ]
    assert number_mistakes("line", (), arrays, conditions)[0] == "line number 2: length -2 must be positive"


def test_many_mistakes_are_cut():
    with pytest.raises(ValueError, match=r"a0; .*a9; and 1,490 more$"):
        refuse([f"a{number}" for number in range(1500)])
    refuse([])


def test_traced_numbers_are_not_looked_at():
    seen = []
    jax.jit(lambda number: seen.append(values_of(number)) or number)(jnp.ones(2))
    assert seen == [None]
    assert values_of(None) is None
    assert values_of(2) == 2.0


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: PowerShelf.titanium(5.5e3, 0.0, 0.98), "PowerShelf: count is 0 and has to be above 0"),
        (lambda: PowerShelf.titanium(5.5e3, 6.0, 98.0), "PowerShelf: power_factor is 98 and has to be above 0"),
        (
            lambda: UninterruptiblePowerSupply.typical(-1.5e6, 0.5, 0.99),
            "UninterruptiblePowerSupply: rated_power is -1.5e+06 W and has to be above 0 W",
        ),
        (lambda: UninterruptiblePowerSupply.typical(1.5e6, 1.5, 0.99), "eco_mode is 1.5 and has to be at least 0"),
        (lambda: MotorDrive.typical(jnp.array([75e3, 0.0]), 0.95), "MotorDrive, entry 2: rated_power is 0 W"),
        (lambda: LossCurve(jnp.array([0.5, 1.0]), jnp.array([0.9, 91.0])), "LossCurve, entry 2: efficiency is 91"),
        (lambda: LossCurve(jnp.array([1.0, 0.5]), jnp.array([0.9, 0.91])), "has to rise from point to point"),
    ],
)
def test_converters_refuse_numbers_that_no_equipment_has(make, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        make()
