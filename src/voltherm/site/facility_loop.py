"""Facility loop of one building: plant, mains to the halls, headers along the rows, one branch a CDU, condensers.

    plant supply -> main -> hall header -> row branch -> hall header -> main -> plant return      (direct return)
    row branch: pipe and fittings, control valve, balancing valve, the CDU's exchanger
    condensers of the air side's chillers between the plant's headers, orificed to the flow they ask for
    plant return -> plant supply: pump station with the plant's own drop, holding the differential pressure

    y_needed = 1 + ln(φ) / ln(R),   φ = m_needed / (Kv sqrt(dp_valve)),   dp_valve = dp_branch - rest(m_needed)
    dp_needed = dp - min over rows (dp_branch - rest(m_needed) - valve(m_needed, y_reset)),   dp_least <= dp <= dp_most

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| m_needed | flow that holds the secondary set point | kg/s | `voltherm.coolant.cdu` |
| dp_branch | pressure between the headers where the branch stands | Pa | solved |
| φ, R, y | relative flow coefficient, rangeability, opening of the control valve | - | IEC 60534-2-4 |
| dp | set point across the plant's headers, an unknown of the coupling | Pa | ASHRAE Guideline 36 |
| y_reset | opening at which the most open valve rests; 10 %: dp stays at dp_most | - | configuration |

Valves act quasi-steadily: an opening is what holds the set point, within 10 % to 100 % of the stroke. The reset is
where trim and respond comes to rest: as little pressure as leaves the most open valve at y_reset.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.coolant import (
    BranchGroup,
    ControlValve,
    Network,
    NetworkState,
    Pipe,
    PressureControlledPump,
    PumpCurve,
    PumpEfficiency,
    QuadraticLoss,
    Series,
    flow,
)
from voltherm.media.liquid import AbstractLiquid
from voltherm.numerics import Solution
from voltherm.site.secondary_loop import FLOW_TOLERANCE, LEAST_SPEED
from voltherm.site.sections import Site

LEAST_OPENING = 0.1
_LEAST_CONDENSER_FLOW = 1e-3  # kg/s: an idle branch keeps a law
_LEAST_VALVE_DROP = 1.0  # Pa: below it a valve is taken as fully open


@functools.lru_cache(maxsize=16)
def facility_network(halls: int, rows_per_hall: int) -> Network:
    """Topology of a building's facility loop (host; made once for every pair of counts)."""
    hall_names = [f"H{hall + 1}" for hall in range(halls)]
    rows = [(hall, row) for hall in hall_names for row in range(rows_per_hall)]
    supply = {key: f"{key[0]}-R{key[1] + 1:02d} supply" for key in rows}
    back = {key: f"{key[0]}-R{key[1] + 1:02d} return" for key in rows}
    onward = [key for key in rows if key[1] > 0]
    before = [(hall, row - 1) for hall, row in onward]
    return Network.build(
        nodes=["plant supply", "plant return", *supply.values(), *back.values()],
        branches=[
            BranchGroup(["plant"], ["plant return"], ["plant supply"]),
            BranchGroup(["condensers"], ["plant supply"], ["plant return"]),
            BranchGroup(
                [
                    *(f"{hall} supply main" for hall in hall_names),
                    *(f"{hall} return main" for hall in hall_names),
                    *(f"{supply[key]} header" for key in onward),
                    *(f"{back[key]} header" for key in onward),
                ],
                [
                    *["plant supply"] * halls,
                    *(back[hall, 0] for hall in hall_names),
                    *(supply[key] for key in before),
                    *(back[key] for key in onward),
                ],
                [
                    *(supply[hall, 0] for hall in hall_names),
                    *["plant return"] * halls,
                    *(supply[key] for key in onward),
                    *(back[key] for key in before),
                ],
            ),
            BranchGroup(
                [f"{hall}-R{row + 1:02d}-CDU" for hall, row in rows], list(supply.values()), list(back.values())
            ),
        ],
        reference_node="plant return",
    )


