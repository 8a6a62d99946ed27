"""Checks of coolant networks, exchangers and transport against reference data: from a case's folder to its errors.

Flows are compared link by link, relative to the link's own flow but to no less than 1e-3 of the network's largest, as
a link that stands still has no relative error.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.coolant import (
    AbstractBranchLaw,
    BranchGroup,
    CoolantDistributionUnit,
    DelayLine,
    DryCooler,
    HazenWilliamsPipe,
    Network,
    Pipe,
    Pump,
    PumpCurve,
    QuadraticLoss,
    colebrook,
    effectiveness,
    flow,
    heat_transport,
)
from voltherm.media import Water, liquid
from voltherm.study.validation import case_file

_STILL = 1e-3  # share of the largest flow below which a link's flow counts as absolute
_MINOR_LOSS = 0.02517 * np.pi**2 * 32.2 / 8.0  # EPANET's rounded constant over the exact one

_COLEBROOK_ROUGHNESS = 3.7 / 3.71  # pandapipes divides the relative roughness by 3.71


def epanet_network(folder: Path, network: str) -> dict[str, float]:
    """Errors in flow, -, and head, m, of a network solved with EPANET's own constants and friction."""
    data = json.loads(case_file(folder, network).read_text())
    nodes, links = data["nodes"], data["links"]
    gravity = data["constants"]["g_m_s2"]
    density = 1000.0
    is_open = np.asarray(links["open"], bool)
    kinds = np.asarray(links["type"])
    pipes, pumps = np.flatnonzero(is_open & (kinds == "pipe")), np.flatnonzero(is_open & (kinds == "pump"))
    fixed = [name for name, kind in zip(nodes["id"], nodes["type"], strict=True) if kind != "junction"]
    head = dict(zip(nodes["id"], nodes["head_m"], strict=True))

    def group(members: np.ndarray) -> BranchGroup:
        return BranchGroup(*([links[field][index] for index in members] for field in ("id", "start", "end")))

    def values(field: str, members: np.ndarray) -> Float[Array, " branch"]:
        return jnp.asarray([links[field][index] for index in members], jnp.float64)

    laws: tuple[AbstractBranchLaw, ...]
    if data["headloss"] == "H-W":
        coefficient = values("hw_c", pipes)
        laws = (HazenWilliamsPipe(values("length_m", pipes), values("diameter_m", pipes), coefficient, gravity),)
    else:
        loss = _MINOR_LOSS * values("minor_loss_k", pipes)
        laws = (
            Pipe(values("length_m", pipes), values("diameter_m", pipes), values("roughness_m", pipes), loss, "epanet"),
        )
    curves = [data["pumps"][links["id"][index]]["A_minus_BQ^C"] for index in pumps]
    a, b, c = (jnp.asarray([curve[place] for curve in curves], jnp.float64) for place in range(3))
    weight = density * gravity
    curve = PumpCurve(weight * a, jnp.zeros_like(a), -weight * b, jnp.full_like(a, density), exponent=c)
    model = Network.build(nodes["id"], [group(pipes), group(pumps)], fixed)
    solution = jax.jit(flow, static_argnames="tolerance")(
        model,
        (*laws, Pump(curve, values("setting", pumps))),
        jnp.asarray(density),
        jnp.asarray(density * data["constants"]["kinematic_viscosity_m2s"]),
        reference_pressure=weight * jnp.asarray([head[name] for name in fixed]),
        demand=density * jnp.asarray(nodes["demand_m3s"]),
        tolerance=1e-13,
    )
    reference = np.asarray(links["flow_m3s"])[np.r_[pipes, pumps]]
    solved = np.asarray(solution.value.mass_flow) / density
    floor = _STILL * np.abs(reference).max()
    return {
        "flow": float(np.max(np.abs(solved - reference) / np.maximum(np.abs(reference), floor))),
        "head": float(np.max(np.abs(np.asarray(solution.value.pressure) / weight - np.asarray(nodes["head_m"])))),
    }


def _columns(folder: Path, table: str) -> dict[str, list[str]]:
    with case_file(folder, table).open(newline="") as stored:
        rows = list(csv.DictReader(stored))
    return {name: [row[name] for row in rows] for name in rows[0]}


def _numbers(column: list[str]) -> Float[Array, " row"]:
    return jnp.asarray([float(value) for value in column], jnp.float64)


