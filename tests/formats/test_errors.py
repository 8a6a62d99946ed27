"""Sentences of bounded length, in bounded number, which no terminal obeys."""

import pytest

from voltherm.formats.errors import MOST_PROBLEMS, ConfigurationError, FileFormatError, Problem, shown


def test_what_a_terminal_would_obey_is_not_shown():
    assert shown("\x1b[31mred\x07 \x9b1m \x7f \u202eevil \ud800 \u2028 tab\t") == ("�[31mred� �1m � �evil � � tab�")
    plain = "40 °C, 25 %vol, Δp 3 kPa … 冷却水 😀\nnext line"
    assert shown(plain) == plain


def test_the_middle_of_a_long_text_is_left_out():
    text = "a" * 1_000_000 + " write it as path=value"
    told = shown(text, 500)
    assert told.startswith("a" * 300 + " … (")
    assert told.endswith("write it as path=value")
    assert f"({len(text) - 500:,} characters left out)" in told
    assert len(told) < 560
    assert len(str(FileFormatError(text))) < 2_100
    assert len(str(Problem("f" * 10_000, 1, "p" * 10_000, text))) < 1_400


def test_many_mistakes_are_counted():
    problems = [Problem("case.yaml", line, f"x{line}", "there is no such number") for line in range(64_285, 0, -1)]
    error = ConfigurationError(problems)
    assert len(error.problems) == MOST_PROBLEMS
    assert error.problems[0].line == 1
    assert error.left_out == 64_285 - MOST_PROBLEMS
    assert str(error).endswith("\nand 64,185 more mistakes")
    again = ConfigurationError([*error.problems, Problem("other.yaml", 1, "", "x")], error.left_out)
    assert again.left_out == error.left_out + 1
    assert ConfigurationError(problems[:3]).left_out == 0


@pytest.mark.parametrize("text", ["two\nlines", "\x00", "=1+1", "[bold]x[/bold]"])
def test_a_problem_is_one_line(text):
    assert str(Problem(text, 1, text, text)).isprintable()
