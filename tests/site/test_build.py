"""From configuration to site, and numbers by dotted path."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from tests.site.conftest import BUILDING, OVERRIDES
from voltherm.formats import configuration
from voltherm.site import build, parameter, parameter_paths, with_parameters


def test_counts_are_static_and_numbers_are_arrays(site):
    assert (site.building.rows, site.building.racks) == (4, 8)
    assert site.electrical.feeders == 2
    assert site.electrical.low_voltage == 480.0
    leaves = jax.tree.leaves(site)
    assert all(leaf.dtype == jnp.result_type(float) for leaf in leaves)
    assert site.climate.monthly_mean.shape == (12,)
    assert site.climate.dry_bulb == pytest.approx(316.15)


def test_a_missing_number_is_named():
    values = configuration(BUILDING, OVERRIDES)[0]
    del values.rack.gpu.power
    with pytest.raises(AttributeError, match=r"^rack\.gpu\.power is missing"):
        build(values)
    with pytest.raises(AttributeError, match=r"^name is missing"):
        build(SimpleNamespace())


def test_paths_name_all_scalars_and_nothing_else(site):
    paths = parameter_paths(site)
    assert len(set(paths)) == len(paths)
    scalars = sum(jnp.ndim(leaf) == 0 for leaf in jax.tree.leaves(site))
    assert len(paths) == scalars
    assert paths[0] == "climate.dry_bulb"
    assert "electrical.main_transformer.tap" in paths
    assert not {"building.halls", "climate.monthly_mean", "name"} & set(paths)
    assert parameter(site, "rack.gpu.power") == 1200.0


@pytest.mark.parametrize("path", ["rack.gpu.pwer", "rack", "name", "building.halls", "rack.gpu.power.real", ""])
def test_a_path_without_a_number_is_refused(site, path):
    with pytest.raises(KeyError):
        parameter(site, path)
    with pytest.raises(KeyError):
        with_parameters(site, {path: 1.0})


def test_replacing_numbers_leaves_the_rest(site):
    changed = with_parameters(site, {"rack.gpu.power": 1000, "climate.dry_bulb": 300.0})
    assert parameter(changed, "rack.gpu.power") == 1000.0
    assert parameter(changed, "climate.dry_bulb") == 300.0
    assert parameter(site, "rack.gpu.power") == 1200.0
    others = set(parameter_paths(site)) - {"rack.gpu.power", "climate.dry_bulb"}
    assert all(parameter(changed, path) is parameter(site, path) for path in others)
    assert jax.tree.structure(changed) == jax.tree.structure(site)
    assert with_parameters(site, {}) is site


def test_replacing_works_under_jit_vmap_and_grad(site):
    def power(value):
        return parameter(with_parameters(site, {"rack.gpu.power": value}), "rack.gpu.power") ** 2

    assert jax.jit(jax.vmap(power))(jnp.array([2.0, 3.0])).tolist() == [4.0, 9.0]
    assert jax.grad(power)(3.0) == 6.0


def test_default_precision_decides_that_of_the_site():
    values = configuration(BUILDING, OVERRIDES)[0]
    with jax.enable_x64(False):
        single = build(values)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(single))
