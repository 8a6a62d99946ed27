import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from voltherm.numerics.bounds import bounded, out_of_bounds, refuse_out_of_bounds


class _Part(eqx.Module):
    diameter: jax.Array | float = eqx.field(metadata=bounded("m", above=0.0))
    share: jax.Array | float | None = eqx.field(default=None, metadata=bounded("", least=0.0, most=1.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)


class _Whole(eqx.Module):
    parts: tuple[_Part, ...]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _Part(-0.1), "_Part: diameter is -0.1 m and has to be above 0 m"),
        (lambda: _Part(0.0), "has to be above 0 m"),
        (lambda: _Part(np.asarray([0.1, -0.2])), "_Part, entry 2: diameter is -0.2 m"),
        (
            lambda: _Part(0.1, jnp.asarray([[0.5, 1.5]])),
            "entry 1, 2: share is 1.5 and has to be at least 0 and at most 1",
        ),
        (lambda: _Part(np.asarray([2, -1])), "_Part, entry 2: diameter is -1 m"),
        (lambda: _Part(jnp.asarray([0, 1])), "_Part, entry 1: diameter is 0 m"),
        (lambda: _Part(-np.ones(5)), "diameter is out of its range in 2 more entries"),
    ],
)
def test_a_number_outside_is_told_where_it_is_made(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_ends_axes_and_failed_numbers_pass():
    for part in (_Part(1e-9, 0.0), _Part(1.0, 1.0), _Part(0, None), _Part(np.nan), _Part(jnp.asarray([jnp.inf]))):
        assert out_of_bounds(part) == []


def test_what_is_traced_has_no_value_to_check():
    @jax.jit
    def area(diameter):
        return _Part(diameter).diameter ** 2

    assert area(jnp.asarray(-2.0)) == 4.0
    assert jax.vmap(lambda x: _Part(x).diameter)(-jnp.ones(2)).tolist() == [-1.0, -1.0]
    assert jax.grad(lambda x: _Part(x).diameter ** 2)(-1.0) == -2.0


def test_elements_are_named_inside_other_modules_too():
    parts = (_Part(np.ones(2)), _Part(np.ones(2)))
    whole = eqx.tree_at(lambda whole: whole.parts[1].diameter, _Whole(parts), np.asarray([1.0, -1.0]))
    (sentence,) = out_of_bounds(whole, ("rack 1", "rack 2"))
    assert sentence == "'rack 2', _Part: parts.diameter is -1 m and has to be above 0 m"
    assert out_of_bounds(whole, nested=False) == []
