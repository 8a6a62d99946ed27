"""The hall map: every rack of a building, coloured by what its hottest GPU keeps to the limit."""

import numpy as np

from voltherm.report.figure import INK, MUTED, PAPER, new, style, svg
from voltherm.report.place import hottest_building, hottest_gpu_by_rack, hottest_row
from voltherm.report.quantities import difference, temperature
from voltherm.study.answer import Answer, Point

_COMFORTABLE = 10.0  # K of margin, in steps of which the scale grows


def hall_figure(answer: Answer, point: Point) -> str:
    """Halls side by side, a column a row of racks, the CDU at the foot; the hottest rack is ringed and named."""
    layout, place = answer.layout, hottest_building(answer, point)
    left = float(answer.site.rack.gpu.junction_limit) - hottest_gpu_by_rack(point)[place.building]
    halls = len(layout.halls)
    per_hall = len(layout.rows) // halls
    racks = left.shape[1]
    hot_row, hot_rack = hottest_row(point, place.building)
    # a scale of its own would paint a hundredth of a kelvin as a difference where all racks are alike
    widest = max(_COMFORTABLE, _COMFORTABLE * np.ceil(float(np.max(left)) / _COMFORTABLE))
    # imported with the figure, as all of matplotlib
    from matplotlib.patches import Rectangle

    with style("hall"):
        across = min(halls, 4)
        lines = -(-halls // across)
        figure = new(9.6, 1.0 + 2.1 * lines)
        grid = figure.subplots(lines, across, squeeze=False, sharey=True)
        image = None
        for index, axes in enumerate(grid.ravel()):
            axes.grid(visible=False)
            if index >= halls:
                axes.set_axis_off()
                continue
            part = left[index * per_hall : (index + 1) * per_hall].T
            image = axes.pcolormesh(
                np.arange(per_hall + 1) + 0.5,
                np.arange(racks + 1) + 0.5,
                part,
                cmap="YlOrRd_r",
                vmin=0.0,
                vmax=widest,
                edgecolors=PAPER,
                linewidth=0.8,
            )
            axes.set_title(f"{layout.halls[index]}")
            axes.set_xlabel("row", color=MUTED)
            ticks = sorted({1, *range(4, per_hall + 1, 4), per_hall})
            axes.set_xticks(ticks, [f"R{tick:02d}" for tick in ticks])
            ticks = sorted({1, *range(4, racks + 1, 4), racks})
            axes.set_yticks(ticks, [f"K{tick:02d}" for tick in ticks])
            axes.spines[["left", "bottom"]].set_visible(False)
            axes.tick_params(length=0)
            if index == hot_row // per_hall:
                corner = (hot_row % per_hall + 0.5, hot_rack + 0.5)
                for edge, weight in ((PAPER, 4.0), (INK, 1.8)):
                    axes.add_patch(Rectangle(corner, 1.0, 1.0, fill=False, edgecolor=edge, linewidth=weight))
                axes.set_title(
                    f"{layout.halls[index]}: hottest {layout.rack(place.building, hot_row, hot_rack)}", color=INK
                )
        if image is not None:
            bar = figure.colorbar(image, ax=grid, location="right", fraction=0.03, pad=0.01, aspect=28)
            bar.set_label("margin of the hottest GPU [K]")
            bar.outline.set_visible(False)
        return svg(figure, "hall", "Map of the halls, every rack coloured by the margin of its hottest GPU")


_ALIKE = 0.005  # K


def hall_caption(answer: Answer, point: Point) -> str:
    """What the map shows, in a sentence or two."""
    place = hottest_building(answer, point)
    celsius = hottest_gpu_by_rack(point)[place.building]
    coldest, hottest = float(np.min(celsius)), float(np.max(celsius))
    spread = hottest - coldest
    lie = (
        f"All racks lie at {temperature(hottest, 2)}."
        if spread < _ALIKE
        else f"Racks lie between {temperature(coldest, 2)} and {temperature(hottest, 2)} ({difference(spread, 2)}): "
        "far racks get less flow."
    )
    return (
        f"{place.sentence} What the hottest GPU of every rack keeps to its limit on the hot day at the set point. "
        f"{lie} The limit is {temperature(float(answer.site.rack.gpu.junction_limit))}."
    ).strip()
