"""The coupled site: one fixed point around the solves of the three domains.

    x = (supply and return temperature) of every row, (power of cooling) of every building
    z = (valve opening) of every row,
        (facility supply, facility return and chilled-water temperature, pressure set point, condenser rise)
        of every building
    (x, z) = F(x, z):   x -> secondary loops -> racks -> AC power flow,
                        then air side -> CDUs -> facility loop -> heat rejection

One evaluation of F walks the heat from the chips to the surroundings; every step is a domain solve with implicit
derivatives, so F is differentiable as a whole and its fixed point is differentiated as one system. Only x enters
rows, racks and the network, which are nearly all of the work: so `voltherm.numerics.nested_fixed_point` evaluates them
once per step of x, and lets cooling settle in between. Buildings share nothing but the network and the weather and are
solved as lanes.

| part of y | held by | at its limit |
| --- | --- | --- |
| row supply temperature | facility valve of the row's CDU | valve fully open: supply floats above the set point |
| facility supply temperature | fans, then trim chillers | both exhausted: supply floats above its set point |
| chilled-water temperature | free cooling, then the air side's chillers | both exhausted: air and water float |
| differential pressures | pump speeds, inside the hydraulic solves | full speed: pressure falls below its set point |

The gradient at a limit is that of the active set.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from voltherm.coolant import NetworkState
from voltherm.numerics import (
    NestedMap,
    ResultCode,
    Solution,
    Status,
    known_fixed_point,
    nested_fixed_point,
    require_double,
)
from voltherm.power import PowerState
from voltherm.power import steady as power_flow
from voltherm.site.balances import closed
from voltherm.site.building import (
    BuildingUnknowns,
    Computing,
    Cooling,
    building_state,
    solve_computing,
    solve_cooling,
    starting_point,
    unknown_flows,
)
from voltherm.site.electrical import one_line, power_parameters
from voltherm.site.equipment import Equipment, build_equipment
from voltherm.site.ledger import substation_loss
from voltherm.site.sections import Site
from voltherm.site.states import BuildingFlows, BuildingState, SiteState

TOLERANCE = 1e-10
MAXIMUM_ITERATIONS = 60
_DEPTH = 2
_TEMPERATURE_SCALE = 10.0  # K
_GLOBALS = 5  # unknowns of a building that its rows share


def steady(site: Site, *, initial: SiteState | None = None, tolerance: float = TOLERANCE) -> Solution:
    """Steady state of the site at `site.climate.dry_bulb`.

    **Arguments**

    - `site`: its numbers are traced; under `jax.vmap` with a leading axis on any of them it is a batch
    - `initial`: a state to start from
    - `tolerance`: on the change of the unknowns over one pass, relative to 10 K and to full stroke

    **Returns**: a `Solution` of a `SiteState`. `status.iterations` counts passes through rows and racks after the
    first, `status.worst` is the unknown with the largest change.

    **Result codes**: `CONVERGED`; `MAXIMUM_ITERATIONS` where the coupling does not settle; the code of the domain that
    failed (hydraulics, a chip that runs away, power flow beyond its nose); `OUT_OF_RANGE` where the unknowns settle and
    the balances do not close, since a law was asked beyond its range. A failed lane is NaN with zero gradient.

    **Raises**: `ValueError` in single precision, in which heat and flow of a whole campus do not balance.
    """
    require_double(site.climate.dry_bulb, "the steady state of a site")
    start = _flat(site, starting_point(site)) if initial is None else initial.unknowns
    flows = unknown_flows(site) if initial is None else initial.flows
    root = nested_fixed_point(
        _PASS,
        start,
        _outer(site),
        (site, build_equipment(site)),
        (flows.rows, flows.facility),
        probes=_probes(site),
        step=lambda residual, differences: _step(site, residual, differences),
        tolerance=tolerance,
        maximum_iterations=MAXIMUM_ITERATIONS,
        depth=_DEPTH,
    )
    unknowns, (buildings, power, inner, flows) = root.value
    result = jnp.where(root.status.converged, inner, root.status.result)
    state = SiteState(buildings, power, flows, unknowns)
    # unknowns may settle where a law has lost its range, with heat that goes nowhere
    result = jnp.where((result == ResultCode.CONVERGED) & ~closed(site, state), ResultCode.OUT_OF_RANGE, result)
    failed = result != ResultCode.CONVERGED
    state = jax.tree.map(lambda leaf: jnp.where(failed, jnp.nan, leaf), state)
    return Solution(state, Status(result, root.status.residual, root.status.iterations, root.status.worst))


def cold_start(site: Site, state: SiteState) -> SiteState:
    """`state` with the unknowns and flows that a solve begins with where it is given none: a second try for one that
    fails from a solved state."""
    return eqx.tree_at(
        lambda tree: (tree.unknowns, tree.flows), state, (_flat(site, starting_point(site)), unknown_flows(site))
    )


def attach_derivatives(site: Site, state: SiteState) -> SiteState:
    """A steady state found before for the same `site`, with its derivatives and without solving again.

    What a gradient needs beyond the state is a fraction of what `steady` compiles: use it where the state is at hand.
    """
    outer = _outer(site)
    unknowns, (buildings, power, _, flows) = known_fixed_point(
        lambda unknowns, arguments, hint: _PASS.evaluate(unknowns, outer, arguments, hint),
        state.unknowns,
        (state.buildings, state.power, jnp.zeros((), jnp.int32), state.flows),
        (site, build_equipment(site)),
        hint=_PASS.hints,
    )
    return SiteState(buildings, power, flows, unknowns)


Arguments = tuple[Site, Equipment]
HeavyOutputs = tuple[Computing, Solution]
Results = tuple[BuildingState, PowerState, Int[Array, ""], BuildingFlows]


def _computing(outer: Float[Array, "outer"], arguments: Arguments, hint: NetworkState) -> HeavyOutputs:
    """Secondary loops and racks of all buildings, and the power flow of the site.

    Loops start from the flows of the pass before. Voltages start flat: what is left of the network's balance is then
    that of a last full step, and not of a start that was good enough.
    """
    site, equipment = arguments
    buildings, rows = site.building.count, site.building.rows
    temperatures, mechanical = outer[:-buildings].reshape(2, buildings, rows), outer[-buildings:]
    supply, back = temperatures * _TEMPERATURE_SCALE
    computing = jax.vmap(lambda *row: solve_computing(site, equipment, *row))(supply, back, hint)
    reactive = equipment.supply.ups.reactive_power_at(computing.row_power, jnp.zeros_like(computing.row_power))
    scale = _scales(site).mechanical_power
    with jax.named_scope("power flow"):
        parameters = power_parameters(site, computing.row_power, reactive, mechanical * scale)
        return computing, power_flow(one_line(site).network, parameters)


def _cooling(
    outer: Float[Array, "outer"],
    inner: Float[Array, "inner"],
    heavy: HeavyOutputs,
    arguments: Arguments,
    hint: NetworkState,
) -> tuple[Float[Array, "outer"], Float[Array, "inner"], Cooling]:
    """Cooling of all buildings: what it answers to all unknowns."""
    site, equipment = arguments
    given = _structured(site, jnp.concatenate([outer, inner]))
    computing, power = heavy
    loss = substation_loss(site, power.value.active_loss)
    available = jnp.ones((), inner.dtype)

    def one(rows: Computing, building: BuildingUnknowns, lost: Float[Array, ""], start: NetworkState) -> Cooling:
        return solve_cooling(site, equipment, rows, building, lost, available, start)

    cooling = jax.vmap(one)(computing, given, loss, hint)
    response = _flat(site, cooling.response)
    return response[: outer.size], response[outer.size :], cooling


def _gathered(
    outer: Float[Array, "outer"],
    inner: Float[Array, "inner"],
    heavy: HeavyOutputs,
    cooling: Cooling,
    arguments: Arguments,
) -> Results:
    """All states, and the largest result code of all solves."""
    site, equipment = arguments
    computing, power = heavy
    given = _structured(site, jnp.concatenate([outer, inner]))
    buildings = jax.vmap(lambda *building: building_state(equipment, *building))(given, computing, cooling)
    result = jnp.maximum(jnp.max(jnp.maximum(computing.result, cooling.result)), power.status.result)
    return buildings, power.value, result, BuildingFlows(computing.network, cooling.network)


_PASS = NestedMap(
    heavy=_computing,
    light=_cooling,
    gather=_gathered,
    hints=lambda wanted: (wanted[3].rows, wanted[3].facility),
    light_hint=lambda cooling: cooling.network,
)


def _outer(site: Site) -> int:
    """How many unknowns enter rows, racks and network: two temperatures of every row, one power of every building."""
    return site.building.count * (2 * site.building.rows + 1)


def _probes(site: Site) -> Float[Array, "probe inner"]:
    """Directions in which cooling is probed: all valves together, then each unknown of all buildings together.

    Valves meet in the facility loop, but each row's flow follows its own a hundred times more than another's.
    """
    buildings, rows = site.building.count, site.building.rows
    valves = np.zeros((_GLOBALS + 1, buildings * rows))
    valves[0] = -1.0  # never past fully open
    others = np.vstack([np.zeros(_GLOBALS), np.eye(_GLOBALS)])
    return jnp.asarray(np.hstack([valves, np.repeat(others, buildings, axis=1)]), site.climate.dry_bulb.dtype)


def _step(
    site: Site, residual: Float[Array, "inner"], differences: Float[Array, "probe inner"]
) -> Float[Array, "inner"]:
    """Newton's step of the cooling's unknowns.

    A valve responds to all valves as it does to itself, which is exact where they move together; its effect on the
    shared unknowns is taken as 1/n of the effect of all valves together:

        dv_i = f_i + a_i dv_i + b_i · dg,    dg = f_g + c mean(dv) + D dg
    """
    buildings, rows = site.building.count, site.building.rows
    valves = buildings * rows

    def split(flat: Float[Array, "*lanes inner"]) -> tuple[Array, Array]:
        lanes = flat.shape[:-1]
        return flat[..., :valves].reshape(*lanes, buildings, rows), flat[..., valves:].reshape(
            *lanes, _GLOBALS, buildings
        )

    def one(
        local: Float[Array, "row"],
        common: Float[Array, "global"],
        by_local: tuple[Float[Array, "row"], Float[Array, "global"]],
        by_common: tuple[Float[Array, "global row"], Float[Array, "global global"]],
    ) -> tuple[Float[Array, "row"], Float[Array, "global"]]:
        left = 1.0 - by_local[0]
        own, follows = local / left, by_common[0] / left[None, :]
        matrix = jnp.eye(_GLOBALS, dtype=local.dtype) - by_common[1].T
        matrix = matrix - by_local[1][:, None] * jnp.mean(follows, axis=1)[None, :]
        moved = jnp.linalg.solve(matrix, common + by_local[1] * jnp.mean(own))
        return own + moved @ follows, moved

    local, common = split(residual)
    valve_probe, others = differences[0], differences[1:]
    by_local, by_common = split(-valve_probe), split(others)
    stepped, moved = jax.vmap(one, in_axes=(0, 1, (0, 1), (1, 2)))(local, common, by_local, by_common)
    return jnp.concatenate([stepped.ravel(), moved.T.ravel()])


def _scales(site: Site) -> BuildingUnknowns:
    """What counts as 1 of each unknown."""
    heat = site.building.rows * site.building.racks_per_row * site.rack.air_heat
    scale, pressure = jnp.asarray(_TEMPERATURE_SCALE, heat.dtype), site.facility.differential_pressure
    return BuildingUnknowns(scale, scale, heat, jnp.ones_like(scale), scale, scale, scale, pressure, scale)


def _flat(site: Site, structured: BuildingUnknowns) -> Float[Array, "unknown"]:
    scaled = [(part / scale).ravel() for part, scale in zip(structured, _scales(site), strict=True)]
    return jnp.concatenate(scaled)


def _structured(site: Site, flat: Float[Array, "unknown"]) -> BuildingUnknowns:
    buildings, rows = site.building.count, site.building.rows
    per_row = {"supply_temperature", "return_temperature", "valve_opening"}
    parts, start = [], 0
    for name, scale in zip(BuildingUnknowns._fields, _scales(site), strict=True):
        shape = (buildings, rows) if name in per_row else (buildings,)
        end = start + math.prod(shape)
        parts.append(flat[start:end].reshape(shape) * scale)
        start = end
    return BuildingUnknowns(*parts)
