"""The site in time: what happens to the chips when something is lost, and how long until the first limit.

    plant -> tank -> supply pipe -> CDUs and condensers -> return pipe -> pumps -> plant

    S_m     = S_n + (dt / 2) F(S_n, t_n)          a first half step
    S_(n+1) = S_n + dt F(S_m, t_n + dt / 2)       the step, at the flows and temperatures of its middle

S are the stores of `voltherm.site.stores`, F a pass through the building (`voltherm.site.instant`) with what works at
that time (`voltherm.site.events`); each store is exact over a step of constant inputs, so the method is of second order
however short a store's own time is. Every stored row is the state at its time, the first that of the start.

`facility.tank_fraction` of the fill is the mixed tank, which stands in the supply, where it protects the chips; the
rest lies half in the supply and half in the return pipe. The network is not solved in time: substation losses stay at
their steady value. Enthalpy in all stores is booked against what went in and out, and the imbalance is part of the
result.
"""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from voltherm.numerics import ResultCode, require_double
from voltherm.site.equipment import Equipment, build_equipment
from voltherm.site.events import Course, Event, Working, events_of, load_of, working
from voltherm.site.instant import Passed, advance
from voltherm.site.ledger import substation_loss
from voltherm.site.ride_through import RideThrough, evaluated
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.stores import Stores, facility_mass, pipe_mass
from voltherm.site.time_grid import time_grid

_MOST_FLOW = 1.5  # over the starting flow: what valves that open may make of it
_PARCELS = 3.0  # times those in a pipe at the starting flow: flows down to a third are told apart step by step
_LEAST_PARCELS = 256
_PART = 64  # steps of one call of the compiled program


class StepTooLongError(ValueError):
    """A step is longer than water stays in the facility's pipes; the message says what is possible."""


class Trace(eqx.Module):
    """What is kept of a step, per building. At its start: temperatures and margins [K], work of the GPUs, and how many
    chips have switched themselves off. Over it: power and heat [W], flows [kg/s]; booked enthalpy at its end [J]; the
    largest result code of its solves, and whether a chip has no temperature though coolant flows.
    """

    facility_supply: Float[Array, "..."]
    facility_return: Float[Array, "..."]
    tank: Float[Array, "..."]
    supply: Float[Array, "..."]
    gpu_temperature: Float[Array, "..."]
    junction_margin: Float[Array, "..."]
    memory_margin: Float[Array, "..."]
    throttle_margin: Float[Array, "..."]
    work: Float[Array, "..."]
    off: Float[Array, "..."]
    inlet_air: Float[Array, "..."]
    it_power: Float[Array, "..."]
    facility_flow: Float[Array, "..."]
    row_flow: Float[Array, "..."]
    mean_temperature: Float[Array, "..."]
    heat_in: Float[Array, "..."]
    heat_out: Float[Array, "..."]
    stored: Float[Array, "..."]
    result: Int[Array, "..."]
    runaway: Bool[Array, "..."]


def _step(
    site: Site,
    equipment: Equipment,
    stores: Stores,
    loss: Float[Array, ""],
    works: Working,
    duration: Float[Array, ""],
) -> tuple[Stores, Trace]:
    """One step of one building; `works` at its start and in its middle."""

    def stage(now: Stores, given: tuple[Working, Float[Array, ""]]) -> tuple[Stores, Passed]:
        there, share = given
        return advance(site, equipment, stores, now, there, loss, share * duration)

    # one pass in the program serves both stages
    after, passed = jax.lax.scan(stage, stores, (works, jnp.asarray([0.5, 1.0], loss.dtype)))
    first, whole = (jax.tree.map(lambda leaf, stage=stage: leaf[stage], passed) for stage in (0, 1))
    water = equipment.water
    stored = stores.facility_stored(site, equipment)
    trace = Trace(
        facility_supply=water.temperature_at_enthalpy(stores.facility_supply()),
        facility_return=water.temperature_at_enthalpy(stores.facility_return()),
        tank=water.temperature_at_enthalpy(stores.tank_enthalpy),
        supply=jnp.max(equipment.coolant.temperature_at_enthalpy(stores.supply_enthalpy)),
        gpu_temperature=stores.chips.gpu_temperature,
        junction_margin=stores.chips.margin,
        memory_margin=stores.chips.memory_margin,
        throttle_margin=stores.chips.throttle_margin,
        work=stores.chips.work,
        off=stores.chips.off,
        inlet_air=stores.air_temperature,
        it_power=first.it_power,
        facility_flow=first.facility_flow,
        row_flow=first.row_flow,
        mean_temperature=water.temperature_at_enthalpy(stored / facility_mass(site, equipment)),
        heat_in=whole.heat_in,
        heat_out=whole.heat_out,
        stored=after.stored(site, equipment),
        result=jnp.max(passed.result),
        runaway=jnp.any(passed.runaway),
    )
    return after, trace


@eqx.filter_jit
def _start(site: Site, state: SiteState, parcels: int) -> tuple[Stores, Float[Array, " building"]]:
    """Stores of all buildings at the start, and what is booked in them (building,)."""
    equipment = build_equipment(site)
    start = jax.vmap(lambda one, flows: Stores.at_rest(site, equipment, one, flows, parcels))(
        state.buildings, state.flows
    )
    return start, jax.vmap(lambda one: one.stored(site, equipment))(start)


