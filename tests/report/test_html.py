"""The page is whole, loads nothing, escapes everything, and stays in its folder."""

import dataclasses
import datetime
import re
import sys
from html.parser import HTMLParser

import pytest

from tests.report.fabricated import fabricated_answer
from voltherm.report import variables
from voltherm.report.html import Cover, MissingExtra, page, write
from voltherm.study.limits import Constraint

_DATE = datetime.date(2026, 1, 2)
COVER = Cover(command="voltherm run x.yaml", date=_DATE)
_MALICIOUS = "<script>alert('x')</script> & \"$\\alpha$\" {{ 7 * 7 }}"


class _Tags(HTMLParser):
    """Counts tags and keeps the attributes that load or run something."""

    def __init__(self):
        super().__init__()
        self.tags: dict[str, int] = {}
        self.loads: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster") or name.startswith("on"):
                self.loads.append((tag, name, value))
            if name == "id":
                self.ids.append(value)


def _parsed(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    return tags


@pytest.fixture(scope="module")
def text(answer) -> str:
    return page(answer, configuration_text="voltherm: 1\nname: <b>x</b>", cover=COVER)


def test_nothing_is_loaded(text):
    tags = _parsed(text)
    assert "script" not in tags.tags
    assert "link" not in tags.tags
    assert all(value.startswith(("#", "data:image/png;base64,")) for _, _, value in tags.loads)
    assert not re.findall(r"url\((?!#)", text)
    assert not re.search(r"@import|@font-face", text)
    # what is left of web addresses are names of XML vocabularies, which nothing fetches
    assert set(re.findall(r"https?://[^\s\"'<>]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_figures_are_inside_and_refer_to_themselves(text):
    tags = _parsed(text)
    assert tags.tags["svg"] == 8
    assert len(tags.ids) == len(set(tags.ids))
    inside = {f"#{name}" for name in tags.ids}
    assert {value for _, _, value in tags.loads if value.startswith("#")} <= inside
    assert {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", text)} <= inside


def test_names_and_numbers_are_there(text):
    for shown in (
        "Abilene building",
        "H2-R02-K03",
        "46.9 °C",
        "1.0987",
        "17.7 min",
        "main transformer 1",
        "2026-01-02",
    ):
        assert shown in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().split()
    assert "name: &lt;b&gt;x&lt;/b&gt;" in text


def test_names_are_escaped(answer):
    text = page(
        fabricated_answer(answer.site, name=_MALICIOUS),
        cover=Cover(_MALICIOUS, _MALICIOUS, _MALICIOUS, _MALICIOUS, _MALICIOUS),
        configuration_text=_MALICIOUS,
    )
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_two_pages_of_one_answer_are_the_same(answer, text):
    again = page(answer, configuration_text="voltherm: 1\nname: <b>x</b>", cover=COVER)
    assert again == text


def test_campus_without_an_answer(unanswered):
    text = page(unanswered, cover=Cover(date=_DATE))
    assert "no supply temperature of the campus holds every limit" in text
    assert "Building B2 of 2, which holds the hottest GPU." in text
    assert _parsed(text).tags["svg"] == 8


def test_a_broken_bound_is_an_alarm(answer, text):
    assert 'role="alert"' not in text
    figures = {**answer.point.figures, "facility_power": 0.9 * answer.point.figures["it_power"]}
    wrong = dataclasses.replace(answer, point=dataclasses.replace(answer.point, figures=figures))
    assert "this answer is not to be used: hot day at the set point: the facility" in page(
        wrong, cover=Cover(date=_DATE)
    )


def test_without_a_year(answer):
    lacking = dataclasses.replace(answer, year=None, allowed_year=None)
    text = page(lacking, cover=Cover(date=_DATE))
    assert 'id="year"' not in text
    assert "the year reaches an ambient at which the site has no steady state" in text
    assert _parsed(text).tags["svg"] == 7
    assert not [name for name in variables(lacking) if name.startswith(("year/", "allowed_year/"))]


def test_write_stays_in_its_folder(answer, tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "report"
    file = write(answer, folder)
    assert file == folder / "report.html"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]

    # a failure half-way leaves the file that was there
    before = file.read_text(encoding="utf-8")
    monkeypatch.setattr("voltherm.report.html.page", lambda *_, **__: before + "\udc80")
    with pytest.raises(UnicodeEncodeError):
        write(answer, folder)
    assert file.read_text(encoding="utf-8") == before
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_missing_extra_is_one_clear_sentence(answer, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"jinja2 is not installed: pip install 'voltherm\[report\]'"):
        page(answer)


def _words(text: str) -> int:
    """Words that a reader of the page meets before its appendix, drawings aside."""
    body = text[text.index("<main>") : text.index('<div class="appendix"')]
    body = re.sub(r"<svg.*?</svg>", "", body, flags=re.DOTALL)
    return len(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_is_short_and_its_numbers_are_in_the_appendix(text):
    assert 400 < _words(text) < 1000
    appendix = text[text.index('<div class="appendix"') :]
    for title in ("Hot day: temperatures", "Balances", "The year by month", "Long tables", "Every value used"):
        assert title in appendix
    # what is folded on a screen is printed
    assert "details::details-content { content-visibility: visible" in text
    assert "display: none" not in text


def test_the_head_says_for_whom_and_from_which_weather(answer):
    told = page(answer, cover=Cover(client="Example Ltd", revision="B", author="J. Doe", weather="abi.epw", date=_DATE))
    for shown in ("Example Ltd", "<dt>Revision</dt><dd>B</dd>", "J. Doe", "hours of abi.epw; 43.0 °C on the hot day"):
        assert shown in told
    assert "parametric year; Abilene, Texas" in page(answer)
    assert "<dt>Client</dt>" not in page(answer)


def test_a_limit_that_is_passed_is_red_on_the_first_page(answer, text):
    over = Constraint("transformer loading", "H1-TX-07", -0.2, "1", "limit", False, True)
    point = dataclasses.replace(answer.point, constraints=(over, *answer.point.constraints))
    told = page(dataclasses.replace(answer, point=point), cover=COVER)
    front = told[: told.index("<nav")]
    assert re.search(r'class="[^"]*alarming"><th scope="row">LIMIT PASSED', front)
    assert 'class="tile warns"><div class="label">Limits at the set point' in front
    assert "alarming" not in text[text.index("<main>") : text.index("<nav")]