def colebrook_table(folder: Path, table: str) -> dict[str, float]:
    """Largest relative error of the friction factor."""
    columns = _columns(folder, table)
    found = colebrook(_numbers(columns["Re"]), _numbers(columns["eps_over_D"]))
    return {"friction factor, relative": float(jnp.max(jnp.abs(found / _numbers(columns["f_colebrook"]) - 1.0)))}


def effectiveness_table(folder: Path, table: str) -> dict[str, float]:
    """Largest error in effectiveness of every arrangement in the table."""
    columns = _columns(folder, table)
    names = np.asarray(columns["configuration"])
    ratio, ntu, reference = (np.asarray(_numbers(columns[name])) for name in ("Cr", "NTU", "effectiveness"))
    errors = {}
    for name in sorted(set(names.tolist())):
        rows = names == name
        found = effectiveness(jnp.asarray(ntu[rows]), jnp.asarray(ratio[rows]), name)
        errors[name] = float(np.max(np.abs(np.asarray(found) - reference[rows])))
    return errors


def _interpolated(folder: Path, table: str) -> Callable[[str, Array], Array]:
    """A property of a table at temperatures (branch,), K, by straight lines between its points; gaps are left out."""
    columns = _columns(folder, table)

    def at(name: str, temperature: Array) -> Array:
        points = [
            (float(kelvin), float(value))
            for kelvin, value in zip(columns["temperature_K"], columns[name], strict=True)
            if value
        ]
        return jnp.interp(temperature, *(jnp.asarray(side) for side in zip(*points, strict=True)))

    return at


def heated_loop(folder: Path, network: str, water: str) -> dict[str, float]:
    """Loop of two lossy pipes and parallel heat sources: errors in flow, relative, temperature, K, and energy balance.

    Water, Colebrook's constant and the sections of both pipes are the reference's: what is left is the network's own.
    Properties follow the temperatures found, as means of both ends of a branch; four passes leave nothing to change.
    """
    data = json.loads(case_file(folder, network).read_text())
    given, reference = data["inputs"], data["runs"][-1]
    count, sections = given["branches"], reference["sections"]
    middle = [f"source {index}" for index in range(count)]
    inner = [[f"{side} {index}" for index in range(1, sections)] for side in ("supply", "return")]
    along = (["supply", *inner[0], "split"], ["join", *inner[1], "return"])
    model = Network.build(
        ["supply", "split", "join", "return", *middle, *inner[0], *inner[1]],
        [
            BranchGroup(
                [f"{side} section {index}" for side in ("supply", "return") for index in range(sections)],
                [*along[0][:-1], *along[1][:-1]],
                [*along[0][1:], *along[1][1:]],
            ),
            BranchGroup([f"pipe {index}" for index in range(count)], ["split"] * count, middle),
            BranchGroup([f"exchanger {index}" for index in range(count)], middle, ["join"] * count),
        ],
        ["supply", "return"],
    )
    properties, index = _interpolated(folder, water), jnp.arange(count, dtype=jnp.float64)
    roughness = 1e-3 * given["roughness_mm"] * _COLEBROOK_ROUGHNESS

    def pipe(length: Float[Array, "..."] | float, diameter: float, number: int) -> Pipe:
        def filled(value: Float[Array, "..."] | float) -> Float[Array, " branch"]:
            return jnp.broadcast_to(jnp.asarray(value), (number,))

        return Pipe(filled(length), filled(diameter), filled(roughness), filled(0.0))

    # the sources' loss coefficient as the drop of 1 kg/s at 1000 kg/m3
    nominal = given["source_loss_K"] / 2000.0 / (0.25 * np.pi * given["source_diameter_m"] ** 2) ** 2
    laws = (
        pipe(given["L_m"] / sections, given["D_m"], 2 * sections),
        pipe(given["branch_pipe_m"] * (index + 1.0), given["source_diameter_m"], count),
        QuadraticLoss(jnp.ones(count), jnp.full(count, nominal), nominal_density=1000.0),
    )
    heat = jnp.concatenate([jnp.zeros(2 * sections + count), given["q_each_W"] * (1.0 + 0.2 * index)])
    wall = given["U_W_m2K"] * np.pi * given["D_m"] * given["L_m"] / sections
    wall_conductance = jnp.zeros(2 * sections + 2 * count).at[: 2 * sections].set(wall)
    supply = given["t_flow_K"]
    pressure = 1e5 * jnp.asarray([given["p_flow_bar"], given["p_flow_bar"] - given["plift_bar"]])

    @jax.jit
    def solve(ends):
        def mean(name):
            return 0.5 * (properties(name, ends[0]) + properties(name, ends[1]))

        solved = flow(
            model,
            laws,
            mean("density_kg_m3"),
            mean("viscosity_Pa_s"),
            reference_pressure=pressure,
            tolerance=1e-12,
        )
        heated = heat_transport(
            model,
            solved.value.mass_flow,
            jnp.mean(mean("heat_capacity_J_kgK")[2 * sections :]),
            ambient_temperature=jnp.asarray(given["t_amb_K"]),
            heat_flow=heat,
            wall_conductance=wall_conductance,
            injection_temperature=jnp.full(len(model.nodes), supply),
        )
        return solved.value.mass_flow, heated

    temperature = jnp.full(heat.size, supply)
    ends = (temperature, temperature)
    for _ in range(4):
        mass_flow, heated = solve(ends)
        ends = (heated.value.inlet_temperature, heated.value.outlet_temperature)
    expected = np.asarray(reference["pipe_mdot_kg_s"])  # supply, branches, return
    found = np.asarray(mass_flow)[np.r_[0, 2 * sections : 2 * sections + count, sections]]
    nodes = np.asarray(reference["junction_T_K"])  # in the order of the first nodes here
    return {
        "flow, relative": float(np.max(np.abs(found / expected - 1.0))),
        "node temperature": float(np.max(np.abs(np.asarray(heated.value.node_temperature)[: nodes.size] - nodes))),
        "energy balance, relative": float(heated.status.residual),
    }


