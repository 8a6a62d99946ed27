"""The headline plot: allowed supply temperature and cooling power against ambient."""

import math
from typing import TYPE_CHECKING

import numpy as np

from voltherm.numerics import ResultCode
from voltherm.report.figure import BLUE, FAINT, GREEN, INK, LIGHT_BLUE, MUTED, ORANGE, RED, SAND, new, style, svg
from voltherm.report.quantities import ZERO_CELSIUS, power, temperature
from voltherm.site.outputs import COOLING_PARTS
from voltherm.site.year import Response, trim_onset
from voltherm.study.answer import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NOTICED = 0.02  # of the cooling: less is not spoken of
_USES = (
    ("CDU pumps", "cdu_pump_power", BLUE),
    ("facility pumps", "facility_pump_power", LIGHT_BLUE),
    ("air handlers", "air_handler_power", GREEN),
    ("air-side chillers", "air_chiller_power", SAND),
    ("dry-cooler fans", "dry_cooler_fan_power", ORANGE),
    ("trim chillers", "trim_chiller_power", RED),
)


def first_trim(curve: Response) -> float | None:
    """Dry bulb [K] from which trim chillers work along the solved part of a curve, None where they never do there."""
    onset = trim_onset(curve)
    return onset if math.isfinite(onset) else None


def solved(curve: Response) -> np.ndarray:
    """Which ambients of a curve have a steady state."""
    return np.asarray(curve.result) == ResultCode.CONVERGED


def failed_spans(curve: Response) -> list[tuple[float, float]]:
    """Ambients [K] without a steady state, as ranges that end half-way to their solved neighbours."""
    ambient, good = np.asarray(curve.dry_bulb), solved(curve)
    borders = np.concatenate([ambient[:1], 0.5 * (ambient[1:] + ambient[:-1]), ambient[-1:]])
    turns = np.flatnonzero(np.diff(np.concatenate([[True], good, [True]]).astype(int)))
    return [(float(borders[first]), float(borders[last])) for first, last in turns.reshape(-1, 2)]


def _masked(curve: Response, name: str) -> np.ndarray:
    """A figure of a curve, NaN where it has no steady state."""
    return np.where(solved(curve), np.asarray(curve.figures[name]), np.nan)


def response_figure(answer: Answer) -> str:
    """Supply temperatures above, cooling power by use below, over the same ambient."""
    with style("response"):
        figure = new(9.6, 6.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1.0))
        for axes in (upper, lower):
            _no_steady_state(axes, answer.curve)
        _temperatures(upper, answer)
        _powers(lower, answer)
        lower.set_xlabel("ambient dry bulb [°C]")
        ambient = answer.curve.dry_bulb - ZERO_CELSIUS
        lower.set_xlim(ambient[0], ambient[-1])
        return svg(figure, "response", "Allowed supply temperature and cooling power against ambient")


def _no_steady_state(axes: "Axes", curve: Response) -> None:
    for first, last in failed_spans(curve):
        first, last = first - ZERO_CELSIUS, last - ZERO_CELSIUS
        axes.axvspan(first, last, facecolor=FAINT, alpha=0.6, hatch="///", edgecolor="white", linewidth=0, zorder=0)
        axes.annotate(
            "no steady state",
            (0.5 * (first + last), 0.5),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="center",
            rotation=90,
            color=INK,
            zorder=6,
        )


def _temperatures(axes: "Axes", answer: Answer) -> None:
    curve, allowed = answer.curve, answer.allowed_curve
    ambient = curve.dry_bulb - ZERO_CELSIUS
    limit = np.where(solved(allowed), allowed.set_point, np.nan) - ZERO_CELSIUS
    reached = _masked(curve, "supply_temperature") - ZERO_CELSIUS
    facility = _masked(allowed, "facility_supply_temperature") - ZERO_CELSIUS
    held = float(answer.point.set_point) - ZERO_CELSIUS
    axes.set_title("Secondary supply temperature [°C]")
    axes.fill_between(allowed.dry_bulb - ZERO_CELSIUS, held, limit, color=GREEN, alpha=0.12, linewidth=0)
    axes.plot(allowed.dry_bulb - ZERO_CELSIUS, limit, color=GREEN, linewidth=2.6, label="highest allowed")
    axes.plot(
        allowed.dry_bulb - ZERO_CELSIUS,
        facility,
        color=GREEN,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label="facility water, at the highest allowed",
    )
    axes.plot(ambient, reached, color=BLUE, linewidth=2.2, label="reached at the set point")
    water = _masked(curve, "facility_supply_temperature") - ZERO_CELSIUS
    axes.plot(
        ambient,
        water,
        color=BLUE,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label="facility water, at the set point",
    )
    low = _finite(facility, water).min(initial=held) - 6.0
    high = _finite(limit, reached).max(initial=held) + 2.5
    axes.plot(ambient, ambient, color=MUTED, linewidth=1.0, linestyle=":", label="ambient itself")
    axes.set_ylim(low, high)
    day = float(answer.site.climate.dry_bulb) - ZERO_CELSIUS
    axes.axvline(day, color=INK, linewidth=0.8)
    marks = [(answer.point, BLUE, "at the set point")]
    if answer.allowed is not None:
        marks.append((answer.allowed, GREEN, "highest allowed"))
    for point, colour, name in marks:
        value = point.figures["supply_temperature"] - ZERO_CELSIUS
        axes.plot([day], [value], "o", color=colour, markersize=6.5, markeredgecolor="white", zorder=5)
        text = f"{name} {temperature(point.figures['supply_temperature'])}"
        _mark(axes, text, (day, value), (-10, 8), colour)
    axes.annotate(f"hot day {day:g} °C", (day, low), (-4, 5), textcoords="offset points", ha="right", color=INK)
    axes.legend(loc="lower left", ncols=2)