class FacilityFlow(eqx.Module):
    """Flow of a facility loop: pump station, condensers and rows [kg/s], pressures [Pa], powers [W].

    `condenser_share`: of what the condensers ask for, one where they ask for nothing; `needed_opening`: of every row's
    control valve, what would pass the needed flow at the pressures found;
    `needed_pressure`: the set point that would leave the most open of them at the opening of the reset.
    """

    mass_flow: Float[Array, ""]
    condenser_mass_flow: Float[Array, ""]
    condenser_share: Float[Array, ""]
    row_mass_flow: Float[Array, "row"]
    needed_opening: Float[Array, "row"]
    needed_pressure: Float[Array, ""]
    differential_pressure: Float[Array, ""]
    pump_speed: Float[Array, ""]
    pump_shaft_power: Float[Array, ""]
    pump_power: Float[Array, ""]
    node_pressure: Float[Array, "node"]
    residual: Float[Array, ""]


def _row_laws(site: Site, opening: Float[Array, "row"]) -> tuple[ControlValve, Series]:
    """The control valves, and what stands in series with them."""
    facility, rows = site.facility, opening.shape[0]
    valve = ControlValve(
        jnp.full(rows, facility.control_valve), opening, rangeability=facility.control_valve_rangeability
    )
    rest = Series(
        (
            Pipe(
                jnp.full(rows, facility.branch_length),
                jnp.full(rows, facility.branch_diameter),
                jnp.full(rows, facility.roughness),
                jnp.full(rows, facility.branch_loss_coefficient),
            ),
            ControlValve(jnp.full(rows, facility.balancing_valve), jnp.ones(rows, opening.dtype)),
            QuadraticLoss(jnp.full(rows, site.cdu.facility_flow), jnp.full(rows, site.cdu.facility_pressure_drop)),
        )
    )
    return valve, rest


def _plant_law(site: Site, density: Float[Array, ""], set_point: Float[Array, ""]) -> PressureControlledPump:
    facility = site.facility
    curve = PumpCurve.through_duty_point(
        jnp.full(1, facility.pump_shutoff_pressure),
        jnp.full(1, facility.pump_nominal_flow),
        jnp.full(1, facility.pump_nominal_pressure),
        jnp.full(1, density),
    )
    return PressureControlledPump(
        pressure_set_point=jnp.full(1, set_point),
        curve=curve,
        maximum_speed=jnp.full(1, facility.maximum_speed),
        minimum_speed=jnp.full(1, facility.minimum_speed),
        internal_loss=QuadraticLoss(
            jnp.full(1, facility.pumps * facility.pump_nominal_flow), jnp.full(1, facility.plant_pressure_drop)
        ),
        number_running=facility.pumps,
    )


def _pipes(site: Site) -> Pipe:
    """Mains of both sides, then headers of both sides."""
    facility, mains = site.facility, 2 * site.building.halls
    headers = 2 * (site.building.rows - site.building.halls)

    def both(main: Float[Array, ""], header: Float[Array, ""]) -> Float[Array, " pipe"]:
        return jnp.concatenate([jnp.full(mains, main), jnp.full(headers, header)])

    return Pipe(
        both(facility.main_length, facility.header_segment),
        both(facility.main_diameter, facility.header_diameter),
        jnp.full(mains + headers, facility.roughness),
        jnp.zeros(mains + headers, facility.roughness.dtype),
    )


def _needed_opening(
    site: Site,
    valve: ControlValve,
    rest: Series,
    needed: Float[Array, "row"],
    branch_drop: Float[Array, "row"],
    density: Float[Array, "row"],
    viscosity: Float[Array, "row"],
) -> Float[Array, "row"]:
    valve_drop = branch_drop - rest.pressure_drop(needed, density, viscosity)
    open_law = ControlValve(valve.flow_coefficient, jnp.ones_like(needed), rangeability=valve.rangeability)
    fully_open = open_law.pressure_drop(needed, density, viscosity)
    throttles = valve_drop > jnp.maximum(fully_open, _LEAST_VALVE_DROP)
    ratio = jnp.where(throttles, fully_open, 1.0) / jnp.where(throttles, valve_drop, 1.0)
    opening = 1.0 + 0.5 * jnp.log(ratio) / jnp.log(site.facility.control_valve_rangeability)
    return jnp.clip(opening, LEAST_OPENING, 1.0)