def plug_flow(folder: Path, table: str, half_width: float = 1e-3) -> dict[str, float]:
    """Outlet temperature of a pipe behind a step, ramp and sine at its inlet, K, and the energy balance, relative.

    The outlet is a mean over a step, so steps of 2 half_width, s, have the table's times in their middle; what leaves
    in one of them entered in one of them, at the inlet's temperature in its middle. No time is rounded or left out.
    """
    worst, balance = 0.0, 0.0
    for case in json.loads(case_file(folder, table).read_text())["cases"]:
        error, imbalance = _plug_flow_case(case, half_width)
        worst, balance = max(worst, error), max(balance, imbalance)
    return {"outlet temperature": worst, "energy balance, relative": balance}


def _inlet_temperature(inlet: dict, time: np.ndarray) -> np.ndarray:
    if inlet["kind"] == "sine":
        return inlet["mean_C"] + inlet["amp_K"] * np.sin(2.0 * np.pi * time / inlet["period_s"])
    if inlet["kind"] == "ramp":
        return np.interp(time, [0.0, inlet["ramp_s"]], [inlet["T1_C"], inlet["T2_C"]])
    return np.full(time.size, inlet["T1_C"])


def _plug_flow_case(case: dict, half_width: float) -> tuple[float, float]:
    mass = case["rho"] * case["L_m"] * np.pi / 4.0 * case["D_m"] ** 2
    delay = mass / case["mdot_kg_s"]
    times = np.asarray(case["t_s"])[1:]  # the first is the state it starts from
    entered = times[times > delay] - delay
    sides = [at + side for at in (times, entered) for side in (-half_width, half_width)]
    edges = np.unique(np.maximum(np.concatenate([[0.0], *sides]), 0.0))
    durations, middle = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    temperature = _inlet_temperature(case["inlet"], middle)
    narrowest = np.min(durations[1:] + durations[:-1])  # two steps below 2/(n-2) of the pipe would be mixed
    line = DelayLine.filled(
        jnp.asarray(mass),
        jnp.asarray(case["T0_C"]),
        parcels=4 + int(2.0 * delay / narrowest),
        wall_conductance=jnp.asarray(case["U_W_m2K"] * np.pi * case["D_m"] * case["L_m"]),
        heat_capacity=jnp.asarray(case["cp"]),
        ambient_temperature=jnp.asarray(case["Tamb_C"]),
    )
    flow_rate = jnp.asarray(case["mdot_kg_s"])

    def advance(line: DelayLine, given: tuple[Array, Array]) -> tuple[DelayLine, Array]:
        return line.step(given[0], flow_rate, given[1])

    after, outlet = jax.jit(lambda line, given: jax.lax.scan(advance, line, given))(
        line, (jnp.asarray(temperature), jnp.asarray(durations))
    )
    found = np.asarray(outlet)[np.searchsorted(edges, times) - 1]
    error = np.max(np.abs(found - np.asarray(case["T_out_C"])[1:]))
    if case["U_W_m2K"] > 0.0:
        return float(error), 0.0
    brought = case["mdot_kg_s"] * np.sum(durations * (temperature - np.asarray(outlet)))
    kept = mass * (float(after.mean_temperature()) - case["T0_C"])
    return float(error), float(abs(brought - kept) / abs(kept))


