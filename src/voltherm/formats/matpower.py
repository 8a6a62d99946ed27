"""MATPOWER cases: `.m` files, `.npz` arrays, and the network they describe.

`read_case` is the front: network, parameters, the voltages that the file holds as a start, and what was left out.
How a `.m` file is read without running it stands in `voltherm.formats.matpower_text`, what its columns mean in
`voltherm.power.matpower`.
"""

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voltherm.formats.errors import FileFormatError
from voltherm.formats.matpower_text import LARGEST, CaseText

if TYPE_CHECKING:
    from voltherm.power import BusVoltages, Network, PowerParameters

_BUS_COLUMNS, _GEN_COLUMNS, _BRANCH_COLUMNS = 13, 10, 11
_SECOND_VERSION_GEN_COLUMNS = 21
_DC_LINE_STATUS = 2
_TABLES = ("bus", "gen", "branch")


class Arrays(NamedTuple):
    """Case arrays in MATPOWER's columns and units: `bus` (n, >= 13), `gen` (g, >= 10), `branch` (b, >= 11)."""

    base_mva: float
    bus: np.ndarray
    gen: np.ndarray
    branch: np.ndarray


class Case(NamedTuple):
    """A case as `voltherm.power.steady` takes it.

    `initial`: the voltages that the file holds, to be given to `steady` as `initial`. A large network started flat may
    end in another root of the same equations, started from its own state it does not. `isolated`: numbers of the
    buses of type 4, which are in none of the others.
    """

    network: "Network"
    parameters: "PowerParameters"
    initial: "BusVoltages"
    isolated: tuple[str, ...]


def read_case(path: str | Path, *, leave_out_dc_lines: bool = False) -> Case:
    """The case in a `.m` file, or in a `.npz` file with baseMVA, bus, gen and branch.

    **Arguments**: `leave_out_dc_lines`: take the case without its direct-current lines, as MATPOWER's own power flow
    does where `toggle_dcline` was not called.

    **Raises**: `FileFormatError` with the file, the line or the element, and what is wrong.
    """
    file = Path(path)
    arrays = read_file(file, leave_out_dc_lines=leave_out_dc_lines)
    from voltherm.power.matpower import from_arrays, initial_voltages, isolated_buses

    try:
        network, parameters = from_arrays(*arrays)
    except ValueError as error:
        raise FileFormatError(f"{file}: {error}") from error
    return Case(network, parameters, initial_voltages(arrays.bus), isolated_buses(arrays.bus))


def read_arrays(
    base_mva: float, bus: np.ndarray, gen: np.ndarray, branch: np.ndarray
) -> "tuple[Network, PowerParameters]":
    """Network and parameters of case arrays (see `voltherm.power.matpower`); ValueError names what is not modelled."""
    from voltherm.power.matpower import from_arrays

    problem = _shape_problem(bus, gen, branch)
    if problem:
        raise ValueError(problem)
    return from_arrays(base_mva, bus, gen, branch)


def _shape_problem(bus: np.ndarray, gen: np.ndarray, branch: np.ndarray) -> str:
    for name, array, columns in (
        ("bus", bus, _BUS_COLUMNS),
        ("gen", gen, _GEN_COLUMNS),
        ("branch", branch, _BRANCH_COLUMNS),
    ):
        if array.ndim != 2 or array.shape[1] < columns:
            return f"table {name}: {columns} columns needed, its shape is {array.shape}"
    return ""


def read_file(path: Path, *, leave_out_dc_lines: bool = False) -> Arrays:
    """Case arrays of a file; arguments and errors are those of `read_case`."""
    arrays = _stored(path) if path.suffix == ".npz" else _written(path, leave_out_dc_lines)
    problem = _shape_problem(*arrays[1:])
    if problem:
        raise FileFormatError(f"{path}: {problem}")
    return arrays


def _stored(path: Path) -> Arrays:
    try:
        # a file that numpy opens itself stays open where it is no archive
        with path.open("rb") as stream, np.load(stream) as stored:
            if sum(member.file_size for member in stored.zip.infolist()) > LARGEST:
                raise FileFormatError(f"{path}: holds more than {LARGEST // 1_000_000} MB: not a MATPOWER case")
            missing = [name for name in ("baseMVA", *_TABLES) if name not in stored]
            if missing:
                raise FileFormatError(f"{path}: no array {', '.join(missing)}; is this a MATPOWER case?")
            tables = [np.asarray(stored[name], dtype=np.float64) for name in _TABLES]
            return Arrays(float(stored["baseMVA"]), *tables)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (AttributeError, EOFError, MemoryError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise FileFormatError(f"{path}: truncated, or not a file of NumPy arrays") from error


def _written(path: Path, leave_out_dc_lines: bool) -> Arrays:
    case = CaseText(path)
    base, tables = case.number("baseMVA"), [case.table(name) for name in _TABLES]
    version = case.fields["version"].rows[0][1].strip("'\"") if "version" in case.fields else ""
    if not version:
        # as MATPOWER's loadcase tells the versions apart
        version = "2" if tables[1].shape[1] >= _SECOND_VERSION_GEN_COLUMNS else "1"
    if version != "2":
        line = case.fields.get("version", case.fields["gen"]).line
        raise FileFormatError(
            f"{path}:{line}: is a case of format version {version[:20]}: load it in MATPOWER and save it with savecase"
        )
    if "dcline" in case.fields and not leave_out_dc_lines:
        lines = case.table("dcline")
        carrying = int(np.sum(lines[:, _DC_LINE_STATUS] > 0)) if lines.shape[1] > _DC_LINE_STATUS else 0
        if carrying:
            raise FileFormatError(
                f"{path}:{case.fields['dcline'].line}: {carrying} direct-current "
                f"{'line is' if carrying == 1 else 'lines are'} in service and not modelled: put generators in their "
                "place (toggle_dcline), or ask for the case without them"
            )
    return Arrays(base, *tables)
