"""Files that a configuration names: near it, there, and with a name that the system accepts."""

import difflib
import os
from pathlib import Path


def folder_of(file: Path) -> Path:
    """The folder in which a file lies, links followed as far as they lead somewhere."""
    return Path(os.path.realpath(file)).parent


def named_file(file: Path, name: str, within: Path, outside: str) -> tuple[Path, str | None]:
    """The file that `file` names, and what is wrong with it: it has to lie `within` a folder, else it is `outside`."""
    target = file.parent / name
    try:
        if Path(name).is_absolute() or not Path(os.path.realpath(target)).is_relative_to(within):
            return target, f"'{name}' lies {outside}"
        if not target.is_file():
            return target, f"there is no file '{name}' beside this one{_near(target)}"
    except (OSError, ValueError) as error:
        # too long, or a character that no name can have
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return target, f"'{name}' cannot be the name of a file: {reason.lower()}"
    return target, None


def _near(target: Path) -> str:
    there = [each.name for each in target.parent.glob("*.yaml")] if target.parent.is_dir() else []
    near = difflib.get_close_matches(target.name, there, n=1)
    return f": did you mean '{near[0]}'?" if near else ""


def tidy(path: Path) -> Path:
    """The path without ``..``, relative to the current folder where it lies below it."""
    resolved, here = path.resolve(), Path.cwd().resolve()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved
