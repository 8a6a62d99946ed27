"""Secondary loop of one row: CDU pump, supply and return headers along the racks, rack branches, trays.

    CDU supply -> S1 -> S2 ... Sn        supply header, one segment a rack
    Sk -> Mk                             tees, hoses, quick disconnects and manifold of rack k
    Mk -> Rk                             its trays side by side: plates (flow^1.85) and quick disconnects in series
    Rn ... -> R2 -> R1 -> CDU return     return header (direct return)
    CDU return -> CDU supply             pump that holds the differential pressure

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| K | loss coefficient of tees and valve, on the velocity in the rack's branch | - | configuration |
| d | more drop through the farthest tray of a rack than through the nearest | - | configuration |

The drop of tray i of n is that of the tray's law times 1 + d i / (n - 1), which stands for the static pressure along
the rack's manifold. The law of the plates is converted to this coolant at the mean of supply and return
(`voltherm.thermal.cold_plate`). Laws are those of `voltherm.coolant`; the flow is solved row by row, as rows meet only
in the facility loop.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.coolant import (
    BranchGroup,
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
from voltherm.site.racks import device_group
from voltherm.site.sections import Site
from voltherm.thermal import CoolantProperties, Tray, tray_pressure_drop

LEAST_SPEED = 1e-3
"""Of rated speed: a pump that stands still has a best flow of that, and so a finite power."""
FLOW_TOLERANCE = 1e-12
"""Of the flows of all loops: what they leave must not be seen in the coupling's own tolerance."""


@functools.lru_cache(maxsize=16)
def row_network(racks: int, trays: int) -> Network:
    """Topology of a row of `racks` racks with `trays` trays each (host; made once for every pair of counts)."""
    supply = ["CDU supply", *(f"S{rack + 1}" for rack in range(racks))]
    back = ["CDU return", *(f"R{rack + 1}" for rack in range(racks))]
    manifolds = [f"M{rack + 1}" for rack in range(racks)]
    tray_names = [(rack, tray) for rack in range(racks) for tray in range(trays)]
    return Network.build(
        nodes=[*supply, *back, *manifolds],
        branches=[
            BranchGroup(["pump"], ["CDU return"], ["CDU supply"]),
            BranchGroup(
                [*(f"supply header {node}" for node in supply[1:]), *(f"return header {node}" for node in back[1:])],
                [*supply[:-1], *back[1:]],
                [*supply[1:], *back[:-1]],
            ),
            BranchGroup([f"rack {rack + 1}" for rack in range(racks)], supply[1:], manifolds),
            BranchGroup(
                [f"rack {rack + 1} tray {tray + 1}" for rack, tray in tray_names],
                [manifolds[rack] for rack, _ in tray_names],
                [back[rack + 1] for rack, _ in tray_names],
            ),
        ],
        reference_node="CDU return",
    )


class RowFlow(eqx.Module):
    """Flow of one row: total, by rack and by tray [kg/s]; pump: pressure [Pa], speed, shaft and electric power [W]."""

    mass_flow: Float[Array, ""]
    rack_mass_flow: Float[Array, "rack"]
    tray_mass_flow: Float[Array, "rack tray"]
    differential_pressure: Float[Array, ""]
    pump_speed: Float[Array, ""]
    pump_shaft_power: Float[Array, ""]
    pump_power: Float[Array, ""]
    residual: Float[Array, ""]


def _tray_law(site: Site, coolant: CoolantProperties, racks: int) -> Series:
    rack, density = site.rack, coolant.density
    kinds = (
        Tray("compute", rack.compute_trays, (device_group("gpu", rack.gpu), device_group("cpu", rack.cpu))),
        Tray("switch", rack.switch_trays, (device_group("switch", rack.switch),)),
    )
    trays = rack.compute_trays + rack.switch_trays
    plates = jnp.concatenate(
        [jnp.full(tray.count, tray_pressure_drop(tray, rack.tray_nominal_flow, coolant)) for tray in kinds]
    )
    farther = jnp.linspace(0.0, 1.0, trays, dtype=plates.dtype) if trays > 1 else jnp.zeros(1, plates.dtype)
    position = 1.0 + rack.tray_maldistribution * farther
    nominal = jnp.full(racks * trays, rack.tray_nominal_flow * density)
    return Series(
        (
            QuadraticLoss(nominal, jnp.tile(plates * position, racks), exponent=kinds[0].pressure_exponent),
            QuadraticLoss(nominal, jnp.tile(rack.tray_nominal_pressure_drop * position, racks)),
        )
    )


