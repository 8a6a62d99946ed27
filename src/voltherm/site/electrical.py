"""The site's network from the utility's intake to the 480 V substations, and the loads that stand on it.

    utility (slack) - short-circuit impedance - intake - main transformers - feeders - substations - loads
    P_row = UPS input of (racks' power shelves + CDU);   P_mechanical = pumps + fans + chillers + house, spread evenly

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| P_row | active power drawn at the low-voltage bus of one row | W | `power.ups`, `power.power_shelf` |
| P_mechanical | active power drawn at one mechanical substation of a building | W | this module |
| x_k | reactance of the utility, S_base / S_short_circuit, with X/R = 15 | p.u. | IEC 60909-0, clause 6.2 |

Every feeder is a radial chain of substations; feeders are shared in turn by the main transformers of their building.
Rows stand behind double-conversion UPS and draw constant power; motors follow the voltage by their ZIP shares.
"""

import dataclasses
import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.numerics import bracketed_root
from voltherm.power import (
    Line,
    Load,
    LossCurve,
    Network,
    PowerParameters,
    PowerShelf,
    Transformer,
    UninterruptiblePowerSupply,
    concatenate,
    reactive_power_of,
)
from voltherm.site.sections import Rack, Site, TransformerRating

_REACTANCE_OVER_RESISTANCE = 15.0


@dataclasses.dataclass(frozen=True)
class OneLine:
    """Topology of the site's network and where its loads stand; hashed by the counts it was made from.

    `row_bus` (building, row) and `mechanical_bus` (building, substation): indices of low-voltage buses. `first` tells
    which cable segments leave the switchgear. Branch groups stand in the order of `groups`: name and how many.
    """

    network: Network
    groups: tuple[tuple[str, int], ...]
    row_bus: np.ndarray = dataclasses.field(compare=False)
    mechanical_bus: np.ndarray = dataclasses.field(compare=False)
    first_row_cable: np.ndarray = dataclasses.field(compare=False)
    first_mechanical_cable: np.ndarray = dataclasses.field(compare=False)

    def group(self, name: str) -> slice:
        """Where the branches of one group stand."""
        start = 0
        for group, count in self.groups:
            if group == name:
                return slice(start, start + count)
            start += count
        raise KeyError(name)


def one_line(site: Site) -> OneLine:
    """The network of `site` (host; made once for every set of counts)."""
    electrical, building = site.electrical, site.building
    return _one_line(
        building.count,
        building.halls,
        building.rows_per_hall,
        electrical.main_transformers,
        electrical.feeders,
        electrical.mechanical_feeders,
        electrical.mechanical_substations,
        (electrical.intake_voltage, electrical.distribution_voltage, electrical.low_voltage),
        electrical.base_power,
    )


