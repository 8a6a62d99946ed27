"""voltherm: a differentiable physics kernel for AI data-centre campuses.

    jax.config.update("jax_enable_x64", True)
    site = voltherm.load("configs/campus/abilene_building.yaml")
    solution = voltherm.steady(site)

`voltherm.answer(site)` is what `voltherm run` tells. The names below are imported when they are first used:
`import voltherm` loads neither jax nor any physics.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voltherm.formats import load as load
    from voltherm.numerics import ResultCode as ResultCode
    from voltherm.site import simulate as simulate
    from voltherm.site import steady as steady
    from voltherm.study import sweep as sweep
    from voltherm.study import tune as tune
    from voltherm.study.answer import answer as answer

    __version__: str

_HOME = {
    "ResultCode": "voltherm.numerics",
    "answer": "voltherm.study.answer",
    "load": "voltherm.formats",
    "simulate": "voltherm.site",
    "steady": "voltherm.site",
    "sweep": "voltherm.study",
    "tune": "voltherm.study",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        # read from the installed package's metadata, which takes longer to import than all else here
        from importlib.metadata import version

        return version("voltherm")
    if name not in _HOME:
        raise AttributeError(f"module 'voltherm' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOME, "__version__"])
