import pytest

from voltherm.media import (
    HFE7100,
    LIQUID_NAMES,
    EthyleneGlycolWater,
    InhibitedEthyleneGlycolWater,
    InhibitedPropyleneGlycolWater,
    PropyleneGlycolWater,
    Water,
    liquid,
)


@pytest.mark.parametrize(
    ("name", "basis", "kind"),
    [
        ("propylene_glycol", "mass", PropyleneGlycolWater),
        ("propylene_glycol", "volume", InhibitedPropyleneGlycolWater),
        ("ethylene_glycol", "mass", EthyleneGlycolWater),
        ("ethylene_glycol", "volume", InhibitedEthyleneGlycolWater),
    ],
)
def test_glycols(name, basis, kind):
    built = liquid(name, 0.25, basis)
    assert type(built) is kind
    assert float(built.composition()) == 0.25


def test_pure_liquids():
    assert type(liquid("water")) is Water
    assert type(liquid("hfe_7100")) is HFE7100


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("beer",), "unknown liquid 'beer'; known are " + ", ".join(LIQUID_NAMES)),
        (("propylene_glycol", 0.25), "its basis, 'mass' or 'volume'"),
        (("ethylene_glycol", None, "mass"), "needs a fraction"),
        (("water", 0.25, "mass"), "water is pure"),
    ],
)
def test_mistakes_are_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        liquid(*arguments)