@eqx.filter_jit
def _part(
    site: Site, loss: Float[Array, " building"], stores: Stores, works: Working, durations: Float[Array, " step"]
) -> tuple[Stores, Trace]:
    """Stores after a part of the course, and its traces (step, building). `works`: (step, stage)."""
    equipment = build_equipment(site)

    def advanced(stores: Stores, inputs: tuple[Working, Array]) -> tuple[Stores, Trace]:
        return jax.vmap(lambda one, lost: _step(site, equipment, one, lost, *inputs))(stores, loss)

    return jax.lax.scan(advanced, stores, (works, durations))


def _run(
    site: Site, state: SiteState, works: Working, durations: np.ndarray, parcels: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Traces (step, building) by name, and the booking of the starting state (building,); parts of one length, so
    that one compiled program serves every duration. A part that fails everywhere is the last.
    """
    dtype = site.climate.dry_bulb.dtype
    stores, booked = _start(site, state, parcels)
    loss = substation_loss(site, state.power.active_loss)
    parts = []
    for begin in range(0, len(durations), _PART):
        # behind the end the last step is taken again, and what it brings is left out
        here = np.minimum(np.arange(begin, begin + _PART), len(durations) - 1)
        given = jax.tree.map(lambda values, here=here: values[here], works)
        stores, traces = _part(site, loss, stores, given, jnp.asarray(durations[here], dtype))
        parts.append(vars(jax.tree.map(np.asarray, traces)))
        if np.all(parts[-1]["result"][-1] != ResultCode.CONVERGED):
            break
    course = {name: np.concatenate([part[name] for part in parts])[: len(durations)] for name in parts[0]}
    return course, np.asarray(booked)


def _parcels(content: float, entering: float) -> int:
    """Parcels of water that are told apart in a pipe; a power of two, so that few programs serve all steps."""
    wanted = math.ceil(_PARCELS * content / entering) + 4
    return int(max(_LEAST_PARCELS, 2 ** math.ceil(math.log2(wanted))))


def simulate(
    site: Site,
    state: SiteState,
    *,
    duration: float | None = None,
    step: float | None = None,
    events: Sequence[Event] | None = None,
    load: Course | None = None,
    dry_bulb: Course | None = None,
) -> RideThrough:
    """The site from a steady state on, while something is lost and restored.

    **Arguments**

    - `state`: solved state of the site
    - `duration`, `step` [s]: by default those of `site.ride_through`; shorter steps follow every event
    - `events`: what is lost and restored, by default those of `site.ride_through`
    - `load`: factor on the configured load factor over time [s], by default that of `site.ride_through`
    - `dry_bulb` over time [s], by default that of the climate section [K]

    **Returns**: the course of the building that comes nearest to its limit. Memory grows with steps by two dozen
    numbers each. No derivative passes through time.

    **Raises**: `StepTooLongError` where a step is longer than water stays in the facility's pipes; `UnsolvedStepError`
    where the first step has no solution; `ValueError` for an event after the end, and in single precision.
    """
    require_double(site.climate.dry_bulb, "a course in time books the heat of whole loops and")
    riding = site.ride_through
    step = float(riding.step) if step is None else step
    duration = float(riding.duration) if duration is None else duration
    events = events_of(riding) if events is None else tuple(sorted(events, key=lambda event: event.at))
    load = load_of(riding) if load is None else load
    dry_bulb = Course((0.0,), (float(site.climate.dry_bulb),)) if dry_bulb is None else dry_bulb
    late = next((event for event in events if event.at > duration), None)
    if late is not None:
        raise ValueError(f"'{late}' lies behind the {duration:g} s simulated")
    buildings = state.buildings
    content = float(pipe_mass(site, build_equipment(site)))
    longest = content / (_MOST_FLOW * float(jnp.max(buildings.facility.mass_flow)))
    if step > longest:
        raise StepTooLongError(
            f"a step of {step:g} s is longer than water stays in the facility pipes; take at most {longest:.0f} s"
        )
    # one step more than asked for, so that the state at the end is stored as well
    times = time_grid(duration, step, [*(event.at for event in events), *load.times])
    times = np.append(times, 2.0 * times[-1] - times[-2])
    durations = np.diff(times)
    running = (
        float(jnp.max(buildings.facility.pump_speed) / site.facility.maximum_speed),
        float(jnp.max(buildings.rows.pump_speed) / site.secondary.maximum_speed),
    )
    stages = times[:-1, None] + durations[:, None] * np.array([0.0, 0.5])
    works = working(riding, events, load, dry_bulb, stages, running, site.climate.dry_bulb.dtype)
    traces, booked = _run(
        site, state, works, durations, _parcels(content, float(jnp.min(buildings.facility.mass_flow)) * step)
    )
    worst = int(np.argmin(traces["junction_margin"].min(axis=0)))
    one = {name: values[:, worst] for name, values in traces.items()}
    shares = {name: np.asarray(values[:, 0], float) for name, values in works._asdict().items()}
    return evaluated(site, times, one, shares, float(booked[worst]), "; ".join(map(str, events)))