def equipment_records(folder: Path, table: str) -> dict[str, float]:
    """A CDU, a dry cooler and a cold plate built from their published records, against what those records say beside
    it.
    """
    data = json.loads(case_file(folder, table).read_text())
    return {
        **_cdu_record(data["cdu"]),
        **_dry_cooler_record(data["dry_cooler"]),
        **_cold_plate_record(data["cold_plate"]),
    }


def _cdu_record(record: dict) -> dict[str, float]:
    secondary, facility = liquid("propylene_glycol", 0.25, "volume"), Water()
    heat, flows = jnp.asarray(record["heat_W"]), (record["secondary_flow_kg_s"], record["facility_flow_kg_s"])
    supply = jnp.asarray(record["facility_supply_K"])
    approach = jnp.asarray(record["approach_K"])
    unit = CoolantDistributionUnit.from_rating(
        secondary,
        facility,
        heat_flow=heat,
        secondary_mass_flow=jnp.asarray(flows[0]),
        facility_mass_flow=jnp.asarray(flows[1]),
        facility_supply_temperature=supply,
        approach=approach,
    )
    hot = secondary.temperature_at_enthalpy(secondary.specific_enthalpy(supply + approach) + heat / flows[0])
    state = unit.exchange(hot, supply, jnp.asarray(flows[0]), jnp.asarray(flows[1]))
    ends = (float(hot - state.facility_outlet_temperature), float(approach))
    log_mean = (ends[0] - ends[1]) / np.log(ends[0] / ends[1])
    needed = unit.facility_mass_flow_for(supply + approach, hot, supply, jnp.asarray(flows[0]))
    carried = flows[1] * (
        facility.specific_enthalpy(state.facility_outlet_temperature) - facility.specific_enthalpy(supply)
    )
    return {
        "CDU approach": float(state.secondary_outlet_temperature - supply - approach),
        "CDU conductance against log mean, relative": float(
            unit.conductance.nominal_conductance * log_mean / heat - 1.0
        ),
        "CDU facility flow for the set point, relative": float(needed / flows[1] - 1.0),
        "CDU energy balance, relative": float(carried / state.heat_flow - 1.0),
    }


def _dry_cooler_record(record: dict) -> dict[str, float]:
    inlet, outlet, air = (jnp.asarray(record[name]) for name in ("inlet_K", "outlet_K", "air_K"))
    cooler = DryCooler.from_rating(
        Water(),
        heat_flow=jnp.asarray(record["heat_W"]),
        coolant_inlet_temperature=inlet,
        coolant_outlet_temperature=outlet,
        air_temperature=air,
        fan_power=jnp.asarray(record["fan_power_W"]),
        minimum_fan_speed=jnp.asarray(0.15),
    )
    mass_flow, pressure = cooler.conductance.nominal_second_flow, jnp.asarray(101325.0)
    state = cooler.operate(inlet, mass_flow, air, pressure, jnp.asarray(1.0))
    speed = cooler.fan_speed_for(outlet, inlet, mass_flow, air, pressure)
    return {
        "dry cooler approach": float(state.coolant_outlet_temperature - air - record["approach_K"]),
        "dry cooler fan power per heat, relative": float(
            state.fan_power / state.heat_flow / record["fan_power_per_heat"] - 1.0
        ),
        "dry cooler fan speed for the set point": float(speed - 1.0),
    }


def _cold_plate_record(record: dict) -> dict[str, float]:
    plates = QuadraticLoss(
        jnp.asarray([record["flow_L_min"]]), jnp.asarray([record["pressure_drop_Pa"]]), exponent=record["exponent"]
    )
    one = jnp.ones(1)
    flows = jnp.linspace(0.1, 2.0, 20) * record["flow_L_min"]
    drops = jax.vmap(lambda value: plates.pressure_drop(value * one, 1000.0 * one, 1e-3 * one)[0])(flows)
    expected = record["pressure_drop_Pa"] * (flows / record["flow_L_min"]) ** record["exponent"]
    return {"cold plate pressure drop, relative": float(jnp.max(jnp.abs(drops / expected - 1.0)))}
