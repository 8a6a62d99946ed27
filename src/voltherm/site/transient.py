"""The site in time: what happens to the chips when heat rejection is lost, and how long until the first limit.

    chips, hydraulics, air side and controls follow at once; rows, tank and pipes store heat (`voltherm.site.stores`)
    valves   |dy/dt| <= 1 / stroke, towards what holds the set point

    plant -> tank -> supply pipe -> CDUs and condensers -> return pipe -> pumps -> plant

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| stroke | valve stroke time, 120 s | s | Modelica Buildings library, default of its valves |

`facility.tank_fraction` of the fill is the mixed tank, which stands in the supply, where it protects the chips; the
rest lies half in the supply and half in the return pipe. One step is one pass of `voltherm.site.building` at the
stores' temperatures. The network is not solved in time: substation losses stay at their steady value. Enthalpy in all
stores is booked against what went in and out, and the imbalance is part of the result.
"""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from voltherm.numerics import ResultCode, sentence
from voltherm.site.balances import substation_loss
from voltherm.site.build import with_parameters
from voltherm.site.building import BuildingUnknowns, solve_building
from voltherm.site.equipment import Equipment, equipment
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.stores import Stores, facility_mass, pipe_mass, row_heat_capacity, tank

_STROKE = 120.0
_SETTLED, _WATCHED = 300.0, 900.0  # s: when, and how long, the rise of the facility water is measured
_MOST_FLOW = 1.5  # over the starting flow: what valves that open may make of it
_PARCELS = 3.0  # times those in a pipe at the starting flow: flows down to a third are told apart step by step


class StepTooLongError(ValueError):
    """A step is longer than water stays in the facility's pipes; the message says what is possible."""


class UnsolvedStepError(ValueError):
    """The first step in time has no solution; the message says which part fails."""


class Trace(eqx.Module):
    """What is kept of a step, per building: temperatures and margin [K], power and heat [W], booked enthalpy [J], the
    largest result code of its solves, and whether a chip has no temperature though coolant flows.
    """

    facility_supply: Float[Array, "..."]
    facility_return: Float[Array, "..."]
    tank: Float[Array, "..."]
    supply: Float[Array, "..."]
    gpu_temperature: Float[Array, "..."]
    junction_margin: Float[Array, "..."]
    inlet_air: Float[Array, "..."]
    it_power: Float[Array, "..."]
    heat_in: Float[Array, "..."]
    heat_out: Float[Array, "..."]
    stored: Float[Array, "..."]
    mean_temperature: Float[Array, "..."]
    result: Int[Array, "..."]
    runaway: Bool[Array, "..."]


@dataclasses.dataclass(frozen=True)
class RideThrough:
    """Course of the worst building after heat rejection is lost, arrays over (time,); SI.

    `seconds_to_limit`: infinite where no limit is reached; `first_limit`: what is reached first, or "none".
    `seconds_per_kelvin`: of the facility water's mean temperature, within `window` [s]: minute 5 to 20 where the course
    is long enough, else all of it. `ended`: why the course ends before its duration, which counts as a limit; empty
    where it does not. `energy_residual`: largest imbalance of the facility's stores over a step, relative to the heat
    that went in.
    """

    time: np.ndarray
    facility_supply: np.ndarray
    facility_return: np.ndarray
    tank: np.ndarray
    supply: np.ndarray
    gpu_temperature: np.ndarray
    junction_margin: np.ndarray
    inlet_air: np.ndarray
    it_power: np.ndarray
    seconds_to_limit: float
    first_limit: str
    seconds_per_kelvin: float
    window: tuple[float, float]
    ended: str
    energy_residual: float


