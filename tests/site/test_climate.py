"""The parametric year against the monthly figures it is made from and the station's design conditions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.site import dry_bulb_year
from voltherm.site.climate import HOURS, MONTH_DAYS, month_of_hour


@pytest.fixture(scope="module")
def hours(site):
    return np.asarray(jax.jit(dry_bulb_year)(site.climate))


def test_hours_and_months():
    month = month_of_hour()
    assert month.shape == (HOURS,)
    assert np.bincount(month).tolist() == [24 * days for days in MONTH_DAYS]
    assert np.all(np.diff(month) >= 0)


def _monthly_means(hours):
    return np.bincount(month_of_hour(), weights=hours) / np.bincount(month_of_hour())


@pytest.mark.parametrize("deviation", [0.0, 4.5, 9.0])
def test_monthly_means_are_those_of_the_station_with_any_weather(site, deviation):
    climate = eqx.tree_at(lambda climate: climate.synoptic_deviation, site.climate, jnp.asarray(deviation))
    means = _monthly_means(np.asarray(jax.jit(dry_bulb_year)(climate)))
    assert means == pytest.approx(np.asarray(climate.monthly_mean), abs=1e-9)


def test_year_has_the_spread_of_the_station(hours, site):
    assert hours.shape == (HOURS,)
    assert np.isfinite(hours).all()
    assert _monthly_means(hours) == pytest.approx(np.asarray(site.climate.monthly_mean), abs=1e-9)
    # design conditions of the station: for cooling exceeded in 0.4 % of the hours, for heating met in all but 0.4 %
    assert np.quantile(hours, 0.996) - 273.15 == pytest.approx(38.0, abs=1.0)
    assert np.quantile(hours, 0.004) - 273.15 == pytest.approx(-7.5, abs=2.0)
    daily = hours.reshape(365, 24).mean(axis=1)
    spread = daily - np.repeat(np.asarray(site.climate.monthly_mean), MONTH_DAYS)
    assert spread.std() == pytest.approx(float(site.climate.synoptic_deviation), rel=0.25)
    assert spread[:59].std() > 2.0 * spread[151:243].std()


def test_warmest_hour_and_daily_range(hours, site):
    by_hour = hours.reshape(365, 24).mean(axis=0)
    assert by_hour.argmax() == 15
    assert by_hour.argmin() == 3
    assert np.ptp(by_hour) == pytest.approx(float(jnp.mean(site.climate.monthly_daily_range)), abs=0.3)


def test_year_is_differentiable_and_keeps_single_precision(site):
    def hottest(climate):
        return jnp.max(dry_bulb_year(climate))

    gradient = jax.jit(jax.grad(hottest))(site.climate)
    assert jnp.sum(gradient.monthly_mean) == pytest.approx(1.0, rel=1e-9)
    assert gradient.dry_bulb == 0.0
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), site.climate)
    assert dry_bulb_year(single).dtype == jnp.float32
