"""MATPOWER cases: `.m` files, `.npz` arrays, and the network they describe.

A `.m` file is a program. Only the plain part of the format is read: the tables and scalars assigned to fields of one
struct. Any other statement, such as the conversion of ohms to per unit that some distribution cases have after their
tables, would be skipped by a reader of tables and give wrong impedances without a word; such a file is refused, with
the line. Nothing in a file is ever run.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from voltherm.power import Network, PowerParameters

_BUS_COLUMNS, _GEN_COLUMNS, _BRANCH_COLUMNS = 13, 10, 11
_FUNCTION = re.compile(r"function\s+\w+\s*=\s*\w+\s*;?")
_SCALAR = re.compile(r"\w+\.\w+\s*=\s*('[^']*'|[-+.\deE]+)\s*;?")
_TABLE = re.compile(r"\w+\.\w+\s*=\s*([\[{])(.*)")
_CLOSING = {"[": "]", "{": "}"}


class Arrays(NamedTuple):
    """Case arrays in MATPOWER's columns and units: `bus` (n, >= 13), `gen` (g, >= 10), `branch` (b, >= 11)."""

    base_mva: float
    bus: np.ndarray
    gen: np.ndarray
    branch: np.ndarray


def read_arrays(
    base_mva: float, bus: np.ndarray, gen: np.ndarray, branch: np.ndarray
) -> "tuple[Network, PowerParameters]":
    """Network and parameters of case arrays (see `voltherm.power.matpower`); ValueError names what is not modelled."""
    from voltherm.power.matpower import from_arrays

    for name, array, columns in (
        ("bus", bus, _BUS_COLUMNS),
        ("gen", gen, _GEN_COLUMNS),
        ("branch", branch, _BRANCH_COLUMNS),
    ):
        if array.ndim != 2 or array.shape[1] < columns:
            raise ValueError(f"table {name}: {columns} columns needed, its shape is {array.shape}")
    return from_arrays(base_mva, bus, gen, branch)


def read_file(path: Path) -> Arrays:
    """Case arrays of a `.m` file (needs the extra `formats`) or of a `.npz` file with baseMVA, bus, gen and branch."""
    if path.suffix == ".npz":
        with np.load(path) as stored:
            missing = [name for name in ("baseMVA", "bus", "gen", "branch") if name not in stored]
            if missing:
                raise ValueError(f"{path}: no array {', '.join(missing)}; is this a MATPOWER case?")
            return Arrays(float(stored["baseMVA"]), stored["bus"], stored["gen"], stored["branch"])
    refuse_code(path)
    try:
        from matpowercaseframes import CaseFrames
    except ImportError as error:
        raise ImportError(f"{path}: reading .m files needs the extra: pip install 'voltherm[formats]'") from error
    frames = CaseFrames(str(path), update_index=False)
    tables = {}
    for name in ("bus", "gen", "branch"):
        if not hasattr(frames, name):
            raise ValueError(f"{path}: no table {name}; is this a MATPOWER case?")
        tables[name] = getattr(frames, name).to_numpy(dtype=float)
    return Arrays(float(frames.baseMVA), **tables)


def refuse_code(path: Path) -> None:
    """Raises ValueError naming the line of the first statement that is not a plain table or scalar."""
    closing = ""
    in_comment = False
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        stripped = line.strip()
        if stripped in ("%{", "%}"):
            in_comment = stripped == "%{"
            continue
        statement = _without_comment(line).strip()
        if in_comment or not statement:
            continue
        if closing:
            closing = _rest_of_table(path, number, statement, closing)
            continue
        table = _TABLE.fullmatch(statement)
        if table:
            closing = _rest_of_table(path, number, table.group(2), _CLOSING[table.group(1)])
        elif not (_FUNCTION.fullmatch(statement) or _SCALAR.fullmatch(statement)):
            raise ValueError(
                f"{path}:{number}: '{statement}' is code, not data: evaluate it (save the case from MATPOWER with "
                "savecase) so that the tables hold their final per-unit values"
            )


def _rest_of_table(path: Path, number: int, text: str, closing: str) -> str:
    """The bracket still awaited after `text`, '' once the table is closed; only data may stand around it."""
    _, bracket, after = text.partition(closing)
    if not bracket:
        return closing
    if after.strip(" \t;"):
        raise ValueError(f"{path}:{number}: '{after.strip()}' after a table is code, not data")
    return ""


def _without_comment(line: str) -> str:
    quoted = False
    for position, character in enumerate(line):
        if character == "'":
            quoted = not quoted
        elif character == "%" and not quoted:
            return line[:position]
    return line
