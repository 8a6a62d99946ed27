"""A tuning in one plot: cost and largest constraint over the iterations."""

from voltherm.report.figure import BLUE, GREEN, INK, RED, new, style, svg
from voltherm.study.tune import TuneResult


def tune_figure(result: TuneResult) -> str:
    """Cost above, with the design found and the best of the random search; the largest constraint below."""
    history, unit = result.minimum.history, result.objective_unit
    with style("tune"):
        figure = new(7.0, 5.0)
        cost, violation = figure.subplots(2, 1, sharex=True)
        cost.plot(history["objective"], color=BLUE, label="descent")
        cost.axhline(result.objective, color=GREEN, linestyle="--", label="design found")
        if result.search is not None and result.search.feasible:
            cost.axhline(result.search.objective, color=RED, linestyle=":", label="best of the random search")
        cost.set_ylabel(f"yearly cost [{unit}]" if unit else "objective")
        cost.legend()
        violation.plot(history["violation"], color=BLUE)
        violation.axhline(0.0, color=INK, linewidth=0.8)
        violation.set_ylabel("largest constraint")
        violation.set_xlabel("iteration")
        return svg(figure, "tune", "Cost and largest constraint over the iterations")
