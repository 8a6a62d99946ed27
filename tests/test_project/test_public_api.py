"""The public API changes only on purpose."""

import difflib

from tests.test_project.public_api import PINNED, describe


def test_public_api_is_pinned():
    pinned, current = PINNED.read_text(encoding="utf-8"), describe()
    difference = difflib.unified_diff(pinned.splitlines(), current.splitlines(), "pinned", "current", lineterm="", n=0)
    command = "python -m tests.test_project.public_api"
    assert pinned == current, f"if this is meant, run `{command}` and write it in CHANGELOG.md\n" + "\n".join(
        difference
    )
