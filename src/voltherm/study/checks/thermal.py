"""Heat-transfer checks against analytic solutions, compact thermal models and published plates and racks.

Errors in K are absolute; where a quantity says "relative" it is over the reference value itself.
"""

import csv
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from voltherm import media
from voltherm.study.validation import case_file
from voltherm.thermal import LITRE_PER_MINUTE, ColdPlate, CoolantProperties
from voltherm.thermal.cold_plate import TEST_TEMPERATURE
from voltherm.thermal.fin import annular_fin_efficiency, straight_fin_efficiency
from voltherm.thermal.floor_plan import FloorPlan, block_means, power_map
from voltherm.thermal.immersion import vertical_plate_nusselt
from voltherm.thermal.spreading import source_mean_rises
from voltherm.thermal.stack import ConvectiveFace, LayeredStack, face_heat, refine, steady_stack
from voltherm.thermal.stack_transient import backward_euler, propagate


def _table(folder: Path, name: str) -> list[dict[str, str]]:
    with case_file(folder, name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _description(folder: Path, name: str) -> Any:
    return json.loads(case_file(folder, name).read_text(encoding="utf-8"))


def _array(values: object) -> jax.Array:
    return jnp.asarray(np.asarray(values, dtype=float))


def _largest(values: object, reference: object) -> float:
    return float(np.max(np.abs(np.asarray(values) - np.asarray(reference))))


def _relative(values: object, reference: object) -> float:
    return _largest(np.asarray(values) / np.asarray(reference), 1.0)


def _face(description: dict[str, float] | None) -> ConvectiveFace | None:
    return None if description is None else ConvectiveFace(_array(description["h"]), _array(description["T_inf"]))


def _plan(blocks: list[dict[str, Any]]) -> FloorPlan:
    x, y, width, depth, power = (_array([block[key] for block in blocks]) for key in ("x", "y", "dx", "dy", "P"))
    return FloorPlan(x, y, width, depth, power)


def _compact_model(case: dict[str, Any]) -> tuple[LayeredStack, dict[str, FloorPlan], list[str]]:
    """The stack of a case description, the floor plan of each layer with power, and the names of the layers."""
    layers, grid = case["layers"], case["grid"]
    conductivity = _array([layer["k"] for layer in layers])
    stack = LayeredStack(
        columns=grid["nx"],
        rows=grid["ny"],
        width=_array(grid["Lx"]),
        depth=_array(grid["Ly"]),
        thickness=_array([layer["t"] for layer in layers]),
        conductivity_x=conductivity,
        conductivity_y=conductivity,
        conductivity_z=conductivity,
        volumetric_heat_capacity=_array([layer["cv"] for layer in layers]),
        contact_resistance=jnp.zeros(len(layers) - 1),
        bottom=_face(case["bottom"]),
        top=_face(case["top"]),
        outer_node_on_face=case["convention"] == "cell",
    )
    plans = {layer["name"]: _plan(case["floorplans"][layer["blocks"]]) for layer in layers if layer.get("blocks")}
    return stack, plans, [layer["name"] for layer in layers]


def _power(stack: LayeredStack, plans: dict[str, FloorPlan], names: list[str], scale: dict[str, float]) -> jax.Array:
    field = jnp.zeros((len(names), stack.rows, stack.columns))
    for name, plan in plans.items():
        cells = power_map(plan, stack.width, stack.depth, stack.rows, stack.columns)
        field = field.at[names.index(name)].set(cells * scale.get(name, 1.0))
    return field


def _all_block_means(
    stack: LayeredStack, plans: dict[str, FloorPlan], names: list[str], temperature: jax.Array
) -> jax.Array:
    means = [
        block_means(plan, temperature[names.index(name)], stack.width, stack.depth) for name, plan in plans.items()
    ]
    return jnp.concatenate(means)


def compact_model_steady(folder: Path, case: str, blocks: str, maps: dict[str, str]) -> dict[str, float]:
    """Steady field of a layered stack against the block means and cell maps of a compact thermal model."""
    stack, plans, names = _compact_model(_description(folder, case))
    power = _power(stack, plans, names, {})
    temperature = steady_stack(stack, power)
    cells = [
        _largest(temperature[names.index(layer)], np.loadtxt(case_file(folder, name), delimiter=","))
        for layer, name in maps.items()
    ]
    row = next(row for row in _table(folder, blocks) if row["source"].startswith("3D-ICE"))
    reference = [float(value) for key, value in row.items() if key.endswith("_avg_K")]
    heat, total = sum(face_heat(stack, temperature)), jnp.sum(power)
    return {
        "cell temperature": max(cells),
        "block mean temperature": _largest(_all_block_means(stack, plans, names, temperature), reference),
        "heat balance, relative": float((heat - total) / total),
    }


def compact_model_transient(folder: Path, case: str, blocks: str) -> dict[str, float]:
    """Backward Euler steps through changes of power, block means after every step."""
    description = _description(folder, case)
    stack, plans, names = _compact_model(description)
    transient = description["transient"]
    held = []
    for step in range(transient["steps"]):
        scale: dict[str, float] = {}
        for event in transient["power_scale"]:
            if step >= event["from_step"]:
                scale[event["layer"]] = event["scale"]
        held.append(_power(stack, plans, names, scale))
    start = jnp.full((len(names), stack.rows, stack.columns), float(transient["T_init"]))
    fields = backward_euler(stack, start, jnp.stack(held), _array(transient["dt"]))
    means = jax.vmap(lambda field: _all_block_means(stack, plans, names, field))(fields)
    rows = [row for row in _table(folder, blocks) if row["source"].startswith("3D-ICE")]
    reference = [[float(value) for key, value in row.items() if key.endswith("_avg_K")] for row in rows]
    return {"block mean temperature, every step": _largest(means, reference)}


def spreading(folder: Path, case: str, refinement: dict[str, list[int]], cell: float) -> dict[str, float]:
    """Mean rise of sources on layered plates: the series of `spreading`, and a resolved stack.

    `cell` is the lateral cell [m] before `refinement`, which gives splits along x and y and of the layers for each
    plate.
    """
    series, resolved = 0.0, 0.0
    for plate in _description(folder, case)["cases"]:
        layers = plate["layers"]
        lateral = _array([layer["kxy"] for layer in layers])
        stack = LayeredStack(
            columns=round(plate["Lx"] / cell),
            rows=round(plate["Ly"] / cell),
            width=_array(plate["Lx"]),
            depth=_array(plate["Ly"]),
            thickness=_array([layer["t"] for layer in layers]),
            conductivity_x=lateral,
            conductivity_y=lateral,
            conductivity_z=_array([layer["kz"] for layer in layers]),
            volumetric_heat_capacity=jnp.ones(len(layers)),
            contact_resistance=_array([layer.get("rc", 0.0) for layer in layers[:-1]]),
            bottom=None,
            top=ConvectiveFace(_array(plate["h"]), _array(0.0)),
        )
        plan, reference = _plan(plate["sources"]), plate["mean_source_rise_K"]
        series = max(series, _relative(source_mean_rises(stack, plan), reference))
        fine = refine(stack, *refinement[plate["name"]])
        cells = power_map(plan, fine.width, fine.depth, fine.rows, fine.columns)
        field = jnp.zeros((fine.thickness.shape[0], fine.rows, fine.columns)).at[0].set(cells)
        # the sources lie on the outer face, half a sublayer below the first node
        to_face = cells / fine.cell_area * (0.5 * fine.thickness[0] / fine.conductivity_z[0])
        means = block_means(plan, steady_stack(fine, field)[0] + to_face, fine.width, fine.depth)
        resolved = max(resolved, _relative(means, reference))
    return {"mean rise by series, relative": series, "mean rise resolved, relative": resolved}


def _column(
    thickness: np.ndarray, conductivity: float, heat_capacity: float, coefficient: float, bottom: bool = False
) -> LayeredStack:
    """One column of unit area whose top face, or bottom face, convects to 0 K."""
    layers = np.ones(thickness.shape)
    face = ConvectiveFace(_array(coefficient), _array(0.0))
    return LayeredStack(
        columns=1,
        rows=1,
        width=_array(1.0),
        depth=_array(1.0),
        thickness=_array(thickness),
        conductivity_x=_array(conductivity * layers),
        conductivity_y=_array(conductivity * layers),
        conductivity_z=_array(conductivity * layers),
        volumetric_heat_capacity=_array(heat_capacity * layers),
        contact_resistance=jnp.zeros(thickness.size - 1),
        bottom=face if bottom else None,
        top=None if bottom else face,
    )


_propagate = jax.jit(propagate)


def _march(stack: LayeredStack, initial: float, flux: float, layer: int, times: object) -> np.ndarray:
    """Temperatures (time, layer) of a column from a uniform start under a flux [W/m2] into one layer."""
    start = jnp.full((stack.thickness.shape[0], 1, 1), initial)
    power = jnp.zeros_like(start).at[layer].set(flux)
    return np.asarray(_propagate(stack, start, power, _array(times)))[:, :, 0, 0]


def plane_wall(folder: Path, table: str, layers: int) -> dict[str, float]:
    """Cooling of a plane wall (Heisler): half the wall as a column of unit thickness, exact in time."""
    rows = _table(folder, table)
    centre, surface, mean = [], [], []
    for biot in sorted({row["Bi"] for row in rows}, key=float):
        chosen = [row for row in rows if row["Bi"] == biot]
        stack = _column(np.full(layers, 1.0 / layers), 1.0, 1.0, float(biot))
        theta = _march(stack, 1.0, 0.0, 0, [float(row["Fo"]) for row in chosen])
        # the faces lie half a layer beyond the outermost nodes: even at the centre, by the face's flux at the surface
        centre.append(_largest((9.0 * theta[:, 0] - theta[:, 1]) / 8.0, [float(row["theta_center"]) for row in chosen]))
        film = 0.5 * float(biot) / layers
        surface.append(_largest(theta[:, -1] / (1.0 + film), [float(row["theta_surface"]) for row in chosen]))
        mean.append(_largest(theta.mean(axis=1), [float(row["theta_mean"]) for row in chosen]))
    return {"centre": max(centre), "surface": max(surface), "mean": max(mean)}


def semi_infinite(folder: Path, table: str, layers: int) -> dict[str, float]:
    """Half space after a step of its surface temperature, of flux and of convection: a deep, graded column."""
    rows = _table(folder, table)
    conductivity, diffusivity, depth = 15.0, 1.0e-5, 1.5
    edges = np.sinh(np.linspace(0.0, 1.0, layers + 1) * 9.0) / np.sinh(9.0) * depth
    thickness = np.diff(edges)
    nodes = 0.5 * (edges[1:] + edges[:-1])
    capacity = conductivity / diffusivity
    times = sorted({float(row["t_s"]) for row in rows})
    flux = 1.0e4
    cases = {
        "surface temperature step": ("theta_step_surfaceT", 1.0e12, 0.0),
        "flux step, relative": ("dT_K_flux_1e4_W_m2", 200.0, flux),
        "convection step": ("theta_convection_h200", 200.0, 0.0),
    }
    errors = {}
    for name, (column, coefficient, heat) in cases.items():
        # under a flux the surface itself is adiabatic, and the far end, which nothing reaches, convects
        stack = _column(thickness, conductivity, capacity, coefficient, bottom=not heat)
        # the fluid is at 0 K, so a body cooled from 1 K mirrors one heated from 0 K
        field = _march(stack, 0.0 if heat else 1.0, heat, 0, times)
        rise = field if heat else 1.0 - field
        half = 0.5 * thickness[0]
        if heat:
            face = rise[:, 0] + heat * half / conductivity
        else:
            face = 1.0 - field[:, 0] / (1.0 + coefficient * half / conductivity)
        largest = 0.0
        for time, profile, at_face in zip(times, rise, face, strict=True):
            chosen = [row for row in rows if float(row["t_s"]) == time]
            depths = [float(row["x_m"]) for row in chosen]
            values = np.interp(depths, np.concatenate([[0.0], nodes]), np.concatenate([[at_face], profile]))
            reference = [float(row[column]) for row in chosen]
            largest = max(largest, _largest(values, reference) / (max(reference) if heat else 1.0))
        errors[name] = largest
    return errors


def slab_flux_step(folder: Path, table: str, layers: int) -> dict[str, float]:
    """Power step on one face of a slab that convects at the other, relative to the largest rise of the case."""
    rows = _table(folder, table)
    heated, cooled = [], []
    for name in sorted({row["case"] for row in rows}):
        chosen = [row for row in rows if row["case"] == name]
        conductivity, capacity, length, coefficient, flux = (
            float(chosen[0][key]) for key in ("k_W_mK", "cv_J_m3K", "L_m", "h_W_m2K", "q_W_m2")
        )
        layer = length / layers
        stack = _column(np.full(layers, layer), conductivity, capacity, coefficient)
        rise = _march(stack, 0.0, flux, 0, [float(row["t_s"]) for row in chosen])
        references = [[float(row[key]) for row in chosen] for key in ("dT_heated_face_K", "dT_cooled_face_K")]
        hot = rise[:, 0] + flux * 0.5 * layer / conductivity
        cold = rise[:, -1] / (1.0 + 0.5 * coefficient * layer / conductivity)
        heated.append(_largest(hot, references[0]) / max(references[0]))
        cooled.append(_largest(cold, references[1]) / max(references[1]))
    return {"heated face, relative": max(heated), "cooled face, relative": max(cooled)}


def fin_efficiency(folder: Path, table: str) -> dict[str, float]:
    """Straight and annular fins with adiabatic tips."""
    rows = _table(folder, table)
    straight = [row for row in rows if not row["r2_over_r1"]]
    annular = [row for row in rows if row["r2_over_r1"]]
    ratio = _array([float(row["r2_over_r1"]) for row in annular])
    inner = _array([float(row["m_times_length"]) for row in annular]) / (ratio - 1.0)
    height = _array([float(row["m_times_length"]) for row in straight])
    return {
        "straight": _largest(straight_fin_efficiency(height), [float(row["efficiency"]) for row in straight]),
        "annular": _largest(annular_fin_efficiency(inner, ratio), [float(row["efficiency"]) for row in annular]),
    }


def natural_convection(folder: Path, table: str) -> dict[str, float]:
    """Churchill and Chu's relation for a vertical plate at all Rayleigh numbers."""
    rows = _table(folder, table)
    rayleigh, prandtl = (_array([float(row[key]) for row in rows]) for key in ("Ra", "Pr"))
    reference = [float(row["Nu_vertical_ChurchillChu_all"]) for row in rows]
    return {"Nusselt number, relative": _relative(vertical_plate_nusselt(rayleigh, prandtl), reference)}


def cold_plate(
    folder: Path, table: str, water: str, plates: int, total_flow: float, pressure_drop: float
) -> dict[str, float]:
    """The published plate: resistance over its tables with glycol and with water, and the drop [Pa] of `plates` side by
    side at a flow [L/min]."""
    plate = ColdPlate.published()
    of_water = CoolantProperties.of(media.liquid("water"), _array(TEST_TEMPERATURE))

    def error(name: str, coolant: CoolantProperties) -> float:
        rows = _table(folder, name)
        flow = _array([float(row["flow_L_per_min"]) for row in rows]) * LITRE_PER_MINUTE
        return _relative(plate.resistance(flow, coolant), [float(row["resistance_K_per_W"]) for row in rows])

    each = _array(total_flow / plates) * LITRE_PER_MINUTE
    return {
        "resistance, relative": error(table, plate.reference),
        "resistance with water, relative": error(water, of_water),
        "pressure drop, relative": _relative(plate.pressure_drop(each), pressure_drop),
    }
