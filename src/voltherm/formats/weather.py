"""Hours of a year from an EnergyPlus weather file (EPW), plain or gzipped.

Eight lines of header, then one line an hour of comma-separated columns: 1 to 5 are the time, 7 the dry bulb [degC],
8 the dew point [degC], 9 the relative humidity [%], 10 the pressure [Pa]. A leap day is dropped, so a year has 8,760
hours. pvlib reads these files too: it imports pandas (2 s where this takes none), leaves gaps in place, and takes a
file that is cut, out of order or out of range as it is.

Source: EnergyPlus Auxiliary Programs (2023), EnergyPlus weather file (EPW) data dictionary.
"""

import dataclasses
import gzip
import re
import zlib
from pathlib import Path

import numpy as np

from voltherm.formats.errors import FileFormatError

HOURS = 8760
_HEADER = 8
_WHOLE = re.compile(r"[0-9]{1,2}")
_LARGEST = 20_000_000
_ABSENT = {"dry_bulb": 99.9, "dew_point": 99.9, "relative_humidity": 999.0, "pressure": 999999.0}
_COLUMNS = {"dry_bulb": 6, "dew_point": 7, "relative_humidity": 8, "pressure": 9}
_RANGES = {
    "dry_bulb": (-90.0, 70.0),
    "dew_point": (-90.0, 70.0),
    "relative_humidity": (0.0, 110.0),
    "pressure": (31000.0, 120000.0),
}


@dataclasses.dataclass(frozen=True)
class Weather:
    """A year of hours, arrays (8760,): temperatures [K], relative humidity as a fraction, pressure [Pa]."""

    place: str
    dry_bulb: np.ndarray
    dew_point: np.ndarray
    relative_humidity: np.ndarray
    pressure: np.ndarray


def read_weather(path: str | Path) -> Weather:
    """The year in an EPW file.

    **Raises**: `FileFormatError` with the file, the line and what is wrong.
    """
    file = Path(path)
    lines = _text(file).splitlines()
    if not lines or not lines[0].upper().startswith("LOCATION,"):
        raise FileFormatError(f"{file}:1: is not an EPW file: its first line begins with LOCATION")
    rows: list[list[float]] = []
    last = (0, 0, 0)
    for number, line in enumerate(lines[_HEADER:], start=_HEADER + 1):
        if not line.strip():
            continue
        cells = line.split(",")
        if len(cells) < 10:
            raise FileFormatError(
                f"{file}:{number}: {len(cells)} columns where an hour has at least 10; is it truncated?"
            )
        time = _time(file, number, cells)
        if rows and time <= last:
            raise FileFormatError(f"{file}:{number}: this hour does not follow the one above it")
        last = time
        if time[:2] == (2, 29):
            continue
        rows.append([_number(file, number, name, cells[column]) for name, column in _COLUMNS.items()])
    if len(rows) != HOURS:
        raise FileFormatError(
            f"{file}:{len(lines)}: holds {len(rows)} hours where a year has {HOURS}; is it truncated?"
        )
    values = dict(zip(_COLUMNS, np.array(rows).T, strict=True))
    header = [cell.strip() for cell in lines[0].split(",")]
    return Weather(
        place=", ".join(cell for cell in header[1:4] if cell),
        dry_bulb=values["dry_bulb"] + 273.15,
        dew_point=values["dew_point"] + 273.15,
        relative_humidity=values["relative_humidity"] / 100.0,
        pressure=values["pressure"],
    )


def _time(file: Path, line: int, cells: list[str]) -> tuple[int, int, int]:
    """Month, day and hour of a line."""
    month, day, hour = (cell.strip() for cell in cells[1:4])
    if not all(_WHOLE.fullmatch(text) for text in (month, day, hour)):
        raise FileFormatError(f"{file}:{line}: '{month}, {day}, {hour}' is not a month, a day and an hour")
    return int(month), int(day), int(hour)


def _number(file: Path, line: int, name: str, text: str) -> float:
    try:
        if "_" in text:
            raise ValueError(text)
        value = float(text)
    except ValueError as error:
        raise FileFormatError(f"{file}:{line}: '{text}' is not a number, {name.replace('_', ' ')}") from error
    if value == _ABSENT[name]:
        raise FileFormatError(
            f"{file}:{line}: the {name.replace('_', ' ')} of this hour is missing: fill the gap first"
        )
    low, high = _RANGES[name]
    if not low <= value <= high:
        raise FileFormatError(f"{file}:{line}: {name.replace('_', ' ')} {value:g} is outside {low:g} to {high:g}")
    return value


def _text(file: Path) -> str:
    try:
        if file.exists() and not file.is_file():
            raise FileFormatError(f"{file}: is not a file")
        with file.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(file, "rb") if packed else file.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{file}: the gzip file is truncated or damaged") from error
    except OSError as error:
        raise FileFormatError(f"{file}: cannot be read: {error.strerror or error}") from error
    if len(raw) > _LARGEST:
        raise FileFormatError(f"{file}: is larger than {_LARGEST // 1_000_000} MB: this is not a weather file")
    return raw.decode("latin-1")
