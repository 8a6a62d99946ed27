"""A sample of `make fuzz`: mutated files are accepted or refused in a sentence, whatever they hold."""

from collections import Counter

import pytest

from tests.fuzz.campaign import TooSlow, campaign, judged, limited
from tests.fuzz.targets import TARGETS, Target
from voltherm.formats.errors import EnvironmentFaultError, FileFormatError

SAMPLE = {"configuration": 60, "weather": 20, "matpower": 100}


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_files_are_accepted_or_refused(name, tmp_path):
    verdicts = list(campaign(name, SAMPLE.get(name, 60), seed=20, keep=tmp_path))
    failed = [verdict.told for verdict in verdicts if verdict.kind == "failed"]
    assert not failed, "\n".join(failed)
    assert Counter(verdict.kind for verdict in verdicts)["refused"] > len(verdicts) / 4


def _says(error):
    def read(_):
        raise error

    return Target(dict, lambda rng, source: source, read)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("Exceeds the limit"), "Exceeds the limit"),
        (RecursionError(), "RecursionError"),
        (EnvironmentFaultError("disk"), "exit code 5"),
        (TooSlow(), "not read within"),
    ],
)
def test_what_fails_is_seen(tmp_path, error, told):
    verdict = judged(_says(error), tmp_path)
    assert verdict.kind == "failed"
    assert told in verdict.told
    assert judged(_says(FileFormatError("x: no")), tmp_path).kind == "refused"


def test_an_endless_reader_is_stopped():
    def endless():
        with limited(0.2):
            while True:
                pass

    with pytest.raises(TooSlow):
        endless()
