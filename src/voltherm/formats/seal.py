"""A digest behind the last byte of a file, so that a damaged one is refused before a library opens it.

    file = contents, then one line:  voltherm sha256 <hexadecimal digest of the contents>

The HDF5 library stops its whole process at some files with a few wrong bytes; one that is whole to the last bit it has
written itself. It reads no further than its own end of file, so the line is in nobody's way. The digest guards against
damage: whoever builds a file on purpose can seal it as well.
"""

import hashlib
from pathlib import Path

_MARK = b"\nvoltherm sha256 "
_LENGTH = len(_MARK) + 64 + 1
_PIECE = 1 << 20


class BrokenSealError(ValueError):
    """A file without its digest, or with another one."""


def sealed(contents: bytes) -> bytes:
    """Contents with their digest behind them."""
    return contents + _line(hashlib.sha256(contents).hexdigest())


def unsealed(raw: bytes) -> bytes:
    """Contents whose digest holds. **Raises** `BrokenSealError`."""
    contents = raw[:-_LENGTH]
    if not raw[-_LENGTH:].startswith(_MARK):
        raise BrokenSealError("no digest")
    if sealed(contents) != raw:
        raise BrokenSealError("another digest")
    return contents


def seal(file: Path) -> None:
    """Write the digest of a file behind its last byte."""
    line = _line(_digest(file, file.stat().st_size))
    with file.open("ab") as stream:
        stream.write(line)


def check_seal(file: Path) -> None:
    """**Raises** `BrokenSealError` where a file has no digest at its end, or another one; `OSError`."""
    length = file.stat().st_size - _LENGTH
    if length < 0:
        raise BrokenSealError("no digest")
    with file.open("rb") as stream:
        stream.seek(length)
        end = stream.read(_LENGTH)
    if not end.startswith(_MARK):
        raise BrokenSealError("no digest")
    if end != _line(_digest(file, length)):
        raise BrokenSealError("another digest")


def _line(digest: str) -> bytes:
    return _MARK + digest.encode() + b"\n"


def _digest(file: Path, length: int) -> str:
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while length > 0 and (piece := stream.read(min(_PIECE, length))):
            total.update(piece)
            length -= len(piece)
    return total.hexdigest()