def _advance(
    site: Site, made: Equipment, stores: Stores, loss: Float[Array, ""], available: Float[Array, ""], step: float
) -> tuple[Stores, Trace]:
    """One step of one building."""
    water = made.water
    given = BuildingUnknowns(
        supply_temperature=stores.supply_temperature,
        return_temperature=stores.return_temperature,
        mechanical_power=jnp.zeros_like(loss),
        valve_opening=stores.valve_opening,
        facility_supply_temperature=water.temperature_at_enthalpy(stores.facility_supply_enthalpy),
        facility_return_temperature=water.temperature_at_enthalpy(stores.plant_inlet_enthalpy + stores.pump_rise),
        chilled_water_temperature=stores.chilled_water_temperature,
        condenser_heat=jnp.zeros_like(loss),
    )
    answered, state, result, flows = solve_building(site, made, given, loss, available, stores.flows)
    rows, facility = state.rows, state.facility

    # rows: towards the temperatures that would carry their heat, with the time constant of their exchanger
    capacity = row_heat_capacity(site, made.coolant)
    pump_rise = rows.pump_shaft_power / (rows.mass_flow * made.coolant.heat_capacity(answered.return_temperature))
    per_kelvin = rows.cdu_heat / (answered.return_temperature + pump_rise - given.facility_supply_temperature)
    kept = jnp.exp(-step * per_kelvin / capacity)
    supply = answered.supply_temperature + (stores.supply_temperature - answered.supply_temperature) * kept
    back = answered.return_temperature + (stores.return_temperature - answered.return_temperature) * kept
    to_facility = rows.cdu_heat - capacity * (back - stores.return_temperature) / step
    heat_in = jnp.sum(to_facility) + facility.condenser_heat

    duration = jnp.asarray(step, loss.dtype)
    into_plant = stores.return_pipe.outlet(facility.mass_flow, duration)
    rise = facility.pump_shaft_power / facility.mass_flow
    rejected = facility.plant.heat
    from_plant = into_plant + rise - rejected / facility.mass_flow
    no_ambient = jnp.zeros_like(from_plant)
    held, from_tank = tank(site, made).step(stores.tank_enthalpy, from_plant, facility.mass_flow, no_ambient, duration)
    supply_pipe, to_rows = stores.supply_pipe.step(from_tank, facility.mass_flow, duration)
    return_pipe, _ = stores.return_pipe.step(to_rows + heat_in / facility.mass_flow, facility.mass_flow, duration)
    largest = step / _STROKE
    opening = stores.valve_opening + jnp.clip(answered.valve_opening - stores.valve_opening, -largest, largest)
    after = Stores(
        supply,
        back,
        opening,
        to_rows,
        answered.chilled_water_temperature,
        held,
        into_plant,
        rise,
        supply_pipe,
        return_pipe,
        flows,
    )
    racks, rack = state.racks, site.rack
    margins = [
        rack.gpu.junction_limit - jnp.max(racks.gpu_temperature),
        rack.cpu.junction_limit - jnp.max(racks.cpu_temperature),
        rack.switch.junction_limit - jnp.max(racks.switch_temperature),
    ]
    stored = after.stored(site, made)
    trace = Trace(
        facility_supply=given.facility_supply_temperature,
        facility_return=water.temperature_at_enthalpy(into_plant),
        tank=water.temperature_at_enthalpy(held),
        supply=jnp.max(supply),
        gpu_temperature=jnp.max(racks.gpu_temperature),
        junction_margin=jnp.min(jnp.stack(margins)) - site.limits.junction_margin,
        inlet_air=state.air.supply_temperature,
        it_power=jnp.sum(racks.electrical_power),
        heat_in=heat_in + facility.pump_shaft_power,
        heat_out=rejected,
        stored=stored,
        mean_temperature=water.temperature_at_enthalpy(stored / facility_mass(site, made)),
        result=result,
        runaway=jnp.all(jnp.isfinite(rows.mass_flow)) & ~jnp.isfinite(jnp.sum(racks.electrical_power)),
    )
    return after, trace


@eqx.filter_jit
def _run(
    site: Site,
    state: SiteState,
    available: Float[Array, "time"],
    dry_bulb: Float[Array, "time"],
    step: float,
    parcels: int,
) -> tuple[Trace, Float[Array, " building"]]:
    """Traces (time, building), and the booking of the starting state (building,)."""
    made = equipment(site)
    loss = substation_loss(site, state.power.active_loss)
    start = jax.vmap(lambda one, flows: Stores.at_rest(site, made, one, flows, parcels))(state.buildings, state.flows)

    def advance(stores: Stores, inputs: tuple[Array, Array]) -> tuple[Stores, Trace]:
        there = with_parameters(site, {"climate.dry_bulb": inputs[1]})
        return jax.vmap(lambda one, lost: _advance(there, made, one, lost, inputs[0], step))(stores, loss)

    booked = jax.vmap(lambda one: one.stored(site, made))(start)
    return jax.lax.scan(advance, start, (available, dry_bulb))[1], booked


