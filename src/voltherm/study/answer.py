"""The main question, answered: what supply temperature the site can run, what binds, what it costs, how long it rides.

Host code around compiled solves: the hot day at the set point and at the highest supply temperature, the sensitivity
of the margin to every number of the site from one gradient, the response to ambient from -10 to 45 °C, the year, and
the loss of heat rejection. Everything a report or a file needs is in the `Answer`; nothing in it is read from a
configuration.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import ResultCode
from voltherm.site.build import parameter, parameter_paths, with_parameters
from voltherm.site.climate import dry_bulb_year
from voltherm.site.coupling import known_steady, steady
from voltherm.site.diagnosis import diagnose
from voltherm.site.electrical import one_line
from voltherm.site.layout import Layout, layout
from voltherm.site.outputs import outputs
from voltherm.site.sections import Site
from voltherm.site.states import SiteState
from voltherm.site.supply_temperature import PATH
from voltherm.site.transient import RideThrough, simulate
from voltherm.site.year import LANES, Lanes, Response, Year, grid, response, solve_lanes, year

Progress = Callable[[str, int, int], None]
"""progress(stage, done, all): called as work gets done."""

_RANKED = 10
_COARSE_STEP = 2.75  # K: the highest supply hardly moves with ambient until heat rejection is exhausted


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One limit at one operating point: what is left to it, in its own unit and as a share of its scale."""

    name: str
    element: str
    margin: float
    unit: str
    binding: bool


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """Derivative of the smallest junction margin with respect to one number of the site, in SI, and the effect [K] of a
    natural step: 1 K for a temperature, 1 % of the value for everything else."""

    path: str
    value: float
    derivative: float
    effect: float
    step: str


@dataclasses.dataclass(frozen=True)
class Point:
    """The site at one set point on the hot day: figures by name (SI), state as NumPy arrays, limits, hottest."""

    set_point: float
    figures: Mapping[str, float]
    state: SiteState
    constraints: tuple[Constraint, ...]
    hottest: Mapping[str, str]
    result: int
    iterations: int
    residual: float


@dataclasses.dataclass(frozen=True)
class Answer:
    """Everything `voltherm run` found. Temperatures in K, powers in W, energies in J.

    `point`: the hot day at the site's set point; `allowed`: the same at the highest supply temperature that keeps
    every chip (None where none does); `sensitivities`: the ten that matter most at `point`; `curve`, `allowed_curve`:
    response to ambient at the set point and at the highest supply; `year`, `allowed_year`: totals (`allowed_year`
    holds the highest supply of the hot day all year); `ride_through`: loss of heat rejection from `point`; `seconds`:
    wall time by stage.
    """

    site: Site
    layout: Layout
    point: Point
    allowed: Point | None
    sensitivities: tuple[Sensitivity, ...]
    curve: Response
    allowed_curve: Response
    year: Year
    allowed_year: Year | None
    ride_through: RideThrough
    seconds: Mapping[str, float]


class NoSteadyStateError(Exception):
    """The site has no steady state, or none within its limits: the message names the element and what to try."""


@eqx.filter_jit
def solve(site: Site) -> tuple[SiteState, Array, Array, Array]:
    """Steady state of a site, result code, iterations and residual; compiled once for all its numbers."""
    solution = steady(site)
    status = solution.status
    return solution.value, status.result, status.iterations, status.residual


@eqx.filter_jit
@eqx.filter_grad
def margin_gradient(values: Mapping[str, Float[Array, ""]], site: Site, state: SiteState) -> Float[Array, ""]:
    """Gradient of the smallest junction margin with respect to the named numbers of the site, in one reverse pass.

    `state`: the solved state of the site at those values.
    """
    there = with_parameters(site, values)
    return outputs(there, known_steady(there, state))["junction_margin"]


