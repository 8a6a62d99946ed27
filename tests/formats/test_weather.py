import gzip
import os
from pathlib import Path

import pytest

from voltherm.formats import FileFormatError
from voltherm.formats.weather import read_weather

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def epw(leap: bool = False) -> list[str]:
    header = ["LOCATION,Abilene,TX,USA,x,0,32.4,-99.7,-6.0,545.0", *(["HEADER"] * 7)]
    days = [29 if month == 1 and leap else days for month, days in enumerate(_DAYS)]
    hours = [
        f"2001,{month},{day},{hour},0,x,{10 + hour / 2},5.0,60,95000,0,0"
        for month, count in enumerate(days, start=1)
        for day in range(1, count + 1)
        for hour in range(1, 25)
    ]
    return header + hours


def written(tmp_path: Path, lines: list[str]) -> Path:
    file = tmp_path / "year.epw"
    file.write_text("\n".join(lines) + "\n", encoding="latin-1")
    return file


@pytest.mark.parametrize("leap", [False, True])
def test_year_in_si(tmp_path: Path, leap: bool):
    weather = read_weather(written(tmp_path, epw(leap)))
    assert weather.dry_bulb.shape == (8760,)
    assert weather.dry_bulb[0] == pytest.approx(283.65)
    assert weather.relative_humidity[0] == pytest.approx(0.6)
    assert weather.pressure[0] == 95000.0
    assert weather.place == "Abilene, TX, USA"


def test_gzipped(tmp_path: Path):
    plain = written(tmp_path, epw())
    packed = tmp_path / "year.epw.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_weather(packed).dry_bulb[5] == read_weather(plain).dry_bulb[5]
    packed.write_bytes(packed.read_bytes()[:1000])
    with pytest.raises(FileFormatError, match=rf"^{packed}: the gzip file is truncated"):
        read_weather(packed)


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "hello", ":1: is not an EPW file"),
        (9, "2001,1,1,1,0", ":9: 5 columns where an hour has at least 10"),
        (9, "2001,1,1,1,0,x,warm,5,60,95000,0", ":9: 'warm' is not a number, dry bulb"),
        (9, "2001,1,1,1,0,x,99.9,5,60,95000,0", ":9: the dry bulb of this hour is missing"),
        (9, "2001,1,1,1,0,x,80,5,60,95000,0", ":9: dry bulb 80 is outside -90 to 70"),
        (9, "2001,1,1,1,0,x,nan,5,60,95000,0", ":9: dry bulb nan is outside"),
        (9, "2001,1,1,1,0,x,1_0,5,60,95000,0", ":9: '1_0' is not a number, dry bulb"),
        (9, "2001,1,1,1,0,x,\x1b[31m10,5,60,95000,0", ":9: '�[31m10' is not a number, dry bulb"),
        (9, "2001,1,1,1,0,x," + "9" * 100_000 + "x,5,60,95000,0", "characters left out"),
        (9, "2001,1,one,1,0,x,10,5,60,95000,0", ":9: '1, one, 1' is not a month, a day and an hour"),
        (20, "2001,1,1,1,0,x,10,5,60,95000,0", ":20: this hour does not follow the one above it"),
    ],
)
def test_mistakes_by_line(tmp_path: Path, line: int, text: str, message: str):
    lines = epw()
    lines[line - 1] = text
    with pytest.raises(FileFormatError) as raised:
        read_weather(written(tmp_path, lines))
    assert message in str(raised.value)


def test_short_year(tmp_path: Path):
    with pytest.raises(FileFormatError, match="holds 4992 hours where a year has 8760"):
        read_weather(written(tmp_path, epw()[:5000]))
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_weather(tmp_path / "absent.epw")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.epw")
    for path in (tmp_path / "pipe.epw", tmp_path, Path("/dev/zero")):
        with pytest.raises(FileFormatError, match="is not a file"):
            read_weather(path)


def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path: Path):
    packed = tmp_path / "year.epw.gz"
    packed.write_bytes(gzip.compress(b"LOCATION," + b"0" * 30_000_000))
    with pytest.raises(FileFormatError, match="is larger than 20 MB: this is not a weather file"):
        read_weather(packed)


def test_published_year(shared_reference: Path):
    weather = read_weather(shared_reference / "weather" / "USA_TX_Dallas-Fort.Worth.epw.gz")
    assert weather.dry_bulb.max() == pytest.approx(313.15, abs=0.5)
