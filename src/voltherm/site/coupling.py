"""The coupled site: one fixed point around the solves of the three domains.

    y = (supply and return temperature, valve opening) of every row,
        (facility supply and return temperature, chilled-water temperature, condenser heat,
         substation loss) of every building
    y = F(y):   secondary loops -> racks -> air side -> CDUs -> facility loop -> heat rejection -> AC power flow

One evaluation of F walks the heat from the chips to the surroundings and the power back to the utility; every step is
a domain solve with implicit derivatives, so F is differentiable as a whole and `voltherm.numerics.fixed_point`
differentiates its fixed point as one system. Buildings share nothing but the network and the weather and are solved
as lanes.

| part of y | held by | at its limit |
| --- | --- | --- |
| row supply temperature | facility valve of the row's CDU | valve fully open: supply floats above the set point |
| facility supply temperature | fans, then trim chillers | both exhausted: supply floats above its set point |
| chilled-water temperature | free cooling, then the air side's chillers | both exhausted: air and water float |
| differential pressures | pump speeds, inside the hydraulic solves | full speed: pressure falls below its set point |

The gradient at a limit is that of the active set.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from voltherm.numerics import ResultCode, Solution, Status, fixed_point, known_fixed_point
from voltherm.power import BusVoltages, PowerState
from voltherm.power import steady as power_flow
from voltherm.site.balances import substation_loss
from voltherm.site.building import BuildingUnknowns, solve_building, starting_point, unknown_flows
from voltherm.site.electrical import one_line, power_parameters
from voltherm.site.equipment import Equipment, equipment
from voltherm.site.sections import Site
from voltherm.site.states import BuildingFlows, BuildingState, SiteState

TOLERANCE = 1e-10
MAXIMUM_ITERATIONS = 120
_DEPTH = 4
_TEMPERATURE_SCALE = 10.0  # K


def steady(site: Site, *, initial: SiteState | None = None, tolerance: float = TOLERANCE) -> Solution:
    """Steady state of the site at `site.climate.dry_bulb`.

    **Arguments**

    - `site`: its numbers are traced; under `jax.vmap` with a leading axis on any of them it is a batch
    - `initial`: a state to start from
    - `tolerance`: on the change of the unknowns over one pass, relative to 10 K and to full stroke

    **Returns**: a `Solution` of a `SiteState`. `status.worst` is the unknown with the largest change.

    **Result codes**: `CONVERGED`; `MAXIMUM_ITERATIONS` where the coupling does not settle; the code of the domain that
    failed (hydraulics, a chip that runs away, power flow beyond its nose). A failed lane is NaN with zero gradient.
    """
    start = _flat(site, starting_point(site)) if initial is None else initial.unknowns
    root = fixed_point(
        lambda unknowns, known, hint: _evaluate(known[0], known[1], unknowns, hint),
        jax.lax.stop_gradient(start),
        (site, equipment(site)),
        tolerance=tolerance,
        maximum_iterations=MAXIMUM_ITERATIONS,
        depth=_DEPTH,
        has_aux=True,
        hint=lambda found: _hint(found[3], found[1]),
        first_hint=_no_hint(site) if initial is None else jax.lax.stop_gradient(_hint(initial.flows, initial.power)),
    )
    unknowns, (buildings, power, inner, flows) = root.value
    result = jnp.where(root.status.converged, inner, root.status.result)
    state = SiteState(buildings, power, flows, unknowns)
    failed = result != ResultCode.CONVERGED
    state = jax.tree.map(lambda leaf: jnp.where(failed, jnp.nan, leaf), state)
    return Solution(state, Status(result, root.status.residual, root.status.iterations, root.status.worst))


def known_steady(site: Site, state: SiteState) -> SiteState:
    """A steady state found before for the same `site`, with its derivatives and without solving again.

    What a gradient needs beyond the state is a fraction of what `steady` compiles: use it where the state is at hand.
    """
    unknowns, (buildings, power, _, flows) = known_fixed_point(
        lambda unknowns, known, hint: _evaluate(known[0], known[1], unknowns, hint),
        state.unknowns,
        (state.buildings, state.power, jnp.zeros((), jnp.int32), state.flows),
        (site, equipment(site)),
        hint=lambda found: _hint(found[3], found[1]),
    )
    return SiteState(buildings, power, flows, unknowns)


Hint = tuple[BuildingFlows, BusVoltages]
"""What a pass starts its networks from: flows and voltages hardly move between passes."""


def _hint(flows: BuildingFlows, power: PowerState) -> Hint:
    return flows, BusVoltages(power.voltage_magnitude, power.voltage_angle)


def _no_hint(site: Site) -> Hint:
    unknown = jnp.full(len(one_line(site).network.buses), jnp.nan, site.climate.dry_bulb.dtype)
    return unknown_flows(site), BusVoltages(unknown, unknown)


def _evaluate(
    site: Site, made: Equipment, unknowns: Float[Array, "unknown"], hint: Hint
) -> tuple[Float[Array, "unknown"], tuple[BuildingState, PowerState, Int[Array, ""], BuildingFlows]]:
    """One pass through the three domains: the unknowns as the physics answers them, and the states found on the way."""
    given = _structured(site, unknowns)
    available = jnp.ones((), unknowns.dtype)

    def one(building: BuildingUnknowns, start: BuildingFlows):
        return solve_building(site, made, building, available, start)

    answered, buildings, results, flows = jax.vmap(one)(given, hint[0])
    parameters = power_parameters(site, buildings.row_power, buildings.row_reactive_power, buildings.mechanical_power)
    with jax.named_scope("power flow"):
        power = power_flow(one_line(site).network, parameters, initial=hint[1])
    loss = substation_loss(site, power.value.active_loss)
    answered = answered._replace(substation_loss=loss)
    result = jnp.maximum(jnp.max(results), power.status.result)
    return _flat(site, answered), (buildings, power.value, result, flows)


def _scales(site: Site) -> BuildingUnknowns:
    """What counts as 1 of each unknown."""
    heat = site.building.rows * site.building.racks_per_row * site.rack.air_heat
    scale = jnp.asarray(_TEMPERATURE_SCALE, heat.dtype)
    return BuildingUnknowns(scale, scale, jnp.ones_like(scale), scale, scale, scale, heat, 0.1 * heat)


def _flat(site: Site, structured: BuildingUnknowns) -> Float[Array, "unknown"]:
    scaled = [(part / scale).ravel() for part, scale in zip(structured, _scales(site), strict=True)]
    return jnp.concatenate(scaled)


def _structured(site: Site, flat: Float[Array, "unknown"]) -> BuildingUnknowns:
    buildings, rows = site.building.count, site.building.rows
    shapes = [(buildings, rows)] * 3 + [(buildings,)] * 5
    parts, start = [], 0
    for shape, scale in zip(shapes, _scales(site), strict=True):
        size = shape[0] * (shape[1] if len(shape) == 2 else 1)
        parts.append(flat[start : start + size].reshape(shape) * scale)
        start += size
    return BuildingUnknowns(*parts)
