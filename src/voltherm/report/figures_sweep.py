"""A sweep in one plot: cooling power over every variable, designs that hold every limit apart from the others."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from voltherm.report.figure import BLUE, ORANGE, new, style, svg

_ACROSS = 3
_DRAWN = 3000  # designs; more hide each other
_MEGAWATT = 1e6


def sweep_figure(
    values: Mapping[str, tuple[np.ndarray, str]], cooling: np.ndarray, feasible: np.ndarray, best: Sequence[int]
) -> str:
    """One panel a variable.

    **Arguments**: `values`: of every variable (design,) in the unit that is named beside it, by path; `cooling`: power
    [W], NaN where a design has no solution; `feasible`: which designs hold every limit; `best`: numbers of designs to
    be ringed.
    """
    count = len(values)
    across = min(count, _ACROSS)
    lines = math.ceil(count / across)
    step = max(1, len(cooling) // _DRAWN)
    solved = np.isfinite(cooling)
    with style("sweep"):
        figure = new(3.4 * across + 0.4, 2.7 * lines + 0.3)
        panels = figure.subplots(lines, across, squeeze=False, sharey=True).ravel()
        for axes, (path, (numbers, unit)) in zip(panels, values.items(), strict=False):
            for chosen, colour, label in (
                (solved & ~feasible, ORANGE, "a limit is passed"),
                (solved & feasible, BLUE, "every limit is held"),
            ):
                there = np.flatnonzero(chosen)[::step]
                axes.plot(
                    numbers[there], cooling[there] / _MEGAWATT, ".", color=colour, markersize=4, alpha=0.6, label=label
                )
            ringed = np.asarray(best, int)
            axes.plot(
                numbers[ringed],
                cooling[ringed] / _MEGAWATT,
                "o",
                markerfacecolor="none",
                markeredgecolor=BLUE,
                markersize=9,
                label="least cooling",
            )
            axes.set_xlabel(f"{path} [{unit}]" if unit else path, fontsize=8)
        for line in range(lines):
            panels[line * across].set_ylabel("cooling power [MW]")
        for axes in panels[count:]:
            axes.set_axis_off()
        panels[0].legend(fontsize=7.5)
        return svg(figure, "sweep", "Cooling power of all designs over every variable")