def answer(
    site: Site,
    *,
    dry_bulb: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answers the main question for a site.

    **Arguments**: `dry_bulb`: hours of a year (8760,) [K], by default the site's parametric year; `progress`.

    **Raises**: `NoSteadyStateError` where the hot day has no steady state.
    """
    report = progress or (lambda stage, done, count: None)
    seconds: dict[str, float] = {}

    def timed(stage: str, count: int, work: Callable):
        report(stage, 0, count)
        start = time.perf_counter()
        result = jax.block_until_ready(work())
        seconds[stage] = time.perf_counter() - start
        report(stage, count, count)
        return result

    def counted(stage: str) -> Callable[[int, int], None]:
        return lambda done, count: report(stage, done, count)

    names = layout(site)
    state, result, iterations, residual = timed("steady state of the hot day", 1, lambda: solve(site))
    if int(result) != ResultCode.CONVERGED:
        raise NoSteadyStateError(diagnose(site, int(result)))
    hours = np.asarray(dry_bulb_year(site.climate)) if dry_bulb is None else dry_bulb
    ambients, coarse = grid(hours), grid(hours, step=_COARSE_STEP)
    # three programs that share nothing: compiling them side by side takes the time of the longest
    with ThreadPoolExecutor(2) as pool:
        ranking = pool.submit(timed, "sensitivities", 1, lambda: rank(site, state))
        riding = pool.submit(timed, "loss of heat rejection", 1, lambda: simulate(site, state))
        day = timed("highest supply temperature", 1, lambda: _hot_day(site, state))
        point = _point(site, names, day, 0, int(iterations), float(residual))
        allowed = None
        if int(day.result[1]) == ResultCode.CONVERGED:
            warmer = with_parameters(site, {PATH: float(day.set_point[1])})
            allowed = _point(warmer, names, day, 1, int(iterations), float(residual))
        curve = timed(
            "response to ambient",
            len(ambients),
            lambda: response(site, state, ambients, progress=counted("response to ambient")),
        )
        allowed_curve = timed(
            "highest supply against ambient",
            len(coarse),
            lambda: response(site, state, coarse, allowed=True, progress=counted("highest supply against ambient")),
        )
        whole_year = timed("year", 1, lambda: year(site, state, curve, hours))
        allowed_year = None
        if allowed is not None:
            warmer = with_parameters(site, {PATH: allowed.set_point})
            stage = "year at the highest supply"
            warmer_curve = timed(
                stage, len(ambients), lambda: response(warmer, state, ambients, progress=counted(stage))
            )
            allowed_year = year(warmer, state, warmer_curve, hours)
        sensitivities, ride = ranking.result(), riding.result()
    return Answer(
        site,
        names,
        point,
        allowed,
        sensitivities,
        curve,
        allowed_curve,
        whole_year,
        allowed_year,
        ride,
        seconds,
    )


def _hot_day(site: Site, state: SiteState) -> Lanes:
    """The hot day at the set point (lane 0) and at the highest supply temperature (lane 1), on the host."""
    dry_bulb = jnp.full(LANES, site.climate.dry_bulb)
    set_point = jnp.full(LANES, site.secondary.supply_temperature)
    return jax.tree.map(np.asarray, solve_lanes(site, state, dry_bulb, set_point, jnp.arange(LANES) > 0))


def _point(site: Site, names: Layout, day: Lanes, lane: int, iterations: int, residual: float) -> Point:
    plain = {name: float(values[lane]) for name, values in day.figures.items()}
    state = jax.tree.map(lambda values: values[lane], day.state)
    return Point(
        set_point=float(site.secondary.supply_temperature),
        figures=plain,
        state=state,
        constraints=constraints(site, names, state, plain),
        hottest=hottest(names, state),
        result=int(day.result[lane]),
        iterations=iterations,
        residual=residual,
    )


def hottest(names: Layout, state: SiteState) -> dict[str, str]:
    """Names of the hottest GPU, CPU and switch chip, of the rack with the warmest return, and of the warmest row."""
    racks, rows = state.buildings.racks, state.buildings.rows

    def place(values: Array) -> list[int]:
        plain = np.asarray(values)
        return [int(index) for index in np.unravel_index(int(np.argmax(plain)), plain.shape)]

    def device(kind: str, temperature: Array) -> str:
        building, row, rack, tray, position = place(temperature)
        return names.device(kind, building, row, rack, tray, position)

    building, row, rack = place(racks.gpu_temperature.max(axis=(3, 4)))
    warmest_building, warmest_row = place(rows.supply_temperature)
    return {
        "gpu": device("gpu", racks.gpu_temperature),
        "cpu": device("cpu", racks.cpu_temperature),
        "switch": device("switch", racks.switch_temperature),
        "rack": names.rack(building, row, rack),
        "row": names.cdu(warmest_building, warmest_row),
    }


def constraints(site: Site, names: Layout, state: SiteState, figures: Mapping[str, float]) -> tuple[Constraint, ...]:
    """Every limit with what is left to it and the element that comes nearest, the tightest first.

    A limit binds where less than 0.1 % of its scale is left: 60 K for temperatures, 1 for shares and voltages.
    """
    topology = one_line(site)
    network, power = topology.network, state.power
    who = hottest(names, state)

    def most_loaded(groups: tuple[str, ...]) -> str:
        index = np.concatenate([np.arange(len(network.branches))[topology.group(group)] for group in groups])
        return network.branches[index[np.argmax(power.loading[index])]]

    low = np.concatenate([topology.row_bus.ravel(), topology.mechanical_bus.ravel()])
    lowest = network.buses[low[np.argmin(power.voltage_magnitude[low])]]
    highest = network.buses[low[np.argmax(power.voltage_magnitude[low])]]
    limits = site.limits
    maximum = float(limits.loading_maximum)
    kept = float(limits.junction_margin)
    rows = [
        ("GPU junction temperature", who["gpu"], figures["gpu_margin"] - kept, "K", 60.0),
        ("CPU junction temperature", who["cpu"], figures["cpu_margin"] - kept, "K", 60.0),
        ("switch junction temperature", who["switch"], figures["switch_margin"] - kept, "K", 60.0),
        ("rack inlet air", "all racks", figures["inlet_margin"], "K", 60.0),
        ("supply set point held", who["row"], -figures["supply_excess"], "K", 60.0),
        ("trim chiller capacity", "trim chillers", 1.0 - figures["chiller_load"], "1", 1.0),
        ("dry cooler fans", "dry coolers", 1.0 - figures["fan_speed"], "1", 1.0),
        ("CDU valve", who["row"], 1.0 - figures["valve_opening"], "1", 1.0),
        ("CDU pump speed", "CDU pumps", 1.0 - figures["cdu_pump_speed"], "1", 1.0),
        ("facility pump speed", "facility pumps", 1.0 - figures["facility_pump_speed"], "1", 1.0),
        ("lowest voltage", lowest, figures["lowest_voltage"] - float(limits.voltage_minimum), "1", 1.0),
        ("highest voltage", highest, float(limits.voltage_maximum) - figures["highest_voltage"], "1", 1.0),
        (
            "transformer loading",
            most_loaded(("main", "row substation", "mechanical substation")),
            maximum - figures["transformer_loading"],
            "1",
            1.0,
        ),
        (
            "feeder loading",
            most_loaded(("row cable", "mechanical cable")),
            maximum - figures["feeder_loading"],
            "1",
            1.0,
        ),
    ]
    found = [
        (margin / scale, Constraint(name, element, margin, unit, margin / scale < 1e-3))
        for name, element, margin, unit, scale in rows
    ]
    return tuple(constraint for _, constraint in sorted(found, key=lambda pair: pair[0]))


def rank(site: Site, state: SiteState, count: int = _RANKED) -> tuple[Sensitivity, ...]:
    """The numbers of the site that move the smallest junction margin most, by the effect of a natural step."""
    paths = parameter_paths(site)
    values = {path: parameter(site, path) for path in paths}
    gradient = margin_gradient(values, site, state)
    found = []
    for path in paths:
        value, derivative = float(values[path]), float(gradient[path])
        is_temperature = 200.0 < value < 450.0 and path.rsplit(".", 1)[-1] in _TEMPERATURES
        effect = derivative * (1.0 if is_temperature else 0.01 * value)
        found.append(Sensitivity(path, value, derivative, effect, "1 K" if is_temperature else "1 %"))
    return tuple(sorted(found, key=lambda each: -abs(each.effect))[:count])


_TEMPERATURES = frozenset(
    (
        "dry_bulb",
        "leakage_reference",
        "junction_limit",
        "supply_temperature",
        "facility_supply",
        "rated_inlet",
        "rated_outlet",
        "rated_dry_bulb",
        "inlet_limit",
        "coil_rated_air_inlet",
        "coil_rated_water_inlet",
        "chilled_water_temperature",
    )
)