def simulate(
    site: Site,
    state: SiteState,
    *,
    duration: float | None = None,
    step: float | None = None,
    available: np.ndarray | None = None,
    dry_bulb: np.ndarray | None = None,
) -> RideThrough:
    """The site from a steady state on, by default with all outdoor heat rejection lost from the first step.

    **Arguments**

    - `state`: solved state of the site
    - `duration`, `step` [s]: by default those of `site.ride_through`
    - `available`: share of heat rejection that works in each step (time,), by default zero
    - `dry_bulb`: of each step (time,) [K], by default that of the climate section

    **Returns**: the course of the building that comes nearest to its limit. Memory grows with steps by a dozen
    numbers each.

    **Raises**: `StepTooLongError` where a step is longer than water stays in the facility's pipes; `UnsolvedStepError`
    where the first step has no solution.
    """
    step = float(site.ride_through.step) if step is None else step
    duration = float(site.ride_through.duration) if duration is None else duration
    steps = max(1, math.ceil(duration / step - 1e-9))
    dtype = site.climate.dry_bulb.dtype
    works = jnp.zeros(steps, dtype) if available is None else jnp.asarray(available, dtype)
    ambient = jnp.full(steps, site.climate.dry_bulb) if dry_bulb is None else jnp.asarray(dry_bulb, dtype)
    facility = state.buildings.facility
    content = float(pipe_mass(site, equipment(site)))
    longest = content / (_MOST_FLOW * float(jnp.max(facility.mass_flow)))
    if step > longest:
        raise StepTooLongError(
            f"a step of {step:g} s is longer than water stays in the facility pipes; take at most {longest:.0f} s"
        )
    parcels = math.ceil(_PARCELS * content / (float(jnp.min(facility.mass_flow)) * step)) + 4
    traces, booked = jax.tree.map(np.asarray, _run(site, state, works, ambient, step, parcels))
    worst = int(np.argmin(traces.junction_margin.min(axis=0)))
    one = jax.tree.map(lambda values: values[:, worst], traces)
    return _ride_through(site, one, float(booked[worst]), step)


def _ride_through(site: Site, one: Trace, booked: float, step: float) -> RideThrough:
    course = {field.name: np.asarray(getattr(one, field.name)) for field in dataclasses.fields(one)}
    # where a solve fails or a chip runs away there is no state: the course ends there
    lost = np.flatnonzero(~np.isfinite(course["it_power"]) | (course["result"] != ResultCode.CONVERGED))
    ended = _ended(course, int(lost[0])) if lost.size else ""
    if lost.size and lost[0] == 0:
        raise UnsolvedStepError(f"the first step in time has no solution: {ended}")
    course = {name: values[: lost[0] if lost.size else None] for name, values in course.items()}
    time = step * np.arange(1, len(course["supply"]) + 1)
    change = np.diff(np.concatenate([[booked], course["stored"]]))
    residual = np.abs(change - step * (course["heat_in"] - course["heat_out"])) / (step * course["heat_in"])
    crossings = {
        "chip junction limit": _first_below_zero(time, course["junction_margin"]),
        "rack inlet air limit": _first_below_zero(time, float(site.air.inlet_limit) - course["inlet_air"]),
    }
    if ended:
        crossings[ended] = float(time[-1] + step)
    first = min(crossings, key=lambda name: crossings[name])
    seconds = crossings[first]
    # after the rows have warmed, and before chips far beyond their limit give off more than they should
    watched = np.flatnonzero((time >= _SETTLED) & (time <= _SETTLED + _WATCHED))
    begin, end = (watched[0], watched[-1]) if watched.size > 1 else (0, len(time) - 1)
    rise = course["mean_temperature"][end] - course["mean_temperature"][begin]
    return RideThrough(
        time=time,
        **{name: course[name] for name in _KEPT},
        seconds_to_limit=seconds,
        first_limit="none" if math.isinf(seconds) else first,
        seconds_per_kelvin=float((time[end] - time[begin]) / rise) if rise > 0.0 else math.inf,
        window=(float(time[begin]), float(time[end])),
        ended=ended,
        energy_residual=float(np.max(residual)),
    )


_KEPT = (
    "facility_supply",
    "facility_return",
    "tank",
    "supply",
    "gpu_temperature",
    "junction_margin",
    "inlet_air",
    "it_power",
)


def _ended(course: dict[str, np.ndarray], step: int) -> str:
    if course["runaway"][step]:
        return "a chip has no steady temperature: its leakage runs away"
    return sentence(ResultCode(int(course["result"][step])), "the hydraulics of the loops")


def _first_below_zero(time: np.ndarray, margin: np.ndarray) -> float:
    """Time [s] at which a margin first falls to zero, between steps by a straight line; infinite where it does not."""
    below = np.flatnonzero(margin <= 0.0)
    if below.size == 0:
        return math.inf
    after = int(below[0])
    if after == 0:
        return float(time[0])
    share = margin[after - 1] / (margin[after - 1] - margin[after])
    return float(time[after - 1] + share * (time[after] - time[after - 1]))
