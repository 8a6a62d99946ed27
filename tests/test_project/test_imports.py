"""Imports go one way, and only to what pyproject.toml declares."""

import sys

import pytest

from tests.test_project.sources import imports, module_name, relative, source_files

_DOMAINS = {"thermal", "coolant", "power"}
_BELOW_SITE = {"numerics", "media"} | _DOMAINS

# What each package of voltherm may import beside itself and voltherm_kernels.
_ALLOWED: dict[str, set[str]] = {
    "numerics": set(),
    "media": {"numerics"},
    "thermal": {"numerics", "media"},
    "coolant": {"numerics", "media"},
    "power": {"numerics", "media"},
    "site": _BELOW_SITE,
    "study": _BELOW_SITE | {"site"},
    "formats": _BELOW_SITE | {"site", "study"},
    "report": _BELOW_SITE | {"site", "study", "formats"},
    "cli": _BELOW_SITE | {"site", "study", "formats", "report"},
}

_CORE = {"jax", "numpy", "scipy", "equinox", "optax", "jaxtyping"}
_HOST = _CORE | {"h5py", "pydantic", "yaml", "rich", "typer"}
_THIRD_PARTY: dict[str, set[str]] = {
    "voltherm_kernels": {"jax", "numpy"},
    "numerics": _CORE,
    "media": _CORE,
    "thermal": _CORE,
    "coolant": _CORE,
    "power": _CORE,
    "site": _CORE,
    "study": _HOST,
    "formats": _HOST | {"wntr"},
    "report": _HOST | {"matplotlib", "jinja2"},
    "cli": _HOST | {"matplotlib", "jinja2"},
}


def _area(module: str) -> str:
    """`coolant` for `voltherm.coolant.pipe`, `voltherm_kernels` for anything in it, `` for the front door."""
    parts = module.split(".")
    if parts[0] == "voltherm_kernels":
        return parts[0]
    return parts[1] if len(parts) > 1 else ""


def test_every_package_has_a_place_in_the_order():
    areas = {_area(module_name(file)) for file in source_files()} - {"", "voltherm_kernels"}
    assert areas <= set(_ALLOWED) | {"__main__"}, "give the new package its place in _ALLOWED"


@pytest.mark.parametrize("area", ["voltherm_kernels", *_ALLOWED])
def test_direction(area: str):
    wrong = []
    for file in source_files():
        if _area(module_name(file)) != area:
            continue
        for line, name in imports(file):
            root = name.split(".")[0]
            if root not in {"voltherm", "voltherm_kernels"} or name == "voltherm.__version__":
                continue
            target = _area(name)
            legal = target == area or (
                area != "voltherm_kernels" and (target == "voltherm_kernels" or target in _ALLOWED[area])
            )
            if not legal:
                wrong.append(f"{relative(file)}:{line}: {area} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("area", ["voltherm_kernels", *_ALLOWED])
def test_only_declared_libraries(area: str):
    own = {"voltherm", "voltherm_kernels"}
    wrong = [
        f"{relative(file)}:{line}: {name}"
        for file in source_files()
        if _area(module_name(file)) == area
        for line, name in imports(file)
        if name.split(".")[0] not in sys.stdlib_module_names | own | _THIRD_PARTY[area]
    ]
    assert not wrong, "\n".join(wrong)
