"""Files of the outside world: configurations, results, networks and weather. Host code; light to import."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voltherm.formats.errors import ConfigurationError as ConfigurationError
from voltherm.formats.errors import FileFormatError as FileFormatError
from voltherm.formats.errors import VolthermError as VolthermError
from voltherm.formats.loader import configuration as configuration
from voltherm.formats.loader import study as study

if TYPE_CHECKING:
    from voltherm.site import Site


def load(path: str | Path, overrides: Sequence[str] = ()) -> "Site":
    """The site that a file describes, in JAX's default floating-point precision.

    **Arguments**: `overrides`: texts such as ``secondary.supply_temperature=42 degC``.

    **Raises**: `ConfigurationError` with every mistake, before jax is imported.
    """
    checked, _ = configuration(path, overrides)
    # the import of jax takes longer than any mistake should wait for
    from voltherm.site import build

    return build(checked)
