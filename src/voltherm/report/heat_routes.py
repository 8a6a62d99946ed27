"""Where the power of a site goes: from every use, through the air side and the facility water, to the surroundings.

    uses -> (air side) -> (facility water) -> dry coolers | trim chillers | straight to the surroundings

Links are the entries of the site's ledger and add up to its balances: what enters a node leaves it. The air side is one
node: rooms and chilled water together.
"""

import dataclasses

import numpy as np

from voltherm.site import ledger
from voltherm.study.answer import Answer, Point

AIR = "air handlers"
WATER, COOLERS, TRIM, FREE = ledger.WATER, ledger.COOLERS, ledger.TRIM, ledger.FREE
OUTSIDE = "straight to the surroundings"
_NODES = {ledger.AIR: AIR, ledger.CHILLED: AIR, ledger.OUTSIDE: OUTSIDE}


@dataclasses.dataclass(frozen=True)
class Link:
    """Power [W] that goes from one node to another."""

    source: str
    target: str
    power: float


def heat_routes(answer: Answer, point: Point) -> list[Link]:
    """All links of a solved point, sources top to bottom as they are drawn; links without power are left out."""
    powers: dict[tuple[str, str], float] = {}
    for each in ledger.ledger(answer.site, point.state):
        source, target = (_NODES.get(name, name) for name in (each.source, each.medium))
        if source != target:
            key = source, target
            powers[key] = powers.get(key, 0.0) + float(np.sum(np.asarray(each.power)))
    return [Link(*key, power) for key, power in powers.items() if power > 1.0]
