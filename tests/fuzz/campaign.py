"""One reader against many mutated files: each is accepted, or refused in a sentence with exit code 2, and in time.

A file that ends in any other exception, in more than `SECONDS` of processor time, or in a sentence that is too long or
that a terminal would obey, has failed. It is kept, so that it can be read again.
"""

import contextlib
import dataclasses
import faulthandler
import random
import signal
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.targets import TARGETS, Target
from voltherm.formats.errors import VolthermError

SECONDS = 30.0
"""Of processor time, so that a loaded machine changes no verdict."""
_LONGEST = 20_000


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`kind`: accepted, refused or failed; `told`: the sentence, or what went wrong."""

    kind: str
    told: str = ""


class TooSlow(BaseException):
    """A file took too long. No `Exception`, so that no reader takes it for its own."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` after that much processor time; where no Python runs, end the process with a traceback later."""

    def late(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    faulthandler.dump_traceback_later(20.0 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def judged(target: Target, path: Path) -> Verdict:
    """What a reader makes of a file."""
    try:
        with limited(SECONDS):
            target.read(path)
    except VolthermError as error:
        told = str(error)
        if error.exit_code != 2:
            return Verdict("failed", f"exit code {error.exit_code}: {told[:500]}")
        if len(told) > _LONGEST:
            return Verdict("failed", f"a sentence of {len(told):,} characters: {told[:500]}")
        return Verdict("refused", told)
    except TooSlow:
        return Verdict("failed", f"not read within {SECONDS:g} s")
    # whatever a reader did not foresee is what is looked for
    except Exception:
        return Verdict("failed", traceback.format_exc(limit=-4)[-2_000:])
    return Verdict("accepted")


def campaign(name: str, cases: int, seed: int, keep: Path | None = None) -> Iterator[Verdict]:
    """Verdicts on `cases` mutated files of one reader; failed files are kept in the folder `keep`."""
    target = TARGETS[name]
    rng = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
        folder = Path(made)
        sources = target.sources(folder)
        for number in range(cases):
            source = rng.choice(list(sources))
            contents = target.mutate(rng, sources[source])
            path = folder / f"mutated_{source}"
            path.write_bytes(contents)
            verdict = judged(target, path)
            if verdict.kind == "failed" and keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}_{seed}_{number}_{source}").write_bytes(contents)
            yield verdict