def _powers(axes: "Axes", answer: Answer) -> None:
    curve, allowed = answer.curve, answer.allowed_curve
    ambient = curve.dry_bulb - ZERO_CELSIUS
    stacked = [_masked(curve, name) / 1e6 for _, name, _ in _USES]
    axes.set_title("Cooling power [MW]")
    axes.stackplot(
        ambient, stacked, labels=[label for label, _, _ in _USES], colors=[colour for _, _, colour in _USES], alpha=0.85
    )
    other = _masked(allowed, "cooling_power") / 1e6
    axes.plot(
        allowed.dry_bulb - ZERO_CELSIUS,
        other,
        color=INK,
        linewidth=1.8,
        linestyle=(0, (5, 2)),
        label="all, at the highest allowed",
    )
    day = float(answer.site.climate.dry_bulb) - ZERO_CELSIUS
    axes.axvline(day, color=INK, linewidth=0.8)
    day_powers = [point.figures["cooling_power"] / 1e6 for point in (answer.point, answer.allowed) if point is not None]
    top = float(_finite(np.sum(stacked, axis=0), other).max(initial=max(day_powers)))
    axes.set_ylim(0.0, 1.12 * top)
    marks = [(answer.point, BLUE)] + ([(answer.allowed, GREEN)] if answer.allowed is not None else [])
    for point, colour in marks:
        value = point.figures["cooling_power"]
        axes.plot([day], [value / 1e6], "o", color=colour, markersize=6.5, markeredgecolor="white", zorder=5)
        _mark(axes, power(value), (day, value / 1e6), (-10, 8), colour)
    level = 0
    for which, colour, name in ((curve, BLUE, "at the set point"), (allowed, GREEN, "at the highest allowed")):
        start = first_trim(which)
        if start is None or start <= which.dry_bulb[0]:
            continue
        axes.axvline(start - ZERO_CELSIUS, color=colour, linewidth=0.9, linestyle=":")
        axes.annotate(
            f"trim chillers from {start - ZERO_CELSIUS:.0f} °C {name}",
            (0.74, 0.94 - 0.09 * level),
            xycoords="axes fraction",
            ha="right",
            va="center",
            color=colour,
            fontsize=8.5,
        )
        level += 1
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", ncols=2)


def _finite(*series: np.ndarray) -> np.ndarray:
    """All values that a failed solve has not left out."""
    values = np.concatenate(series)
    return values[np.isfinite(values)]


def _mark(axes: "Axes", text: str, where: tuple[float, float], shift: tuple[int, int], colour: str) -> None:
    plate = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    axes.annotate(
        text,
        where,
        shift,
        textcoords="offset points",
        ha="right",
        color=colour,
        fontweight="bold",
        bbox=plate,
        zorder=6,
    )


def _dearer(answer: Answer) -> str:
    """Where the highest supply takes more cooling than the set point, and what takes it; empty where it never does."""
    warmer, curve = answer.allowed_curve, answer.curve

    def more(name: str) -> np.ndarray:
        return warmer.figures[name] - np.interp(warmer.dry_bulb, curve.dry_bulb, curve.figures[name])

    extra = more("cooling_power")
    noticed = np.flatnonzero(extra > _NOTICED * np.abs(warmer.figures["cooling_power"]))
    if noticed.size == 0 or answer.allowed is None:
        return ""
    worst = noticed[np.argmax(extra[noticed])]
    first, last = (temperature(float(warmer.dry_bulb[noticed[end]]), 0) for end in (0, -1))
    part = max(COOLING_PARTS, key=lambda name: more(name)[worst])
    why = (
        ": the air-side chillers condense into the facility water, which is warmer then"
        if part == "air_chiller_power"
        else ""
    )
    return (
        f" Between {first} and {last} the highest supply takes up to {power(float(extra[worst]))} more than the set "
        f"point{why}."
    )


def response_caption(answer: Answer) -> str:
    """What the plot shows, in a sentence or two."""
    starts, gaps = [], []
    for curve, name in ((answer.curve, "at the set point"), (answer.allowed_curve, "at the highest supply")):
        start = first_trim(curve)
        starts.append(
            f"{name} trim chillers are never needed"
            if start is None
            else f"{name} they start at about {temperature(start, 0)} outside"
        )
    for first, last in failed_spans(answer.curve):
        gaps.append(f"from {temperature(first)} to {temperature(last)} outside the set point has no steady state")
    for first, last in failed_spans(answer.allowed_curve):
        gaps.append(
            f"from {temperature(first)} to {temperature(last)} outside no supply temperature was found to serve"
        )
    missing = f" Nothing is drawn where no solution was found: {'; '.join(gaps)}." if gaps else ""
    return (
        "Above: the highest supply temperature at which every chip keeps its limit, and what the set point reaches; "
        "between them lies the margin. Below: cooling power by use at the set point, in all at the highest supply. "
        f"Trim chillers: {'; '.join(starts)}.{_dearer(answer)}{missing}"
    )
