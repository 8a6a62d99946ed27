"""Which implementation runs: one table, one name per row."""

from types import ModuleType

from . import xla

# An implementation is a module with `factor`, `substitute`, `multiply` and `outer` of the signatures in `xla.py`.
IMPLEMENTATIONS: dict[str, ModuleType] = {"xla": xla}


def resolve(name: str) -> str:
    """The table key for a requested name; `auto` is the best there is. Raises `ValueError` for an unknown name."""
    if name == "auto":
        return "xla"
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"no implementation {name!r}; there are: auto, {', '.join(sorted(IMPLEMENTATIONS))}")
    return name


def implementation_named(name: str) -> ModuleType:
    """The implementation behind a resolved name."""
    return IMPLEMENTATIONS[name]
