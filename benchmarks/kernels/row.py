"""One row of the record: a case, an implementation and its peer; and the file that holds the rows."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """What was measured; None where it was not.

    us_per_scenario, peer_us_per_scenario: wall time, median of the repetitions, over the scenarios of the batch.
    ratio: peer over ours. gradient_ratio: forward plus gradient by everything that differs between scenarios, over
    forward; gradient_ratio_all: the same by the numbers of all branches as well. iterations: mean over the scenarios.
    residual: largest of all scenarios, in the unit of the tolerance. compile_s: trace, lower and compile. peak_mb: most
    memory the process held until the first answer. processor_us_per_scenario: processor time of both cores together,
    which says more than wall time where others use the machine; gradient_processor_ratio is of those. agreement:
    largest difference from the peer, p.u. voltage or relative flow, to stay below agreement_limit. note: what went
    wrong, or why there is no peer.
    """

    suite: str
    case: str
    batch: int
    implementation: str
    us_per_scenario: float | None = None
    peer: str | None = None
    peer_us_per_scenario: float | None = None
    ratio: float | None = None
    gradient_ratio: float | None = None
    iterations: float | None = None
    residual: float | None = None
    tolerance: float | None = None
    compile_s: float | None = None
    peak_mb: float | None = None
    gradient_ratio_all: float | None = None
    gradient_processor_ratio: float | None = None
    processor_us_per_scenario: float | None = None
    peer_processor_us_per_scenario: float | None = None
    agreement: float | None = None
    agreement_limit: float | None = None
    failed: bool = False
    note: str = ""
    when: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    @property
    def key(self) -> tuple[str, str]:
        """What a row is about: a later one with this key replaces it."""
        return self.case, self.implementation

    @property
    def processor_ratio(self) -> float | None:
        """Processor time of the peer over ours."""
        ours, peer = self.processor_us_per_scenario, self.peer_processor_us_per_scenario
        return None if ours is None or peer is None else peer / ours


def read(file: Path) -> list[Row]:
    """Rows of a record; none where there is no file."""
    if not file.is_file():
        return []
    known = {each.name for each in fields(Row)}
    stored = json.loads(file.read_text(encoding="utf-8"))
    return [Row(**{name: value for name, value in row.items() if name in known}) for row in stored]


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write the record so that whoever reads meanwhile sees the former one or this one, whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, file)


def replaced(rows: Sequence[Row], newer: Row) -> list[Row]:
    """The rows with a newer one in the place of its predecessor, or behind them."""
    if newer.key not in [row.key for row in rows]:
        return [*rows, newer]
    return [newer if row.key == newer.key else row for row in rows]