def _laws(site: Site, coolant: CoolantProperties) -> tuple[PressureControlledPump, Pipe, Series, Series]:
    secondary, rack, density = site.secondary, site.rack, jnp.asarray(coolant.density)
    racks = site.building.racks_per_row
    pump = PressureControlledPump(
        pressure_set_point=jnp.full(1, secondary.differential_pressure),
        curve=_pump_curve(site, density),
        maximum_speed=jnp.full(1, secondary.maximum_speed),
        minimum_speed=jnp.full(1, secondary.minimum_speed),
        internal_loss=QuadraticLoss(jnp.full(1, secondary.pump_nominal_flow), jnp.full(1, secondary.cdu_pressure_drop)),
    )
    header = Pipe(
        jnp.full(2 * racks, secondary.header_segment),
        jnp.full(2 * racks, secondary.header_diameter),
        jnp.full(2 * racks, secondary.header_roughness),
        jnp.zeros(2 * racks, density.dtype),
    )
    nominal = rack.manifold_nominal_flow * density
    velocity = nominal / (density * (0.25 * jnp.pi) * secondary.branch_diameter**2)
    fittings = secondary.branch_loss_coefficient * density * velocity**2 / 2.0
    branch = Series(
        (QuadraticLoss(jnp.full(racks, nominal), jnp.full(racks, rack.manifold_nominal_pressure_drop + fittings)),)
    )
    return pump, header, branch, _tray_law(site, coolant, racks)


def _pump_curve(site: Site, density: Float[Array, ""]) -> PumpCurve:
    secondary = site.secondary
    return PumpCurve.through_duty_point(
        jnp.full(1, secondary.pump_shutoff_pressure),
        jnp.full(1, secondary.pump_nominal_flow),
        jnp.full(1, secondary.pump_nominal_pressure),
        jnp.full(1, density),
    )


def solve_row(
    site: Site,
    liquid: AbstractLiquid,
    supply_temperature: Float[Array, ""],
    return_temperature: Float[Array, ""],
    initial: NetworkState | None = None,
) -> tuple[RowFlow, Solution]:
    """Flow of one row whose coolant has the given supply and return temperatures [K].

    **Arguments**: `initial`: a state of the network to start from.

    **Returns**: the `RowFlow` and the network's `Solution` (codes of `voltherm.coolant.flow`).
    """
    racks, trays = site.building.racks_per_row, site.rack.compute_trays + site.rack.switch_trays
    network = row_network(racks, trays)
    mean = 0.5 * (supply_temperature + return_temperature)
    # supply, return, mean: which of them a branch has
    where = np.repeat([1, 0, 1, 0, 2], [1, racks, racks, racks, racks * trays])
    temperature = jnp.stack([supply_temperature, return_temperature, mean])
    density, viscosity = liquid.density(temperature)[where], liquid.viscosity(temperature)[where]
    laws = _laws(site, CoolantProperties.of(liquid, mean))
    solution = flow(
        network,
        laws,
        density,
        viscosity,
        reference_pressure=site.secondary.expansion_pressure,
        initial=initial,
        tolerance=FLOW_TOLERANCE,
    )
    mass_flow = solution.value.mass_flow
    pump = laws[0]
    speed, rise = pump.operating_point(mass_flow[:1], density[:1], viscosity[:1])
    one = jnp.ones(1, density.dtype)
    efficiency = PumpEfficiency(
        jnp.full(1, site.secondary.pump_nominal_flow) / density[:1],
        jnp.full(1, site.secondary.pump_efficiency),
        jnp.full(1, site.secondary.motor_efficiency),
        one,
    )
    power = efficiency.power(mass_flow[:1], rise, jnp.maximum(speed, LEAST_SPEED), density[:1])
    first_tray = 1 + 3 * racks
    row = RowFlow(
        mass_flow=mass_flow[0],
        rack_mass_flow=mass_flow[1 + 2 * racks : first_tray],
        tray_mass_flow=mass_flow[first_tray:].reshape(racks, trays),
        differential_pressure=-pump.pressure_drop(mass_flow[:1], density[:1], viscosity[:1])[0],
        pump_speed=speed[0],
        pump_shaft_power=power.shaft_power[0],
        pump_power=power.electric_power[0],
        residual=solution.status.residual,
    )
    return row, solution


@jax.named_scope("secondary loops")
def solve_rows(
    site: Site,
    liquid: AbstractLiquid,
    supply_temperature: Float[Array, "row"],
    return_temperature: Float[Array, "row"],
    initial: NetworkState | None = None,
) -> tuple[RowFlow, Solution]:
    """`solve_row` for every row of a building; `initial` has a leading axis of rows."""
    return jax.vmap(lambda supply, back, start: solve_row(site, liquid, supply, back, start))(
        supply_temperature, return_temperature, initial
    )
