"""What commands print is text: no markup of rich, no sequence that a terminal obeys."""

import json

import pytest
from rich.console import Console

from voltherm.cli.output import print_json, simple_table
from voltherm.report.summary import Section
from voltherm.report.terminal import table

NAMES = ("[bold red]x[/bold red]", "\x1b]0;title\x07", "\x9b31m", "=1+1", ":smile:", "[link=http://x]y[/link]")


def printed(drawn) -> str:
    console = Console(width=100, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(drawn)
    return capture.get()


@pytest.mark.parametrize("name", NAMES)
def test_names_in_tables_stand_as_they_are(name):
    visible = "".join(character if character.isprintable() else "�" for character in name)
    section = Section("key", name, ("", name), ((name, name),), note=name)
    for drawn in (simple_table(name, ("", name), [(name, name)]), table(section)):
        told = printed(drawn)
        assert told.count(visible) >= 3
        assert "\x1b]" not in told
        assert "\x9b" not in told
        assert "\x07" not in told


@pytest.mark.parametrize("name", NAMES)
def test_json_holds_names_and_no_terminal_obeys_it(name, capsys):
    print_json({"name": name, "°": 1})
    told = capsys.readouterr().out
    assert json.loads(told) == {"name": name, "°": 1}
    assert told.replace("\n", "").isprintable()
