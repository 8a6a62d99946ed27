"""The one-line diagram: utility, main transformers, switchgear, feeders and substations with voltages and loadings."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from voltherm.report.figure import INK, MUTED, blank, new, style, svg
from voltherm.report.quantities import number, power
from voltherm.site.electrical import OneLine, one_line
from voltherm.study.answer import Answer, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOADINGS = ((0.0, "#f1f5f9"), (0.6, "#b7d2ea"), (0.8, "#8fbbe0"), (0.92, "#eea24c"), (1.0, "#b3261e"))
_WIDTH = 200.0
_MOST_FEEDERS = 10  # drawn one by one


@dataclasses.dataclass(frozen=True)
class Substation:
    """One substation on a feeder: its name, loading [1], low voltage [p.u.], and the loading of the cable to it [1]."""

    name: str
    loading: float
    voltage: float
    cable_loading: float


@dataclasses.dataclass(frozen=True)
class Feeder:
    """One feeder: its name, the bus it leaves from, and its substations outwards."""

    name: str
    switchgear: str
    substations: tuple[Substation, ...]


def feeders(answer: Answer, point: Point, building: int) -> list[Feeder]:
    """The feeders of one building, ordered by the switchgear they leave from."""
    topology = one_line(answer.site)
    found = _kind(topology, point, building, "row", topology.first_row_cable, topology.row_bus)
    found += _kind(topology, point, building, "mechanical", topology.first_mechanical_cable, topology.mechanical_bus)
    return sorted(found, key=lambda feeder: feeder.switchgear)


def _kind(
    topology: OneLine, point: Point, building: int, kind: str, first: np.ndarray, low_bus: np.ndarray
) -> list[Feeder]:
    network, state = topology.network, point.state.power
    count = low_bus.shape[1]
    cables = topology.group(f"{kind} cable").start + building * count
    transformers = topology.group(f"{kind} substation").start + building * count
    found: list[Feeder] = []
    members: list[Substation] = []
    for position in range(count):
        cable = cables + position
        if first[building * count + position]:
            members = []
            switchgear = network.buses[int(network.from_bus[cable])]
            name = network.branches[cable].split(" to ")[0]
            found.append(Feeder(name, switchgear, ()))
        members.append(
            Substation(
                network.branches[transformers + position].removeprefix("substation "),
                float(state.loading[transformers + position]),
                float(state.voltage_magnitude[low_bus[building, position]]),
                float(state.loading[cable]),
            )
        )
        found[-1] = dataclasses.replace(found[-1], substations=tuple(members))
    return found


def _drawn(found: list[Feeder]) -> list[Feeder]:
    """Every feeder where they are few; else the first, the last and the most loaded of each switchgear, and the others
    together as one column with their highest loading and lowest voltage."""
    if len(found) <= _MOST_FEEDERS:
        return found
    drawn = []
    for name in dict.fromkeys(feeder.switchgear for feeder in found):
        here = [feeder for feeder in found if feeder.switchgear == name]
        kept = {0, len(here) - 1, max(range(len(here)), key=lambda index: _highest(here[index]))}
        others = [feeder for index, feeder in enumerate(here) if index not in kept]
        drawn += [feeder for index, feeder in enumerate(here) if index in kept]
        if others:
            inside = [substation for feeder in others for substation in feeder.substations]
            summary = Substation(
                f"{len(inside)} more",
                max(each.loading for each in inside),
                min(each.voltage for each in inside),
                max(feeder.substations[0].cable_loading for feeder in others),
            )
            drawn.append(Feeder(f"{len(others)} more", name, (summary,)))
    return drawn


def _highest(feeder: Feeder) -> float:
    return max(max(each.loading, each.cable_loading) for each in feeder.substations)


def weakest_building(answer: Answer, point: Point) -> int:
    """The building with the lowest low-voltage bus."""
    topology = one_line(answer.site)
    voltage = np.asarray(point.state.power.voltage_magnitude)
    lowest = np.minimum(voltage[topology.row_bus].min(axis=1), voltage[topology.mechanical_bus].min(axis=1))
    return int(np.argmin(lowest))


def one_line_figure(answer: Answer, point: Point) -> str:
    """A column a feeder, substations outwards from the switchgear, coloured by loading."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    building = weakest_building(answer, point)
    columns = _drawn(feeders(answer, point, building))
    deepest = max(len(feeder.substations) for feeder in columns)
    height = 50.0 + 11.5 * deepest
    with style("oneline"):
        figure = new(10.4, 10.4 * height / _WIDTH + 0.3)
        axes = figure.subplots()
        blank(axes, _WIDTH, height)
        scale = ScalarMappable(Normalize(0.0, 100.0), LinearSegmentedColormap.from_list("loading", _LOADINGS))
        _columns(axes, answer, point, columns, height, scale)
        bar = figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.025, pad=0.01, aspect=60)
        bar.set_label("loading [% of rating]", fontsize=8)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=7.5)
        return svg(figure, "oneline", "One-line diagram with voltages and loadings")


