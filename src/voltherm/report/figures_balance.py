"""The balance of power and heat as bands: from every use, through air and water, to the surroundings."""

from typing import TYPE_CHECKING

from voltherm.report.figure import BLUE, GREEN, LIGHT_BLUE, MUTED, ORANGE, RED, SAND, new, style, svg
from voltherm.report.heat_routes import AIR, COOLERS, FREE, OUTSIDE, TRIM, WATER, Link, heat_routes
from voltherm.report.quantities import power
from voltherm.study.answer import Answer, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMN = {AIR: 0.34, WATER: 0.6, COOLERS: 0.97, TRIM: 0.97, FREE: 0.97, OUTSIDE: 0.97}
_COLOUR = {AIR: GREEN, WATER: BLUE, COOLERS: ORANGE, TRIM: RED, FREE: SAND, OUTSIDE: MUTED}
_BAND = {AIR: "#a8d3bf", WATER: LIGHT_BLUE, COOLERS: "#f0c48f", TRIM: "#e5a39e", FREE: "#e5d9ae", OUTSIDE: "#c5ccd3"}
_NODE = 0.012
_LABEL_GAP = 0.04


def balance_figure(answer: Answer, point: Point) -> str:
    """Every band is as wide as its power; uses on the left, routes out of the site on the right."""
    links = heat_routes(answer, point)
    with style("balance"):
        figure = new(10.4, 5.6)
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim(-0.36, 1.27)
        axes.set_ylim(-0.04, 1.06)
        _draw(axes, links)
        return svg(figure, "balance", "Power taken in and heat given off, by use and by route")


def _into(links: list[Link], node: str) -> float:
    return sum(link.power for link in links if link.target == node)


def _order(link: Link) -> tuple[int, float]:
    # straight to their node from the top: water, air, then what leaves at once, each largest first
    return ((WATER, AIR, TRIM, OUTSIDE).index(link.target), -link.power)


def _draw(axes: "Axes", links: list[Link]) -> None:
    uses = sorted((link for link in links if link.source not in (AIR, WATER)), key=_order)
    whole = sum(link.power for link in uses)
    if not whole > 0.0:
        return
    height = 0.82 / whole
    gap = 0.1 / max(len(uses) - 1, 1)

    # left ends of the uses, from the top
    level, left_ends = 1.0, []
    for link in uses:
        thickness = link.power * height
        left_ends.append((level - thickness, level))
        level -= thickness + gap
    first_air = next((high for link, (_, high) in zip(uses, left_ends, strict=True) if link.target == AIR), 0.0)
    tops = {WATER: 1.0, AIR: first_air}
    routes = [node for node in (COOLERS, TRIM, FREE, OUTSIDE) if _into(links, node) > 0.0]
    level = 1.0
    for node in routes:
        tops[node] = level
        level -= _into(links, node) * height + 0.035
    entry = dict(tops)
    departure = {node: tops[node] for node in (AIR, WATER)}

    def use_bands(targets: tuple[str, ...]) -> None:
        for link, (low, high) in zip(uses, left_ends, strict=True):
            if link.target not in targets:
                continue
            top = entry[link.target]
            entry[link.target] = top - (high - low)
            _band(axes, _NODE, (low, high), _COLUMN[link.target], (entry[link.target], top), _BAND[link.target])
            axes.fill_between([0.0, _NODE], low, high, color=_COLOUR[link.target], linewidth=0.0)

    # water goes into the trim chillers above their own compressors, so that no band crosses another
    use_bands((WATER, AIR))
    for link in links:
        if link.source not in (AIR, WATER):
            continue
        thickness = link.power * height
        start, top = departure[link.source], entry[link.target]
        departure[link.source], entry[link.target] = start - thickness, top - thickness
        ends_of_link = ((start - thickness, start), (top - thickness, top))
        left, right = _COLUMN[link.source] + _NODE, _COLUMN[link.target]
        _band(axes, left, ends_of_link[0], right, ends_of_link[1], _BAND[link.target])
    use_bands((TRIM, OUTSIDE))
    labels = [
        (0.5 * (low + high), f"{link.source}: {power(link.power)}")
        for link, (low, high) in zip(uses, left_ends, strict=True)
    ]
    ends = []
    for node in [name for name in (AIR, WATER) if _into(links, name) > 0.0] + routes:
        total = _into(links, node)
        x, top = _COLUMN[node], tops[node]
        axes.fill_between([x, x + _NODE], top - total * height, top, color=_COLOUR[node], linewidth=0.0, zorder=3)
        if node in routes:
            ends.append((top - 0.5 * total * height, f"{node}\n{power(total)}"))
        else:
            inside = total * height > 0.12
            axes.text(
                x + _NODE + 0.012 if inside else x - 0.004,
                top - 0.5 * total * height if inside else top - total * height - 0.012,
                f"{node}\n{power(total)}",
                va="center" if inside else "top",
                fontweight="bold",
                fontsize=9,
                zorder=4,
            )
    _labels(axes, labels, 0.0, -0.03, "right", _LABEL_GAP)
    _labels(axes, ends, 0.97 + _NODE, 1.012, "left", 2.0 * _LABEL_GAP)


def _band(
    axes: "Axes", left: float, start: tuple[float, float], right: float, end: tuple[float, float], colour: str
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    middle = 0.5 * (left + right)
    curve = [Path.CURVE4] * 3
    path = Path(
        [
            (left, start[1]),
            (middle, start[1]),
            (middle, end[1]),
            (right, end[1]),
            (right, end[0]),
            (middle, end[0]),
            (middle, start[0]),
            (left, start[0]),
            (left, start[1]),
        ],
        [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY],
    )
    axes.add_patch(PathPatch(path, facecolor=colour, alpha=0.8, linewidth=0.0))


def _labels(axes: "Axes", labels: list[tuple[float, str]], edge: float, x: float, side: str, least: float) -> None:
    """Labels beside their bands, pushed apart downwards where they would overlap, then all lifted above the floor."""
    placed: list[float] = []
    for level, _ in labels:
        placed.append(level if not placed else min(level, placed[-1] - least))
    floor = 0.0
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = max(placed[index], floor)
        floor = placed[index] + least
    for (level, text), height in zip(labels, placed, strict=True):
        axes.plot([edge, x], [level, height], color=MUTED, linewidth=0.6)
        axes.text(x + (-0.006 if side == "right" else 0.006), height, text, ha=side, va="center", fontsize=8.4)
