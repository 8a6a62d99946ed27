"""The loop: plant, mains and halls of a building and one row drawn out, with flows, temperatures and pressures."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from voltherm.report.figure import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, RED, blank, new, style, svg
from voltherm.report.place import hottest_building, hottest_gpu_by_rack, hottest_row
from voltherm.report.quantities import ZERO_CELSIUS, number, power, share, temperature
from voltherm.site.facility_loop import facility_network
from voltherm.site.fluids import liquid_named
from voltherm.study.answer import Answer, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Length = float | int
"""A length on the sheet."""

_WIDTH, _HEIGHT = 200.0, 132.0
_SUPPLY, _RETURN = 118.0, 76.0  # heights of the two mains on the sheet
_ROW_SUPPLY, _ROW_RETURN = 50.0, 8.0
_MOST_HALLS = 5  # drawn one by one
_LITRES_PER_MINUTE = 6.0e4  # of one m³/s


def loop_figure(answer: Answer, point: Point) -> str:
    """The facility loop above; below it the secondary loop of the row with the hottest GPU."""
    place = hottest_building(answer, point)
    row, _ = hottest_row(point, place.building)
    with style("loop"):
        figure = new(10.4, 6.9)
        axes = figure.subplots()
        blank(axes, _WIDTH, _HEIGHT)
        foot = _facility(axes, answer, point, place.building, row)
        _row(axes, answer, point, place.building, row, foot)
        return svg(figure, "loop", "Facility loop and one secondary loop with flows, temperatures and pressures")


def _box(
    axes: "Axes", x: Length, y: Length, width: Length, height: Length, colour: str = PAPER, edge: str = MUTED
) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor=colour,
            edgecolor=edge,
            linewidth=1.0,
            zorder=3,
        )
    )


def _lines(
    axes: "Axes", x: Length, top: Length, title: str, lines: list[str], size: float = 8.3, step: float = 4.5
) -> None:
    axes.text(x, top, title, ha="center", va="top", fontsize=size + 0.7, fontweight="bold", zorder=4)
    for index, line in enumerate(lines):
        axes.text(x, top - 1.15 * step - index * step, line, ha="center", va="top", fontsize=size, zorder=4)


def _pipe(axes: "Axes", points: list[tuple[Length, Length]], colour: str, width: float = 2.6) -> None:
    horizontal, vertical = zip(*points, strict=True)
    axes.plot(
        horizontal, vertical, color=colour, linewidth=width, solid_joinstyle="round", solid_capstyle="round", zorder=2
    )


def _arrow(axes: "Axes", start: tuple[Length, Length], end: tuple[Length, Length], colour: str) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.4}, zorder=2)


def _facility(axes: "Axes", answer: Answer, point: Point, building: int, chosen: int) -> float:
    """Draws the facility loop; returns where on the sheet the hall of the chosen row stands."""
    site, state = answer.site, point.state.buildings
    facility, plant, air = state.facility, state.facility.plant, state.air
    halls = len(answer.layout.halls)
    per_hall = len(answer.layout.rows) // halls
    nodes = facility_network(halls, per_hall).nodes
    pressure = dict(zip(nodes, np.asarray(facility.node_pressure[building]), strict=True))
    supply, back = float(plant.supply_temperature[building]), float(plant.return_temperature[building])
    flow = float(facility.mass_flow[building])

    _box(axes, 2, 94, 44, 34, "#eef4fa", BLUE)
    _lines(
        axes,
        24,
        126,
        "Heat rejection",
        [
            f"{float(site.dry_coolers.count):.0f} dry coolers: {power(float(plant.dry_cooler_heat[building]))}",
            f"fans {share(float(plant.fan_speed[building]), 0)}, {power(float(plant.fan_power[building]))}",
            f"{float(site.chillers.count):.0f} trim chillers: {power(float(plant.chiller_heat[building]))}",
            f"compressors {power(float(plant.compressor_power[building]))}",
            f"air {temperature(float(site.climate.dry_bulb))}, fill {number(float(site.facility.volume), 0)} m³",
        ],
    )
    _box(axes, 2, 66, 44, 22, "#fdf3e7", ORANGE)
    _lines(
        axes,
        24,
        86,
        "Facility pumps",
        [
            f"{float(site.facility.pumps):.0f} at {share(float(facility.pump_speed[building]), 0)} speed",
            power(float(facility.pump_power[building])),
            f"give {number(float(facility.differential_pressure[building]) / 1e3, 0)} kPa",
        ],
    )
    end = 198.0
    groups = _groups(halls, chosen // per_hall)
    count = len(groups) + 1
    pitch = (end - 54.0) / count
    farthest = end - 0.5 * pitch
    _pipe(axes, [(46, _SUPPLY), (farthest - 4.0, _SUPPLY)], BLUE, 4.0)
    _pipe(axes, [(46, _RETURN), (farthest + 4.0, _RETURN)], RED, 4.0)
    _arrow(axes, (24, 88), (24, 94), RED)
    axes.text(
        49,
        _SUPPLY + 3.0,
        _main("supply", supply, flow, pressure["plant supply"]),
        color=BLUE,
        fontweight="bold",
        fontsize=8.8,
    )

    width = min(25.0, 0.88 * pitch)
    foot = 0.0
    rows = state.rows
    for place, group in enumerate(groups):
        part = slice(group[0] * per_hall, (group[-1] + 1) * per_hall)
        x = 54.0 + (place + 0.5) * pitch
        hall_flow = np.asarray(rows.facility_mass_flow[building, part])
        name, end_name = (answer.layout.halls[hall] for hall in (group[0], group[-1]))
        head = pressure[f"{name}-R01 supply"] - pressure[f"{name}-R01 return"]
        last = pressure[f"{end_name}-R{per_hall:02d} supply"] - pressure[f"{end_name}-R{per_hall:02d} return"]
        mixed = float(np.average(np.asarray(rows.facility_return_temperature[building, part]), weights=hall_flow))
        here = chosen // per_hall in group
        _pipe(axes, [(x - 4, _SUPPLY), (x - 4, 113)], BLUE)
        _pipe(axes, [(x + 4, _RETURN), (x + 4, 81)], RED)
        _box(axes, x - width / 2, 81, width, 32, "#fff8f0" if here else PAPER, INK if here else MUTED)
        _lines(
            axes,
            x,
            111,
            f"Hall {name}" if len(group) == 1 else f"{name} … {end_name}",
            [
                f"{per_hall} CDUs" if len(group) == 1 else f"{len(group)} halls, {len(group) * per_hall} CDUs",
                f"{number(float(hall_flow.sum()), 0)} kg/s",
                power(float(np.asarray(rows.cdu_heat[building, part]).sum())),
                f"back {temperature(mixed)}",
                f"{number(head / 1e3, 0)} … {number(last / 1e3, 0)} kPa",
            ],
        )
        if here:
            foot = x
    x = 54.0 + (count - 0.5) * pitch
    _pipe(axes, [(x - 4, _SUPPLY), (x - 4, 113)], BLUE)
    _pipe(axes, [(x + 4, _RETURN), (x + 4, 81)], RED)
    _box(axes, x - width / 2, 81, width, 32)
    _lines(
        axes,
        x,
        111,
        "Air side",
        [
            f"{power(float(air.heat[building]))} of heat",
            f"free {power(float(air.plant.dry_cooler_heat[building]))}",
            f"chilled {power(float(air.plant.chiller_heat[building]))}",
            f"water {number(float(facility.condenser_mass_flow[building]), 0)} kg/s",
            f"air at {temperature(float(air.supply_temperature[building]))}",
        ],
    )
    # where the line to the row drawn out does not cross it
    aside = (farthest + 4.0, "right") if foot < 0.5 * (54.0 + end) else (49.0, "left")
    text = _main("return", back, flow, pressure["plant return"])
    axes.text(aside[0], _RETURN - 6.0, text, ha=aside[1], color=RED, fontweight="bold", fontsize=8.8)
    return foot


def _groups(halls: int, chosen: int) -> list[list[int]]:
    """Halls that are drawn together: each alone where they are few, else the first, the chosen and the last, and those
    between them as one."""
    if halls <= _MOST_HALLS:
        return [[hall] for hall in range(halls)]
    alone = {0, chosen, halls - 1}
    groups: list[list[int]] = []
    for hall in range(halls):
        if hall in alone or not groups or groups[-1][-1] in alone:
            groups.append([hall])
        else:
            groups[-1].append(hall)
    return groups


def _main(name: str, kelvin: float, flow: float, pressure: float) -> str:
    return f"{name} {temperature(kelvin)}, {number(flow, 0)} kg/s, {number(pressure / 1e3, 0)} kPa"


def _row(axes: "Axes", answer: Answer, point: Point, building: int, row: int, foot: float) -> None:
    rows = point.state.buildings.rows
    coolant = liquid_named(answer.site.secondary.fluid)
    supply, back = float(rows.supply_temperature[building, row]), float(rows.return_temperature[building, row])
    density = float(coolant.density(jnp.asarray(supply)))
    hottest = hottest_gpu_by_rack(point)[building, row]
    flows = np.asarray(rows.rack_mass_flow[building, row]) / density * _LITRES_PER_MINUTE
    returns = np.asarray(point.state.buildings.racks.return_temperature[building, row])
    name = answer.layout.rows[row]
    total = float(rows.mass_flow[building, row]) / density * _LITRES_PER_MINUTE

    axes.add_patch(_frame(1.0, 1.5, _WIDTH - 2.0, 57.5))
    axes.plot([foot, foot], [81, 59], color=MUTED, linewidth=1.0, linestyle=":", zorder=1)
    axes.text(
        3.5,
        55.2,
        f"Row {answer.layout.cdu(building, row).removesuffix('-CDU')}, drawn out",
        fontsize=8.6,
        fontweight="bold",
        va="center",
    )
    _box(axes, 4, 6, 38, 46, "#eef4fa", BLUE)
    _lines(
        axes,
        23,
        50,
        f"{name}-CDU",
        [
            f"heat {power(float(rows.cdu_heat[building, row]))}",
            f"facility {number(float(rows.facility_mass_flow[building, row]))} kg/s",
            f"back at {temperature(float(rows.facility_return_temperature[building, row]))}",
            f"valve {share(float(rows.valve_opening[building, row]), 0)} open",
            f"secondary {number(float(rows.mass_flow[building, row]))} kg/s",
            f"pump {share(float(rows.pump_speed[building, row]), 0)}, {power(float(rows.pump_power[building, row]))}",
            f"gives {number(float(rows.differential_pressure[building, row]) / 1e3, 0)} kPa",
        ],
    )
    _pipe(axes, [(42, _ROW_SUPPLY - 3), (197, _ROW_SUPPLY - 3)], BLUE, 3.2)
    _pipe(axes, [(42, _ROW_RETURN + 2), (197, _ROW_RETURN + 2)], RED, 3.2)
    axes.text(
        197,
        _ROW_SUPPLY + 1.5,
        f"supply {temperature(supply)}, {number(total, 0)} L/min",
        color=BLUE,
        fontsize=8.8,
        fontweight="bold",
        ha="right",
    )
    axes.text(
        197, _ROW_RETURN - 4.4, f"return {temperature(back)}", color=RED, fontsize=8.8, fontweight="bold", ha="right"
    )
    pitch = 154.0 / len(flows)
    width = 0.84 * pitch
    worst = int(np.argmax(hottest))
    for rack, (litres, kelvin, chip) in enumerate(zip(flows, returns, hottest, strict=True)):
        x = 44.0 + (rack + 0.5) * pitch
        _pipe(axes, [(x, _ROW_SUPPLY - 3), (x, 43)], BLUE, 1.8)
        _pipe(axes, [(x, _ROW_RETURN + 2), (x, 15)], RED, 1.8)
        here = rack == worst
        _box(axes, x - width / 2, 15, width, 28, "#fdeceb" if here else PAPER, RED if here else MUTED)
        lines = [
            number(float(litres)),
            "L/min",
            f"{kelvin - ZERO_CELSIUS:.1f} °C",
            "GPU",
            f"{chip - ZERO_CELSIUS:.2f} °C",
        ]
        _lines(axes, x, 41.5, f"K{rack + 1:02d}", lines, size=7.4 if pitch > 11.0 else 5.4, step=4.2)


def _frame(x: float, y: float, width: float, height: float):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor="#fafbfc", edgecolor=FAINT, linewidth=1.0, zorder=0)


def loop_caption(answer: Answer, point: Point) -> str:
    """What the drawing shows, in a sentence or two."""
    place = hottest_building(answer, point)
    row, _ = hottest_row(point, place.building)
    return (
        f"{place.sentence} Facility water on the hot day at the set point; pressures are absolute, those of a hall are "
        f"across its first and its last row. Below: flow, return and hottest GPU of every rack of row "
        f"{answer.layout.rows[row]}, with the hottest GPU of all."
    ).strip()
