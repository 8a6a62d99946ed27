"""Facility indicators against the definitions' own identities, their labels and bounds."""

import jax
import jax.numpy as jnp
import pytest

from voltherm.site import indicators
from voltherm.site.indicators import Category

_HOUR = 3.6e6


def test_identities():
    facility, it_energy, reused = 1052.0 * _HOUR, 1000.0 * _HOUR, 114.0 * _HOUR
    pue = indicators.power_usage_effectiveness(
        facility, it_energy, category=Category.UPS_OUTPUT, interim=True, boundary="building"
    )
    assert pue.value == pytest.approx(1.052, rel=1e-15)
    assert pue.label() == "PUE category 1 (UPS output), interim, boundary: building"
    erf = indicators.energy_reuse_factor(reused, facility)
    ere = indicators.energy_reuse_effectiveness(facility, reused, it_energy)
    assert ere == pytest.approx((1.0 - erf) * pue.value, rel=1e-14)
    assert indicators.water_usage_effectiveness(1.0, it_energy) == pytest.approx(1.0, rel=1e-15)
    assert indicators.carbon_usage_effectiveness(facility, it_energy, 0.5) == pytest.approx(0.526, rel=1e-15)


@pytest.mark.parametrize(
    ("category", "meter"),
    [
        (Category.UPS_OUTPUT, "1 (UPS output)"),
        (Category.PDU_OUTPUT, "2 (PDU output)"),
        (Category.IT_INPUT, "3 (IT input)"),
    ],
)
def test_labels_name_the_meter(category: Category, meter: str):
    pue = indicators.power_usage_effectiveness(1.2, 1.0, category=category, interim=False, boundary="campus")
    assert pue.label() == f"PUE category {meter}, annual, boundary: campus"


def test_traced_batched_and_differentiable():
    def value(facility):
        return indicators.power_usage_effectiveness(
            facility, jnp.asarray(2.0), category=Category.IT_INPUT, interim=True, boundary="building"
        ).value

    facility = jnp.array([2.2, 2.4])
    assert jax.jit(jax.vmap(value))(facility).tolist() == pytest.approx([1.1, 1.2])
    assert jax.vmap(jax.grad(value))(facility).tolist() == pytest.approx([0.5, 0.5])


def test_bounds():
    assert indicators.broken_bounds(1.1, 1.0) == []
    assert indicators.broken_bounds(1.1, 1.0, reused_energy=1.1) == []
    evaporated = 3.0 / indicators.LATENT_HEAT
    assert indicators.broken_bounds(1.1, 1.0, evaporated_mass=evaporated, rejected_heat=3.0) == []
    assert len(indicators.broken_bounds(1.0, 1.0)) == 1
    assert len(indicators.broken_bounds(float("nan"), 1.0)) == 2
    assert len(indicators.broken_bounds(1.1, 1.0, reused_energy=1.2)) == 1
    assert len(indicators.broken_bounds(1.1, 1.0, reused_energy=-0.1)) == 1
    [sentence] = indicators.broken_bounds(1.1, 1.0, evaporated_mass=2.0 * evaporated, rejected_heat=3.0)
    assert "1.48 L" in sentence
