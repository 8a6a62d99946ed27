"""Rules between numbers of a case, and how they are told."""

from collections.abc import Callable, Iterator

Rule = Callable[..., str | None]
"""Takes the numbers that it names and says what is wrong and what would be right, or nothing."""

BUILDING_ROWS = ("building.halls", "building.rows_per_hall")
BUILDING_RACKS = (*BUILDING_ROWS, "building.racks_per_row")


class Rules:
    """Rules of one domain: each with the path at which its problem is shown, and the paths of the numbers it needs."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, tuple[str, ...], Rule]] = []

    def __call__(self, at: str, *paths: str) -> Callable[[Rule], Rule]:
        """Registers a rule about the numbers at `paths`, whose problem is shown at `at`."""

        def register(function: Rule) -> Rule:
            self._rules.append((at, paths, function))
            return function

        return register

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...], Rule]]:
        return iter(self._rules)


def power_text(power: float, unit: str = "W") -> str:
    """A power [W], or an apparent one [VA], with three digits, for a sentence."""
    for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if power >= scale:
            return f"{power / scale:.3g} {prefix}{unit}"
    return f"{power:.3g} {unit}"
