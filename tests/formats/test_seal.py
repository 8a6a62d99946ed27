"""The digest behind the last byte of a file."""

import pytest

from voltherm.formats.seal import BrokenSealError, check_seal, seal, sealed, unsealed


def test_there_and_back(tmp_path):
    for contents in (b"", b"x", b"\n" * 200, bytes(range(256)) * 10_000):
        assert unsealed(sealed(contents)) == contents
        file = tmp_path / "file"
        file.write_bytes(contents)
        seal(file)
        assert file.read_bytes() == sealed(contents)
        check_seal(file)


@pytest.mark.parametrize("broken", [b"", b"abc", sealed(b"abc")[:-1], b"x" + sealed(b"abc"), sealed(b"abc") + b"x"])
def test_broken_ones_are_told(tmp_path, broken):
    with pytest.raises(BrokenSealError):
        unsealed(broken)
    file = tmp_path / "file"
    file.write_bytes(broken)
    with pytest.raises(BrokenSealError):
        check_seal(file)
