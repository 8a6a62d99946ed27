"""What the smallest chip margin does when a number of the configuration moves by its standard uncertainty, or, where no
number has a tolerance, by its natural step."""

from voltherm.report.configuration import uncertainty_text, value_text
from voltherm.report.figure import GREEN, INK, RED, new, style, svg
from voltherm.report.uncertainty import not_known
from voltherm.study.answer import Answer
from voltherm.study.sensitivity import Sensitivity


def sensitivity_figure(answer: Answer) -> str:
    """Bars, longest on top; green where more of the number means more margin."""
    known = not_known(answer)
    found = (known or list(answer.sensitivities))[::-1]
    with style("sensitivity"):
        figure = new(9.6, 0.9 + 0.33 * max(len(found), 1))
        axes = figure.subplots()
        by = " by one standard uncertainty" if known else ""
        axes.set_title(f"Smallest junction margin [K]{by}")
        axes.grid(visible=False, axis="y")
        positions = range(len(found))
        effects = [each.effect for each in found]
        axes.barh(positions, effects, color=[GREEN if effect > 0.0 else RED for effect in effects], height=0.62)
        labels = [f"{each.path}  +{_step(each)}  of {value_text(each.path, each.value)}" for each in found]
        axes.set_yticks(list(positions), labels)
        axes.axvline(0.0, color=INK, linewidth=0.8)
        largest = max((abs(effect) for effect in effects), default=1.0)
        axes.set_xlim(-1.25 * largest, 1.25 * largest)
        for position, effect in zip(positions, effects, strict=True):
            axes.annotate(
                f"{effect:+.3f}",
                (effect, position),
                (4 if effect > 0.0 else -4, 0),
                textcoords="offset points",
                ha="left" if effect > 0.0 else "right",
                va="center",
                fontsize=8.5,
            )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        return svg(figure, "sensitivity", "Sensitivity of the smallest junction margin")


def _step(found: Sensitivity) -> str:
    return uncertainty_text(found.path, found.step) if found.toleranced else found.step_text
