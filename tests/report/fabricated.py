"""A small answer made by hand: right shapes and names, plausible numbers, nothing solved."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from voltherm.coolant import NetworkState
from voltherm.formats.loader import configuration
from voltherm.numerics import ResultCode
from voltherm.power import PowerState
from voltherm.site import build, layout
from voltherm.site.electrical import one_line
from voltherm.site.facility_loop import facility_network
from voltherm.site.findings import Finding
from voltherm.site.outputs import COOLING_PARTS, FIGURES, INTAKE_PARTS
from voltherm.site.sections import Site
from voltherm.site.states import (
    AirState,
    BuildingFlows,
    BuildingState,
    FacilityState,
    RackStates,
    RejectionState,
    RowState,
    SiteState,
)
from voltherm.site.transient import RideThrough
from voltherm.site.year import ENERGIES, Response, Year
from voltherm.study.answer import Answer, Point
from voltherm.study.limits import Constraint
from voltherm.study.sensitivity import Sensitivity
from voltherm.study.uncertainty import Band, Uncertainty

SMALL = (
    "building.halls=2",
    "building.rows_per_hall=2",
    "building.racks_per_row=3",
    "rack.compute_trays=2",
    "rack.switch_trays=1",
    "electrical.feeders=2",
    "electrical.mechanical_feeders=1",
    "electrical.mechanical_substations=2",
)
_IT_POWER, _PART = 2.0e6, 2.2e4
"""IT power and that of every other part of the intake [W]."""
_FACILITY_POWER = _IT_POWER + _PART * (len(INTAKE_PARTS) - 1)
_AMBIENT = np.linspace(263.15, 318.15, 12)
_SIZES = {"chip": (346.0, 350.0), "rack": 1.3e5}


def small_site(project_root, *overrides: str) -> Site:
    """Two halls of two rows of three racks; `overrides` as on the command line."""
    configured, _ = configuration(project_root / "configs/campus/abilene_building.yaml", (*SMALL, *overrides))
    return build(configured)


def _filled(kind: type, shapes: dict[str, tuple[int, ...]], values: dict[str, Any], default: tuple[int, ...]) -> Any:
    """A module with every field an array: of the named value, or of 1."""
    made = {}
    for field in dataclasses.fields(kind):
        shape = shapes.get(field.name, default)
        made[field.name] = jnp.broadcast_to(jnp.asarray(values.get(field.name, 1.0)), shape)
    return kind(**made)


def _plant(buildings: int, heat: float, supply: float) -> RejectionState:
    values = {
        "supply_temperature": supply,
        "return_temperature": supply + 10.0,
        "mass_flow": 60.0,
        "heat": heat,
        "dry_cooler_heat": 0.7 * heat,
        "chiller_heat": 0.3 * heat,
        "fan_power": 0.03 * heat,
        "compressor_power": 0.05 * heat,
    }
    return _filled(RejectionState, {}, values, (buildings,))


def _state(site: Site) -> SiteState:
    building, rack = site.building, site.rack
    count, rows, racks = building.count, building.rows, building.racks_per_row
    trays = rack.compute_trays + rack.switch_trays
    topology = one_line(site)
    buses, branches = len(topology.network.buses), len(topology.network.branches)
    heat = count * rows * racks * _SIZES["rack"]
    row_state = _filled(
        RowState,
        {"rack_mass_flow": (count, rows, racks), "tray_mass_flow": (count, rows, racks, trays)},
        {"supply_temperature": 313.15, "return_temperature": 323.15, "mass_flow": 9.0, "rack_mass_flow": 3.0,
         "cdu_heat": 3.9e5, "facility_mass_flow": 10.0, "facility_return_temperature": 320.0,
         "differential_pressure": 1.75e5, "pump_power": 5e3, "pump_shaft_power": 4e3, "valve_opening": 0.6},
        (count, rows),
    )  # fmt: skip
    chips = jnp.linspace(*_SIZES["chip"], count * rows * racks * rack.compute_trays * rack.gpu.per_tray)
    shape = (count, rows, racks, rack.compute_trays, rack.gpu.per_tray)
    gpus, cpus = chips.reshape(shape), jnp.full((*shape[:4], rack.cpu.per_tray), 330.0)
    switches = jnp.full((count, rows, racks, rack.switch_trays, rack.switch.per_tray), 335.0)
    rack_states = RackStates(
        gpu_temperature=gpus,
        cpu_temperature=cpus,
        switch_temperature=switches,
        gpu_unthrottled_temperature=gpus,
        cpu_unthrottled_temperature=cpus,
        switch_unthrottled_temperature=switches,
        work=jnp.ones((count, rows, racks)),
        throttled_chips=jnp.zeros((count, rows, racks)),
        off_chips=jnp.zeros((count, rows, racks)),
        return_temperature=jnp.full((count, rows, racks), 323.15),
        liquid_heat=jnp.full((count, rows, racks), 1.15e5),
        air_heat=jnp.full((count, rows, racks), 1.5e4),
        electrical_power=jnp.full((count, rows, racks), _SIZES["rack"]),
    )
    nodes = len(facility_network(building.halls, building.rows_per_hall).nodes)
    facility = FacilityState(
        plant=_plant(count, heat, 309.15),
        node_pressure=jnp.broadcast_to(jnp.linspace(6e5, 3e5, nodes), (count, nodes)),
        **{
            field.name: jnp.ones(count) if "speed" in field.name else jnp.full(count, 100.0)
            for field in dataclasses.fields(FacilityState)
            if field.name not in ("plant", "node_pressure")
        },
    )
    air = AirState(
        plant=_plant(count, 0.1 * heat, 291.15),
        **{
            field.name: jnp.full(count, 298.15 if "temperature" in field.name else 1e4)
            for field in dataclasses.fields(AirState)
            if field.name != "plant"
        },
    )
    power = {
        field.name: jnp.full(buses if _on_buses(field.name) else branches, 1e5)
        for field in dataclasses.fields(PowerState)
    }
    power |= {
        "voltage_magnitude": jnp.linspace(1.0, 0.97, buses),
        "loading": jnp.linspace(0.4, 0.8, branches),
        "active_balance": jnp.zeros(()),
    }
    buildings = BuildingState(
        rows=row_state,
        racks=rack_states,
        facility=facility,
        air=air,
        ups_loss=jnp.full(count, 1e5),
        row_power=jnp.full((count, rows), 4e5),
        row_reactive_power=jnp.full((count, rows), 5e4),
        mechanical_power=jnp.full(count, 1e5),
    )
    flows = BuildingFlows(
        NetworkState(jnp.full((count, rows, 9), 3.0), jnp.full((count, rows, 8), 3e5)),
        NetworkState(jnp.full((count, 14), 10.0), facility.node_pressure),
    )
    state = SiteState(buildings, PowerState(**power), flows, jnp.zeros(3))
    return jax.tree.map(np.asarray, state)


def _on_buses(name: str) -> bool:
    kinds = ("voltage", "load", "shunt", "source", "mismatch")
    return name != "loading" and any(kind in name for kind in kinds)


def _figures(shape: tuple[int, ...] = ()) -> dict[str, Any]:
    values = {
        "W": 2.0e6, "K": 315.15, "1": 0.5, "kg s-1": 3.0, "m3 J-1": 2.5e-8,
    }  # fmt: skip
    named = {
        "it_power": _IT_POWER, "facility_power": _FACILITY_POWER, "cooling_power": _PART * len(COOLING_PARTS),
        "pue": _FACILITY_POWER / _IT_POWER,
        "gpu_margin": 8.76, "cpu_margin": 30.0, "switch_margin": 20.0, "junction_margin": 8.76,
        "memory_margin": 12.0, "supply_margin": 20.0,
        "inlet_margin": 10.0, "supply_excess": 0.0, "gpu_temperature": 350.0, "heat_residual": 1e-11,
        "mass_residual": 1e-12, "power_residual": 1e-13, "site_residual": 1e-10, "lowest_voltage": 0.97,
    }  # fmt: skip
    named |= dict.fromkeys(INTAKE_PARTS[1:], _PART) | {"throttled_chips": 0.0, "off_chips": 0.0}
    return {name: np.full(shape, named.get(name, values[figure.unit])) for name, figure in FIGURES.items()}


PUMPS = Finding(
    "pump flow", "CDU pumps", "H1-R02-CDU", 1.55, 1.2, "1", "practice", 4, 4, 0.29,
    "all 4 CDU pumps run at 155 % of their best flow (worst H1-R02-CDU)",
)  # fmt: skip
BRANCHES = Finding(
    "velocity", "racks' branches", "H2-R02-K03", 2.6, 2.4, "m s-1", "practice", 1, 12, 0.08,
    "one of 12 pipes of the racks' branches (H2-R02-K03) carries coolant at 2.6 m/s",
)  # fmt: skip
FASTER = dataclasses.replace(BRANCHES, value=2.9, excess=0.21, sentence=BRANCHES.sentence.replace("2.6", "2.9"))


def _point(site: Site, set_point: float, margin: float, findings: tuple[Finding, ...] = (PUMPS,)) -> Point:
    chip = "H2-R02-K03 tray 02 GPU 1"
    rows = (
        ("GPU junction temperature", chip, margin, "K", "limit", margin < 0.06),
        ("supply set point held", "H1-R01-CDU", 0.0, "K", "control", False),
        ("CPU junction temperature", "H2-R02-K03 tray 02 CPU 1", 30.0, "K", "limit", False),
        ("dry cooler fans", "dry coolers", 0.0, "1", "equipment", True),
        ("lowest voltage", "M02 480 V", 0.02, "1", "limit", False),
        ("transformer loading", "substation H1-R02", 0.2, "1", "limit", False),
        ("feeder loading", "feeder F1 to H1-R01", 0.3, "1", "limit", False),
    )
    figures = {name: float(value) for name, value in _figures().items()}
    return Point(
        set_point=set_point,
        dry_bulb=float(site.climate.dry_bulb),
        figures=figures | {"gpu_margin": margin, "junction_margin": margin, "supply_temperature": set_point},
        state=_state(site),
        constraints=tuple(Constraint(*row) for row in rows),
        hottest={"gpu": chip, "cpu": chip, "switch": chip, "rack": "H2-R02-K03", "row": "H2-R02-CDU"},
        findings=findings,
    )


def _response(set_point: float, failed: int = 0) -> Response:
    figures = {name: values.copy() for name, values in _figures((len(_AMBIENT),)).items()}
    figures["trim_chiller_heat"] = np.maximum(_AMBIENT - 308.15, 0.0) * 1e5
    held = np.full(len(_AMBIENT), set_point)
    result = np.zeros(len(_AMBIENT), int)
    if failed:
        held[-failed:], result[-failed:] = np.nan, 5
        for values in figures.values():
            values[-failed:] = np.nan
    return Response(_AMBIENT, held, figures, result)


def _year() -> Year:
    energy = dict.fromkeys(ENERGIES, 3.6e12) | {"it_power": 3.6e13, "facility_power": 1.0987 * 3.6e13}
    hours = 290.0 + 20.0 * np.cos(np.linspace(0.0, 2.0 * np.pi, 8760))
    return Year(
        dry_bulb=hours,
        energy=energy,
        monthly_energy={name: np.full(12, value / 12.0) for name, value in energy.items()},
        hours_above_limit=7,
        hours_of_trim=123,
        pue=1.0987,
        monthly_pue=np.linspace(1.05, 1.15, 12),
        water=207.5,
        monthly_water=np.full(12, 17.3),
        wue=2.5e-4,
        bridged_hours=0,
        reading_error=1e-4,
    )


def _ride(limit: float) -> RideThrough:
    time = np.arange(0.0, 3601.0, 15.0)
    warmed = dict.fromkeys(("facility_supply", "facility_return", "tank", "supply"), 320.0 + time / 180.0)
    values: dict[str, Any] = {
        "time": time,
        **warmed,
        "gpu_temperature": 350.0 + time / 180.0,
        "junction_margin": 10.0 - time / 180.0,
        "inlet_air": 298.15 + time / 180.0,
        "it_power": np.full_like(time, 2e6),
        "heat_in": np.full_like(time, 2e6),
        "work": np.ones_like(time),
        "seconds_to_throttling": limit + 300.0,
        "facility_flow": np.full_like(time, 60.0),
        "row_flow": np.full_like(time, 8.0),
        "cooler_share": np.zeros_like(time),
        "chiller_share": np.zeros_like(time),
        "handler_share": np.ones_like(time),
        "load_factor": np.ones_like(time),
        "events": "heat rejection lost at 0 s",
        "seconds_to_limits": {"chip junction limit": limit},
        "seconds_to_limit": limit,
        "first_limit": "chip junction limit" if np.isfinite(limit) else "none",
        "seconds_per_kelvin": 180.0,
        "window": (300.0, 1200.0),
        "ended": "",
        "energy_residual": 1e-13,
    }
    return RideThrough(**values)


def fabricated_answer(site: Site, *, allowed: bool = True, name: str | None = None) -> Answer:
    """An answer for `site`; `allowed` says whether any set point serves, `name` stands in for the case's."""
    if name is not None:
        site = dataclasses.replace(site, name=name)
    found = Sensitivity("rack.gpu.junction_limit", 360.15, 1.0, 1.0, 1.0)
    other = Sensitivity("rack.gpu.interface_area", 1.6e-3, 5812.5, 1.6e-5, 0.093)
    return Answer(
        site=site,
        layout=layout(site),
        point=_point(site, 313.15, 8.76),
        allowed=_point(site, 320.07, 0.0, (PUMPS, FASTER)) if allowed else None,
        searched=int(ResultCode.CONVERGED if allowed else ResultCode.LIMIT),
        unheld=None
        if allowed
        else Constraint("GPU junction temperature", "B1/R1/GPU1", -1.2, "K", "limit", False, True),
        chip_supply=320.07 if allowed else None,
        coldest=_point(site, 313.15, 8.76, (PUMPS, BRANCHES)),
        sensitivities=(found, other),
        uncertainty=None,
        curve=_response(313.15),
        allowed_curve=_response(320.07, failed=2 if allowed else len(_AMBIENT)),
        year=_year(),
        allowed_year=_year() if allowed else None,
        ride_through=_ride(1062.0 if allowed else float("inf")),
        iterations=9,
        residual=1e-11,
        seconds={"steady state of the hot day": 1.5, "year": 2.25, "everything": 3.0},
    )