def _needed_pressure(
    site: Site,
    valve: ControlValve,
    rest: Series,
    set_point: Float[Array, ""],
    needed: Float[Array, "row"],
    branch_drop: Float[Array, "row"],
    density: Float[Array, "row"],
    viscosity: Float[Array, "row"],
) -> Float[Array, ""]:
    facility = site.facility
    at_rest = ControlValve(
        valve.flow_coefficient, jnp.full_like(needed, facility.reset_opening), rangeability=valve.rangeability
    )
    wanted = rest.pressure_drop(needed, density, viscosity) + at_rest.pressure_drop(needed, density, viscosity)
    least = jnp.minimum(facility.least_differential_pressure, facility.differential_pressure)
    return jnp.clip(set_point - jnp.min(branch_drop - wanted), least, facility.differential_pressure)


@jax.named_scope("facility loop")
def solve_facility(
    site: Site,
    liquid: AbstractLiquid,
    supply_temperature: Float[Array, ""],
    return_temperature: Float[Array, ""],
    opening: Float[Array, "row"],
    needed_mass_flow: Float[Array, "row"],
    condenser_mass_flow: Float[Array, ""],
    pressure_set_point: Float[Array, ""],
    initial: NetworkState | None = None,
) -> tuple[FacilityFlow, Solution]:
    """Flow of one building's facility loop.

    **Arguments**: plant's supply and return temperature [K]; `opening` of the control valves; `needed_mass_flow`:
    what every row's CDU asks for [kg/s]; `condenser_mass_flow`: what the condensers ask for, and get at the pressure
    that is set [kg/s]; `pressure_set_point`: across the plant's headers [Pa]; `initial`: a state to start from.

    **Returns**: the `FacilityFlow` and the network's `Solution` (codes of `voltherm.coolant.flow`).
    """
    building, facility = site.building, site.facility
    network = facility_network(building.halls, building.rows_per_hall)
    rows, halls = building.rows, building.halls
    onward = rows - halls
    mean = 0.5 * (supply_temperature + return_temperature)
    # supply, return, mean: which of them a branch has
    where = np.repeat([1, 0, 0, 1, 0, 1, 2], [1, 1, halls, halls, onward, onward, rows])
    temperature = jnp.stack([supply_temperature, return_temperature, mean])
    density, viscosity = liquid.density(temperature)[where], liquid.viscosity(temperature)[where]
    pump = _plant_law(site, density[0], pressure_set_point)
    valve, rest = _row_laws(site, opening)
    asked = jnp.maximum(condenser_mass_flow, _LEAST_CONDENSER_FLOW)
    condensers = QuadraticLoss(
        jnp.full(1, asked),
        jnp.full(1, pressure_set_point),
    )
    solution = flow(
        network,
        (pump, condensers, _pipes(site), Series((valve, *rest.laws))),
        density,
        viscosity,
        reference_pressure=facility.expansion_pressure,
        initial=initial,
        tolerance=FLOW_TOLERANCE,
    )
    mass_flow, pressure = solution.value.mass_flow, solution.value.pressure
    speed, rise = pump.operating_point(mass_flow[:1], density[:1], viscosity[:1])
    one = jnp.ones(1, density.dtype)
    efficiency = PumpEfficiency(
        jnp.full(1, facility.pump_nominal_flow) / density[:1],
        jnp.full(1, facility.pump_efficiency),
        jnp.full(1, facility.motor_efficiency),
        one,
    )
    power = efficiency.power(mass_flow[:1], rise, jnp.maximum(speed, LEAST_SPEED), density[:1], facility.pumps)
    row_branches = slice(-rows, None)
    drop = network.difference(pressure)
    met = (needed_mass_flow, drop[row_branches], density[row_branches], viscosity[row_branches])
    state = FacilityFlow(
        mass_flow=mass_flow[0],
        condenser_mass_flow=mass_flow[1],
        condenser_share=mass_flow[1] / asked,
        row_mass_flow=mass_flow[row_branches],
        needed_opening=_needed_opening(site, valve, rest, *met),
        needed_pressure=_needed_pressure(site, valve, rest, pressure_set_point, *met),
        differential_pressure=-drop[0],
        pump_speed=speed[0],
        pump_shaft_power=power.shaft_power[0],
        pump_power=power.electric_power[0],
        node_pressure=pressure,
        residual=solution.status.residual,
    )
    return state, solution
