"""The headline plot: allowed supply temperature and cooling power against ambient."""

from typing import TYPE_CHECKING

import numpy as np

from voltherm.report.figure import BLUE, GREEN, INK, LIGHT_BLUE, MUTED, ORANGE, RED, SAND, new, style, svg
from voltherm.report.quantities import ZERO_CELSIUS, power, temperature
from voltherm.site.year import Response
from voltherm.study.answer import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TRIM_HEAT = 1e3  # W: less is not called trim chilling

_USES = (
    ("CDU pumps", "cdu_pump_power", BLUE),
    ("facility pumps", "facility_pump_power", LIGHT_BLUE),
    ("air handlers", "air_handler_power", GREEN),
    ("air-side chillers", "air_chiller_power", SAND),
    ("dry-cooler fans", "dry_cooler_fan_power", ORANGE),
    ("trim chillers", "trim_chiller_power", RED),
)


def first_trim(curve: Response) -> float | None:
    """Dry bulb [K] from which trim chillers work along a curve, None where they never do."""
    heat = np.nan_to_num(np.asarray(curve.figures["trim_chiller_heat"]))
    working = np.flatnonzero(heat > _TRIM_HEAT)
    if len(working) == 0:
        return None
    index = int(working[0])
    # the last point without any is where they start, to the width of the grid
    return float(curve.dry_bulb[max(index - 1, 0)])


def response_figure(answer: Answer) -> str:
    """Supply temperatures above, cooling power by use below, over the same ambient."""
    with style("response"):
        figure = new(9.6, 6.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1.0))
        _temperatures(upper, answer)
        _powers(lower, answer)
        lower.set_xlabel("ambient dry bulb [°C]")
        ambient = answer.curve.dry_bulb - ZERO_CELSIUS
        lower.set_xlim(ambient[0], ambient[-1])
        return svg(figure, "response", "Allowed supply temperature and cooling power against ambient")


def _temperatures(axes: "Axes", answer: Answer) -> None:
    curve, allowed = answer.curve, answer.allowed_curve
    ambient = curve.dry_bulb - ZERO_CELSIUS
    limit = allowed.set_point - ZERO_CELSIUS
    reached = curve.figures["supply_temperature"] - ZERO_CELSIUS
    facility = allowed.figures["facility_supply_temperature"] - ZERO_CELSIUS
    held = curve.set_point - ZERO_CELSIUS
    axes.set_title("Secondary supply temperature [°C]")
    axes.fill_between(allowed.dry_bulb - ZERO_CELSIUS, held[0], limit, color=GREEN, alpha=0.12, linewidth=0)
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
    axes.plot(
        ambient,
        curve.figures["facility_supply_temperature"] - ZERO_CELSIUS,
        color=BLUE,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label="facility water, at the set point",
    )
    water = curve.figures["facility_supply_temperature"] - ZERO_CELSIUS
    low = _finite(facility, water).min(initial=held[0]) - 6.0
    high = _finite(limit, reached).max(initial=held[0]) + 2.5
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
    stacked = [np.nan_to_num(np.asarray(curve.figures[name])) / 1e6 for _, name, _ in _USES]
    axes.set_title("Cooling power [MW]")
    axes.stackplot(
        ambient, stacked, labels=[label for label, _, _ in _USES], colors=[colour for _, _, colour in _USES], alpha=0.85
    )
    other = allowed.figures["cooling_power"] / 1e6
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
    top = max(float(np.sum(stacked, axis=0).max()), float(_finite(other).max(initial=0.0)))
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


def response_caption(answer: Answer) -> str:
    """What the plot shows, in a sentence or two."""
    starts = []
    for curve, name in ((answer.curve, "at the set point"), (answer.allowed_curve, "at the highest allowed supply")):
        start = first_trim(curve)
        starts.append(
            f"{name} trim chillers are never needed"
            if start is None
            else f"{name} they start at about {temperature(start, 0)} outside"
        )
    return (
        "Above: the highest supply temperature at which every chip keeps its limit, and what the "
        "set point reaches. The "
        "room between the two is the margin. Below: power of cooling by use at the set point, and "
        "in all at the highest "
        f"allowed supply. Trim chillers take what the dry coolers leave: {'; '.join(starts)}."
    )
