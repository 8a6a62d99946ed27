"""No unfinished work, no machine-specific paths, no silenced check without its reason."""

import re

from tests.test_project.sources import python_files, relative, text_files

# Written so that this file does not contain what it looks for.
_UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
_MACHINE_PATH = re.compile("(?<![.\\w])/(" + "|".join(["wo" + "rk", "fa" + "rm", "ro" + "ot", "home/[a-z]+"]) + ")/")
_CLOCK = re.compile(
    r"\b(" + "|".join(["perf" + "_counter", "process" + "_time", "mono" + "tonic", r"time\.time\("]) + ")"
)
_SILENCED = re.compile(r"#\s*(type:\s*ignore(\[[^\]]*\])?|noqa(:\s*[A-Z0-9, ]+)?)\s*$")


def _lines_with(pattern: re.Pattern[str], files) -> list[str]:
    return [
        f"{relative(file)}:{number}: {line.strip()[:100]}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_left_unfinished():
    assert not (found := _lines_with(_UNFINISHED, text_files())), "\n".join(found)


def test_no_path_of_one_machine():
    assert not (found := _lines_with(_MACHINE_PATH, text_files())), "\n".join(found)


def test_silenced_checks_give_their_reason():
    found = _lines_with(_SILENCED, python_files())
    assert not found, "write the reason behind the comment:\n" + "\n".join(found)


def test_no_test_reads_a_clock():
    """Times belong to benchmarks: a machine may be loaded."""
    found = _lines_with(_CLOCK, [file for file in python_files() if relative(file).startswith("tests/")])
    assert not found, "measure it in benchmarks/ instead:\n" + "\n".join(found)