@functools.lru_cache(maxsize=16)
def _one_line(
    buildings: int,
    halls: int,
    rows_per_hall: int,
    main_transformers: int,
    feeders: int,
    mechanical_feeders: int,
    mechanical_substations: int,
    voltages: tuple[float, float, float],
    base_power: float,
) -> OneLine:
    high, medium, low = voltages
    buses: list[str] = ["utility", "intake"]
    base_voltages: list[float] = [high, high]
    groups: dict[str, list[tuple[str, str, str]]] = {
        name: []
        for name in ("intake", "main", "row cable", "row substation", "mechanical cable", "mechanical substation")
    }
    groups["intake"].append(("utility source", "utility", "intake"))
    row_names = [f"H{hall + 1}-R{row + 1:02d}" for hall in range(halls) for row in range(rows_per_hall)]
    mechanical_names = [f"M{number + 1:02d}" for number in range(mechanical_substations)]

    def add_bus(name: str, voltage: float) -> str:
        buses.append(name)
        base_voltages.append(voltage)
        return name

    def add_chains(
        prefix: str, kind: str, feeder_letter: str, names: list[str], count: int
    ) -> tuple[list[int], list[bool]]:
        low_buses, first = [], []
        for feeder in range(count):
            members = names[feeder * len(names) // count : (feeder + 1) * len(names) // count]
            upstream = f"{prefix}switchgear {feeder % main_transformers + 1}"
            for position, name in enumerate(members):
                node = add_bus(f"{prefix}{name} {medium / 1e3:g} kV", medium)
                low_buses.append(len(buses))
                low_bus = add_bus(f"{prefix}{name} {low:g} V", low)
                groups[f"{kind} cable"].append(
                    (f"{prefix}feeder {feeder_letter}{feeder + 1} to {name}", upstream, node)
                )
                groups[f"{kind} substation"].append((f"{prefix}substation {name}", node, low_bus))
                first.append(position == 0)
                upstream = node
        return low_buses, first

    row_bus, mechanical_bus, first_row, first_mechanical = [], [], [], []
    for number in range(buildings):
        prefix = "" if buildings == 1 else f"B{number + 1}-"
        for transformer in range(main_transformers):
            switchgear = add_bus(f"{prefix}switchgear {transformer + 1}", medium)
            groups["main"].append((f"{prefix}main transformer {transformer + 1}", "intake", switchgear))
        low_buses, first = add_chains(prefix, "row", "F", row_names, feeders)
        row_bus.append(low_buses)
        first_row += first
        low_buses, first = add_chains(prefix, "mechanical", "MF", mechanical_names, mechanical_feeders)
        mechanical_bus.append(low_buses)
        first_mechanical += first
    network = Network.build(
        buses,
        base_voltages,
        [branch for group in groups.values() for branch in group],
        ["utility"],
        base_power=base_power,
    )
    return OneLine(
        network,
        tuple((name, len(group)) for name, group in groups.items()),
        np.asarray(row_bus, dtype=np.int32),
        np.asarray(mechanical_bus, dtype=np.int32),
        np.asarray(first_row),
        np.asarray(first_mechanical),
    )


def _transformers(rating: TransformerRating, count: int) -> Transformer:
    return Transformer(
        rated_power=jnp.full(count, rating.rating),
        short_circuit_voltage=jnp.full(count, rating.vk),
        short_circuit_resistance=jnp.full(count, rating.vkr),
        no_load_loss=jnp.full(count, rating.no_load_loss),
        no_load_current=jnp.full(count, rating.no_load_current),
        tap_ratio=jnp.full(count, rating.tap),
        phase_shift=jnp.zeros(count, rating.rating.dtype),
        parallel=jnp.ones(count, rating.rating.dtype),
    )


def power_parameters(
    site: Site,
    row_power: Float[Array, "building row"],
    row_reactive_power: Float[Array, "building row"],
    mechanical_power: Float[Array, "building"],
) -> PowerParameters:
    """Numbers of the site's power flow.

    **Arguments**: active [W] and reactive power [var] that every row draws behind its substation; power of pumps, fans,
    chillers and house of every building [W] at nominal voltage.
    """
    topology = one_line(site)
    electrical = site.electrical
    network = topology.network
    dtype = row_power.dtype
    reactance = electrical.base_power / electrical.intake_short_circuit
    short_circuit = (reactance**2 / (1.0 + _REACTANCE_OVER_RESISTANCE**-2)) ** 0.5
    source = Transformer(
        rated_power=jnp.full(1, electrical.intake_short_circuit),
        short_circuit_voltage=jnp.ones(1, dtype),
        short_circuit_resistance=jnp.full(1, short_circuit / reactance / _REACTANCE_OVER_RESISTANCE),
        no_load_loss=jnp.zeros(1, dtype),
        no_load_current=jnp.zeros(1, dtype),
        tap_ratio=jnp.ones(1, dtype),
        phase_shift=jnp.zeros(1, dtype),
        parallel=jnp.ones(1, dtype),
    )

    def cables(first: np.ndarray):
        feeder = electrical.feeder
        count = len(first)
        line = Line(
            resistance_per_length=jnp.full(count, feeder.resistance),
            reactance_per_length=jnp.full(count, feeder.reactance),
            capacitance_per_length=jnp.full(count, feeder.capacitance),
            length=jnp.where(jnp.asarray(first), feeder.length, feeder.segment),
            parallel=jnp.ones(count, dtype),
            current_rating=jnp.full(count, feeder.rating),
        )
        voltage = jnp.full(count, electrical.distribution_voltage, dtype)
        return line.branches(voltage, electrical.base_power, electrical.frequency)

    counts = dict(topology.groups)
    branches = concatenate(
        [
            source.branches(electrical.base_power),
            _transformers(electrical.main_transformer, counts["main"]).branches(electrical.base_power),
            cables(topology.first_row_cable),
            _transformers(electrical.unit_substation, counts["row substation"]).branches(electrical.base_power),
            cables(topology.first_mechanical_cable),
            _transformers(electrical.mechanical_substation, counts["mechanical substation"]).branches(
                electrical.base_power
            ),
        ]
    )
    bus_count = len(network.buses)
    rows = Load.from_fractions(row_power.ravel(), row_reactive_power.ravel())
    substations = topology.mechanical_bus.shape[1]
    motor_power = jnp.broadcast_to(mechanical_power[:, None] / substations, topology.mechanical_bus.shape).ravel()
    motors = Load.from_fractions(
        motor_power,
        reactive_power_of(motor_power, electrical.motors.power_factor),
        electrical.motors.impedance_share,
        electrical.motors.current_share,
    )
    load = rows.at_buses(topology.row_bus.ravel(), bus_count) + motors.at_buses(
        topology.mechanical_bus.ravel(), bus_count
    )
    return PowerParameters.passive(network, branches, load, voltage_set_point=electrical.intake_set_point)


def nameplate_liquid_power(rack: Rack) -> Float[Array, ""]:
    """Power of all liquid-cooled chips of one rack at full load and reference temperature [W]."""
    tray = rack.gpu.per_tray * rack.gpu.power + rack.cpu.per_tray * rack.cpu.power
    return rack.compute_trays * tray + rack.switch_trays * rack.switch.per_tray * rack.switch.power


class RackSupply(eqx.Module):
    """What stands between the low-voltage bus and the chips of a row: power shelves and UPS."""

    shelf: PowerShelf
    ups: UninterruptiblePowerSupply
    air_electronics: Float[Array, ""]


def rack_supply(site: Site) -> RackSupply:
    """Shelves and UPS of the site, and the direct-current power of a rack's air-cooled parts at full load [W].

    The published heat to air includes the loss of the shelves: it is taken off at nameplate, where the rack draws its
    liquid-cooled and its air-cooled power together. Heat to air below that loss would leave the air-cooled parts with
    negative power; `voltherm.formats.checks` refuses it.
    """
    electrical, rack = site.electrical, site.rack
    one = jnp.ones_like(electrical.power_shelf.rating)
    curve = LossCurve(electrical.power_shelf.load, electrical.power_shelf.efficiency)
    shelf = PowerShelf(electrical.power_shelf.rating, one, curve, electrical.ups.power_factor)
    double_conversion = LossCurve(electrical.ups.load, electrical.ups.efficiency)
    ups = UninterruptiblePowerSupply(
        electrical.ups.rating, double_conversion, None, jnp.zeros_like(one), electrical.ups.power_factor
    )
    nameplate = nameplate_liquid_power(rack) + rack.air_heat

    def excess(output: Float[Array, ""], known: tuple[PowerShelf, Float[Array, ""]]) -> Float[Array, ""]:
        supply, target = known
        return (supply.input_power(output) - target) / target

    output = bracketed_root(excess, 0.5 * nameplate, nameplate, (shelf, nameplate), tolerance=1e-14)
    return RackSupply(shelf, ups, output - nameplate_liquid_power(rack))