def with_bands(answer: Answer, *, samples: int = 0, failed: int = 0, unserved: int = 0) -> Answer:
    """The answer with tolerances of two numbers: bands of its main figures, and the two among the sensitivities."""

    def band(value: float, uncertainty: float, signs: tuple[int, int] = (1, 1)) -> Band:
        parts = {
            "rack.gpu.interface_resistance": signs[0] * 0.8 * uncertainty,
            "rack.gpu.package_resistance": signs[1] * 0.6 * uncertainty,
        }
        quantiles = tuple(value + factor * uncertainty for factor in (-1.6, 0.1, 1.7)) if samples else ()
        return Band(value, uncertainty, parts, quantiles)

    figures = answer.point.figures
    bands = {
        "junction_margin": band(figures["junction_margin"], 4.1, (-1, -1)),
        "cooling_power": band(figures["cooling_power"], 0.031 * figures["cooling_power"]),
        "pue": band(figures["pue"], 0.0042),
        "it_power": band(figures["it_power"], 0.012 * figures["it_power"]),
    }
    if answer.chip_supply is not None:
        bands["chip_supply"] = band(answer.chip_supply, 4.44, (-1, -1))
    known = (
        Sensitivity("rack.gpu.interface_resistance", 1e-5, -1.312e6, 2.5e-6, -3.28, True),
        Sensitivity("rack.gpu.package_resistance", 0.004, -2460.0, 0.001, -2.46, True),
    )
    return dataclasses.replace(
        answer,
        sensitivities=(*known, *answer.sensitivities[1:]),
        uncertainty=Uncertainty(bands, samples, failed, unserved),
    )
