"""The year: energy of cooling by month with the PUE, and the hours a year lies above every dry bulb."""

from typing import TYPE_CHECKING

import numpy as np

from voltherm.report.figure import BLUE, GREEN, INK, LIGHT_BLUE, MUTED, ORANGE, RED, SAND, new, style, svg
from voltherm.report.quantities import JOULES_PER_MEGAWATT_HOUR, MONTHS, ZERO_CELSIUS
from voltherm.site.year import Year
from voltherm.study.answer import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_USES = (
    ("pumps", ("cdu_pump_power", "facility_pump_power"), BLUE),
    ("air handlers", ("air_handler_power",), GREEN),
    ("air-side chillers", ("air_chiller_power",), SAND),
    ("dry-cooler fans", ("dry_cooler_fan_power",), ORANGE),
    ("trim chillers", ("trim_chiller_power",), RED),
)


def year_figure(answer: Answer, year: Year) -> str:
    """Stacked bars of energy and the PUE by month; duration curve of the dry bulb with what starts where."""
    with style("year"):
        figure = new(9.6, 3.9)
        energy, hours = figure.subplots(1, 2, width_ratios=(1.35, 1.0))
        energy.set_title("Cooling by month [GWh], at the set point")
        positions = np.arange(12)
        base = np.zeros(12)
        for label, names, colour in _USES:
            monthly = sum(np.asarray(year.monthly_energy[name]) for name in names) / JOULES_PER_MEGAWATT_HOUR / 1e3
            energy.bar(positions, monthly, bottom=base, color=colour, width=0.72, label=label)
            base = base + monthly
        energy.set_xticks(positions, [month[0] for month in MONTHS])
        energy.set_ylim(0.0, 1.5 * max(float(np.max(base)), 1e-9))
        energy.grid(visible=False, axis="x")
        twin = energy.twinx()
        twin.grid(visible=False)
        twin.plot(positions, year.monthly_pue, "o-", color=INK, markersize=4, linewidth=1.3, label="PUE (right)")
        series = [year.monthly_pue]
        if answer.allowed_year is not None:
            series.append(answer.allowed_year.monthly_pue)
            twin.plot(
                positions, series[1], "o--", color=MUTED, markersize=3.5, linewidth=1.1, label="PUE, highest supply"
            )
        low, high = float(np.min(series)), float(np.max(series))
        reach = max(high - low, 1e-3)
        twin.set_ylim(low - 2.2 * reach, high + 0.6 * reach)
        twin.set_yticks([tick for tick in twin.get_yticks() if low - 0.5 * reach <= tick <= high + 0.5 * reach])
        twin.spines["right"].set_visible(True)
        handles = [*energy.get_legend_handles_labels()[0], *twin.get_legend_handles_labels()[0]]
        labels = [*energy.get_legend_handles_labels()[1], *twin.get_legend_handles_labels()[1]]
        energy.legend(handles, labels, loc="upper center", ncols=3, bbox_to_anchor=(0.5, -0.1))
        _duration(hours, answer, year)
        return svg(figure, "year", "Energy of cooling by month, and duration curve of the dry bulb")


def _duration(axes: "Axes", answer: Answer, first: Year) -> None:
    ordered = np.sort(np.asarray(first.dry_bulb))[::-1] - ZERO_CELSIUS
    hours = np.arange(1, len(ordered) + 1)
    axes.set_title("Hours a year above a dry bulb [°C]")
    axes.plot(hours, ordered, color=BLUE)
    axes.fill_between(hours, ordered, np.min(ordered), color=LIGHT_BLUE, alpha=0.25, linewidth=0)
    axes.set_xlim(0, len(ordered))
    axes.set_ylim(np.min(ordered), np.max(ordered) + 3.0)
    axes.set_xlabel("hours")
    years = [(first, RED, "set point")]
    if answer.allowed_year is not None:
        years.append((answer.allowed_year, GREEN, "highest allowed"))
    for year, colour, name in years:
        if not 0 < year.hours_of_trim < len(ordered):
            continue
        level = float(ordered[year.hours_of_trim])
        axes.axhline(level, color=colour, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.annotate(
            f"trim chilling at the {name}: {year.hours_of_trim:,} h above {level:.0f} °C",
            (len(ordered), level),
            (-3, 3),
            textcoords="offset points",
            ha="right",
            color=colour,
            fontsize=8,
        )


def year_caption(answer: Answer, year: Year) -> str:
    """What the plots show, in a sentence or two."""
    shown = (
        f"{year.hours_of_trim:,} hours of trim chilling and {year.hours_above_limit:,} hours "
        "above a temperature limit at the set point"
    )
    if answer.allowed_year is not None:
        shown += (
            f"; {answer.allowed_year.hours_of_trim:,} and "
            f"{answer.allowed_year.hours_above_limit:,} at the highest supply"
        )
    return f"Left: energy of cooling by month and PUE. Right: how many hours lie above a dry bulb. {shown}."
