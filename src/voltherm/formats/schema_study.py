"""What the file of a study may hold: a sweep over designs, the tuning of a site, or the calibration of a cold plate.

Variables address numbers of the case by dotted path; their ranges are read in the dimension of that number.
"""

import dataclasses

from voltherm.formats.schema import Field, Section, quantity_field
from voltherm.formats.schema_site import NAME, VERSION
from voltherm.formats.source import LARGEST

_quantity = quantity_field
_CASE = Field("case", "file of the case, relative to this one", "text")
_SEED = Field("seed", "number that fixes the sampling", "integer", minimum="0", maximum="4294967295", default="0")


def _whole(name: str, meaning: str, maximum: str, default: str, minimum: str = "1") -> Field:
    return Field(name, meaning, "integer", minimum=minimum, maximum=maximum, default=default)


VARIABLE = Section(
    "variable",
    "a number of the case that the study moves: its path, and its range or its values",
    (
        Field("path", "dotted path of the number, such as secondary.supply_temperature", "text"),
        Field("minimum", "lowest value", "text", default=""),
        Field("maximum", "highest value", "text", default=""),
        Field("values", "values, where there is no range", "text", length=LARGEST, default=""),
    ),
)

SWEEP = Section(
    "sweep",
    "many designs of a case",
    (
        _CASE,
        Field("sampler", "how designs are chosen", "choice", choices=("sobol", "grid", "list"), default="sobol"),
        _whole("designs", "how many designs", "100000000", "1024"),
        _SEED,
        _whole("chunk", "designs solved together and written at once", "65536", "64"),
    ),
)

TUNE_SITE = Section(
    "tune",
    "the least yearly cost of a case with every limit held",
    (
        Field("kind", "what is tuned", "choice", choices=("site", "cold_plate")),
        _CASE,
        Field("objective", "what is made least", "choice", choices=("yearly_cost",), default="yearly_cost"),
        _whole("ambients", "parts of the year, each solved at its mean dry bulb", "200", "40", "2"),
        _whole("iterations", "steps of the descent", "100000", "300"),
        _SEED,
        _whole("random_search", "designs of the random search it is compared with, 0 for none", "1000000", "200", "0"),
    ),
)

TUNE_COLD_PLATE = Section(
    "tune",
    "the cold-plate law that fits a table of thermal resistance over flow",
    (
        Field("kind", "what is tuned", "choice", choices=("site", "cold_plate")),
        Field("flow", "flows of the table", "list", "volume flow", "0.001 L/min", "1000 L/min"),
        Field("resistance", "resistances of the table", "list", "thermal resistance", "0.000001 K/W", "100 K/W"),
        _whole("iterations", "steps of the fit at most", "100000", "100"),
    ),
)


def study_document(section: Section) -> Section:
    """The whole file around the section of a study."""
    return Section(section.name, section.meaning, (VERSION, dataclasses.replace(NAME, name="name"), section))
