"""Power of one rack at its load factor, without the thermal model, which needs jax.

    P_chip(i) = min(P (1 + s_i) (f (1 - ι) + ι), l P),   ι = max(idle power, λ),   s_i from s to -s over a tray
    P_chips = Σ P_chip      P_out = P_chips + f P_air      P_in = P_out + S loss(P_out / S)
    heat to liquid = P_chips             heat to air = P_in - P_chips

| symbol | meaning | unit |
| --- | --- | --- |
| f | load factor: work asked of everything in the rack that follows it, liquid-cooled and air-cooled | 1 |
| P, λ | power and share of leakage of each kind of chip, at its reference temperature | W, 1 |
| s, l | spread of the power over the chips of a tray, power limit of a chip over P | 1 |
| P_air | power of the air-cooled parts, so that at f = 1 the heat to air is the published `rack.air_heat` | W |
| S, loss | rating of the power shelves, loss over it (`voltherm.power.loss_curve`) | W, 1 |

It is what `voltherm.site.racks` gives with every chip at its reference temperature; tests hold the two together.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

_CHIP = ("per_tray", "power", "idle_power", "power_limit", "leakage_fraction", "power_spread")
LOAD = (
    "rack.load_factor",
    "rack.compute_trays",
    *(f"rack.{chip}.{name}" for chip in ("gpu", "cpu") for name in _CHIP),
    "rack.switch_trays",
    *(f"rack.switch.{name}" for name in _CHIP),
    "rack.air_heat",
    "electrical.power_shelf.rating",
    "electrical.power_shelf.efficiency",
    "electrical.power_shelf.load",
)
"""The numbers of a case that a rack's power follows from, in the order of `rack_heat`."""

_BISECTIONS = 60


@dataclasses.dataclass(frozen=True)
class RackHeat:
    """Heat of one rack to liquid and to air [W]; `electronics`: direct-current power of its air-cooled parts at full
    load [W]; `least_air_heat`: loss of its power shelves where they feed the chips alone [W]."""

    liquid: float
    air: float
    electronics: float
    least_air_heat: float

    @property
    def power(self) -> float:
        """Power at the input of the rack [W]."""
        return self.liquid + self.air


def rack_heat(load_factor: float, *numbers: Any) -> RackHeat:
    """Heat of one rack from the numbers of `LOAD`. The curve of the shelves has to be a curve, see `curve_problem`."""
    each = len(_CHIP)
    compute_trays, switch_trays = numbers[0], numbers[1 + 2 * each]
    chips = (
        (compute_trays, *numbers[1 : 1 + each]),
        (compute_trays, *numbers[1 + each : 1 + 2 * each]),
        (switch_trays, *numbers[2 + 2 * each : 2 + 3 * each]),
    )
    air_heat, rating, efficiency, load = numbers[2 + 3 * each :]
    loss = loss_curve(efficiency, load)

    def shelf_loss(output: float) -> float:
        return rating * loss(output / rating)

    full = sum(trays * count * power for trays, count, power, *_ in chips)
    lower, upper = 0.0, full + air_heat
    for _ in range(_BISECTIONS):
        output = 0.5 * (lower + upper)
        lower, upper = (output, upper) if output + shelf_loss(output) < full + air_heat else (lower, output)
    electronics = 0.5 * (lower + upper) - full
    liquid = sum(trays * tray_power(load_factor, *chip) for trays, *chip in chips)
    output = liquid + load_factor * electronics
    return RackHeat(liquid, output - liquid + shelf_loss(output), electronics, shelf_loss(full))


def tray_power(
    load_factor: float, count: int, power: float, idle: float, limit: float, leakage: float, spread: float
) -> float:
    """Power [W] of the chips of one kind in a tray, each at its reference temperature and within its power limit."""
    rest = max(idle, leakage)
    share = load_factor * (1.0 - rest) + rest
    places = [1.0 - 2.0 * number / (count - 1) for number in range(count)] if count > 1 else [0.0]
    return sum(power * min((1.0 + spread * place) * share, limit) for place in places)


def curve_problem(efficiency: Sequence[float], load: Sequence[float]) -> str | None:
    """What is wrong with efficiencies over loads."""
    if len(efficiency) != len(load):
        return f"holds {len(load)} loads for {len(efficiency)} efficiencies: as many of each are needed"
    if len(load) < 2:
        return "a curve needs at least 2 points"
    wrong = [(a, b) for a, b in itertools.pairwise(load) if b <= a]
    if wrong:
        return f"loads have to increase: {100 * wrong[0][1]:g} % stands behind {100 * wrong[0][0]:g} %"
    return None


def loss_curve(efficiency: Sequence[float], load: Sequence[float]) -> Callable[[float], float]:
    """Loss over rating against load, as `voltherm.power.LossCurve` reads the same points."""
    values = [x * (1.0 / eta - 1.0) for x, eta in zip(load, efficiency, strict=True)]
    widths = [b - a for a, b in itertools.pairwise(load)]
    secants = [(b - a) / width for (a, b), width in zip(itertools.pairwise(values), widths, strict=True)]
    slopes = [secants[0], secants[-1]]
    for (left, right), (before, after) in zip(itertools.pairwise(secants), itertools.pairwise(widths), strict=True):
        first, second = 2.0 * after + before, after + 2.0 * before
        mean = (first + second) / (first / left + second / right) if left * right > 0.0 else 0.0
        slopes.insert(-1, mean)

    def loss(at: float) -> float:
        if at <= load[0]:
            return values[0] + (at - load[0]) * min(slopes[0], values[0] / load[0])
        if at >= load[-1]:
            return values[-1] + (at - load[-1]) * slopes[-1]
        k = next(number for number, knot in enumerate(load) if knot > at) - 1
        t, width = (at - load[k]) / widths[k], widths[k]
        return (
            (1.0 + 2.0 * t) * (1.0 - t) ** 2 * values[k]
            + t * (1.0 - t) ** 2 * width * slopes[k]
            + t**2 * (3.0 - 2.0 * t) * values[k + 1]
            + t**2 * (t - 1.0) * width * slopes[k + 1]
        )

    return loss