def _columns(axes: "Axes", answer: Answer, point: Point, columns: list[Feeder], height: float, scale) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    topology = one_line(answer.site)
    network, state = topology.network, point.state.power
    voltage = dict(zip(network.buses, np.asarray(state.voltage_magnitude), strict=True))
    loading = dict(zip(network.branches, np.asarray(state.loading), strict=True))
    electrical = answer.site.electrical
    pitch = _WIDTH / len(columns)
    centre = _WIDTH / 2.0
    intake_level, gear_level = height - 16.0, height - 42.0
    switchgears = list(dict.fromkeys(feeder.switchgear for feeder in columns))

    axes.plot([centre, centre], [intake_level, height - 6], color=INK, linewidth=2.0)
    axes.text(
        centre + 3,
        height - 4,
        f"utility {electrical.intake_voltage / 1e3:g} kV, {power(point.figures['facility_power'])} drawn",
        va="center",
        fontweight="bold",
    )
    axes.plot([centre], [height - 5], marker="v", color=INK, markersize=8)
    spans = {name: [i for i, feeder in enumerate(columns) if feeder.switchgear == name] for name in switchgears}
    middles = {name: (0.5 * (min(span) + max(span)) + 0.5) * pitch for name, span in spans.items()}
    ends = [*middles.values(), centre]
    axes.plot([min(ends) - 6, max(ends) + 6], [intake_level] * 2, color=INK, linewidth=3.2)
    axes.text(min(ends) - 5, intake_level + 2.2, f"intake, {number(voltage['intake'], 4)} p.u.", fontsize=8.5)
    mains = [network.branches[i] for i in range(topology.group("main").start, topology.group("main").stop)]
    for name in switchgears:
        x = middles[name]
        main = next(
            branch
            for branch in mains
            if branch.endswith(name.split(" ")[-1]) and branch.split("main")[0] == name.split("switchgear")[0]
        )
        colour = scale.to_rgba(100.0 * loading[main])
        axes.plot([x, x], [gear_level, intake_level], color=INK, linewidth=1.8, zorder=1)
        for shift in (1.9, -1.9):
            axes.add_patch(
                Circle(
                    (x, 0.5 * (intake_level + gear_level) + shift),
                    3.0,
                    facecolor=colour,
                    edgecolor=INK,
                    linewidth=1.1,
                    zorder=2,
                )
            )
        axes.text(
            x + 6,
            0.5 * (intake_level + gear_level),
            f"{main}\n{number(float(electrical.main_transformer.rating) / 1e6, 0)} MVA, "
            f"{number(100 * loading[main])} %",
            va="center",
            fontsize=8.2,
        )
        left, right = min(spans[name]) * pitch + 2, (max(spans[name]) + 1) * pitch - 2
        axes.plot([left, right], [gear_level] * 2, color=INK, linewidth=3.2)
        axes.text(
            left + 1,
            gear_level + 2.2,
            f"{name}, {electrical.distribution_voltage / 1e3:g} kV, {number(voltage[name], 4)} p.u.",
            fontsize=8.2,
        )
    for index, feeder in enumerate(columns):
        x = (index + 0.5) * pitch
        top = gear_level - 8.5
        first = feeder.substations[0]
        axes.plot(
            [x, x], [gear_level, top - 11.5 * (len(feeder.substations) - 1)], color=MUTED, linewidth=1.4, zorder=1
        )
        short = feeder.name.removeprefix("feeder ").split(" feeder ")[-1]
        axes.text(
            x + 1.0,
            gear_level - 3.4,
            f"{short}: {number(100 * first.cable_loading, 0)} %",
            fontsize=8.0,
            fontweight="bold",
            va="center",
        )
        for position, substation in enumerate(feeder.substations):
            y = top - 11.5 * position
            colour = scale.to_rgba(100.0 * substation.loading)
            dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 0.55
            axes.add_patch(
                FancyBboxPatch(
                    (x - 0.45 * pitch, y - 9.4),
                    0.9 * pitch,
                    9.4,
                    boxstyle="round,pad=0,rounding_size=1.0",
                    facecolor=colour,
                    edgecolor="white",
                    linewidth=0.8,
                    zorder=2,
                )
            )
            ink = "white" if dark else INK
            axes.text(
                x,
                y - 2.7,
                substation.name,
                ha="center",
                va="center",
                fontsize=7.4,
                fontweight="bold",
                color=ink,
                zorder=3,
            )
            axes.text(
                x,
                y - 6.7,
                f"{100 * substation.loading:.0f} %, {substation.voltage:.3f}",
                ha="center",
                va="center",
                fontsize=7.2,
                color=ink,
                zorder=3,
            )


def _collapsed(answer: Answer, point: Point) -> str:
    count = len(feeders(answer, point, weakest_building(answer, point)))
    if count <= _MOST_FEEDERS:
        return ""
    return f"Of {count} feeders the first, last and most loaded are drawn; the others with their worst figures. "


def one_line_caption(answer: Answer, point: Point) -> str:
    """What the diagram shows, in a sentence or two."""
    names = answer.layout.buildings
    shown = (
        ""
        if len(names) == 1
        else f"Building {names[weakest_building(answer, point)]} of {len(names)}, with the lowest voltage. "
    )
    return (
        f"{shown}Every box is a unit substation to {answer.site.electrical.low_voltage:g} V with its loading and the "
        "voltage of its low-voltage bus in per unit; a feeder's figure is the loading of its first cable. "
        f"{_collapsed(answer, point)}Losses of the network: {power(point.figures['network_loss'])}."
    )
