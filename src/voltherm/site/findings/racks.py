"""Racks: flow of every cold plate within the data of its law, coolant enough, and the makers' limits.

    V_least <= V_plate <= V_most,   V_rack / Q_rack >= flow_minimum
    T_supply <= supply_maximum,   T_junction + memory_offset <= memory_limit

| symbol | meaning | unit | source |
| --- | --- | --- | --- |
| V_plate | volume flow of one cold plate | m³/s | solved |
| V_least, V_most | range of the data behind the plates' law | m³/s | `voltherm.thermal.cold_plate` |
| V_rack, Q_rack | coolant of a rack, its heat to liquid | m³/s, W | solved |
| T_supply | coolant supplied to a row | K | solved |
| flow_minimum, supply_maximum, memory_limit, memory_offset | of the racks' maker | m³/J, K | configuration |

Memory stands in the package beside the die and has no path of its own here: it is taken as warmer than the junction by
an offset, which is what the two sensors of a part differ by at full load.
"""

from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Array, Float

from voltherm.site.electrical import rack_supply
from voltherm.site.findings.finding import KELVINS, ROUNDING, Elements, Finding, Values, celsius, outside
from voltherm.site.fluids import liquid_named
from voltherm.site.layout import Layout
from voltherm.site.outputs import flow_per_heat
from voltherm.site.racks import thermal_rack
from voltherm.site.sections import Device, Limits, Site
from voltherm.site.states import SiteState
from voltherm.thermal import CoolantProperties
from voltherm.thermal.cold_plate import FITTED_RANGE, LITRE_PER_MINUTE, out_of_range
from voltherm.thermal.rack import plate_flows as flows_of_rack

KINDS = ("gpu", "cpu", "switch")
_WORDS = {"gpu": "GPU", "cpu": "CPU", "switch": "switch chip"}
_LITRES_PER_KILOWATT = LITRE_PER_MINUTE / 1e3


def plate_flows(site: Site, state: SiteState) -> dict[str, Float[Array, "building row rack tray"]]:
    """Volume flow [m³/s] of one cold plate of every kind."""
    rows = state.buildings.rows
    model = thermal_rack(site.rack, rack_supply(site), site.air.inlet_limit)
    liquid = liquid_named(site.secondary.fluid)

    def one(temperature: Float[Array, ""], flow: Float[Array, " all_trays"]) -> dict[str, Float[Array, " tray"]]:
        return flows_of_rack(model, flow, CoolantProperties.of(liquid, temperature))

    by_rack = jax.vmap(jax.vmap(jax.vmap(one, in_axes=(None, 0))))
    return by_rack(rows.supply_temperature, rows.tray_mass_flow)


def rack_flows(site: Site, state: SiteState) -> Float[Array, "building row rack"]:
    """Coolant of every rack over its heat to liquid [m³/J]."""
    return flow_per_heat(site, state)


def plate_findings(kind: str, flows: Values, names: Layout) -> Iterator[Finding]:
    """Whether the plates of one kind are used where their law has data."""
    flows = np.abs(np.asarray(flows))
    if out_of_range(flows) is None:
        return
    low, high = FITTED_RANGE
    word = _WORDS[kind]

    def name(index: tuple[int, ...]) -> str:
        building, row, rack, tray = index
        trays = names.switch_trays if kind == "switch" else names.compute_trays
        return f"{names.rack(building, row, rack)} {trays[tray]}"

    elements = Elements(f"the trays' cold plates of a {word}", f"trays' cold plates of the {word}s", name)
    for beyond, badness, limit in (
        (flows < low, low / np.maximum(flows, 1e-12), low),
        (flows > high, flows / high, high),
    ):
        group = outside(beyond, badness, elements)
        if group is None:
            continue
        value = float(flows[group.worst])
        told = out_of_range(value)
        assert told is not None
        who = f"one of {group.total:,}" if group.count == 1 else f"{group.count:,} of {group.total:,}"
        yield Finding(
            "cold plate data",
            f"cold plates of the {word}s",
            group.element,
            value,
            limit,
            "m3 s-1",
            "practice",
            group.count,
            group.total,
            float(badness[group.worst]) - 1.0,
            f"{word}s of {who} trays, worst {group.element}: {told}",
        )


def flow_findings(limits: Limits, flows: Values, names: Layout) -> Iterator[Finding]:
    """Whether every rack has the coolant that its maker asks for."""
    least, flows = float(limits.flow_minimum), np.asarray(flows)
    elements = Elements("the rack", "racks", lambda index: names.rack(*index))
    group = outside(flows < least * (1.0 - ROUNDING["1"]), -flows, elements)
    if group is None:
        return
    value = float(flows[group.worst])
    yield Finding(
        "coolant flow",
        "racks",
        group.element,
        value,
        least,
        "m3 J-1",
        "limit",
        group.count,
        group.total,
        1.0 - value / least,
        f"{group.said('has', 'have')} {value / _LITRES_PER_KILOWATT:.2f} L/min of coolant per kilowatt{group.remark}, "
        f"less than the {least / _LITRES_PER_KILOWATT:.2f} that the maker asks for: raise the differential pressure of "
        "the rows",
    )


def supply_findings(limits: Limits, supply: Values, names: Layout) -> Iterator[Finding]:
    """Whether a row is supplied warmer than the racks' maker allows."""
    most, supply = float(limits.supply_maximum), np.asarray(supply)
    elements = Elements("the row's supply", "supplies of the rows", lambda index: names.cdu(*index))
    group = outside(supply > most + ROUNDING["K"], supply, elements)
    if group is None:
        return
    value = float(supply[group.worst])
    yield Finding(
        "supply temperature",
        "supplies of the rows",
        group.element,
        value,
        most,
        "K",
        "limit",
        group.count,
        group.total,
        (value - most) / KELVINS,
        f"{group.said('is', 'are')} {celsius(value)}{group.remark}, {value - most:.1f} K warmer than the maker of the "
        f"racks allows ({celsius(most)})",
    )


def memory_findings(kind: str, device: Device, junction: Values, names: Layout) -> Iterator[Finding]:
    """Whether memory in the packages of one kind is too hot."""
    limit, memory = float(device.memory_limit), np.asarray(junction) + float(device.memory_offset)
    word = _WORDS[kind]
    elements = Elements(f"the memory of a {word}", f"{word}s", lambda index: names.device(kind, *index))
    group = outside(memory > limit + ROUNDING["K"], memory, elements)
    if group is None:
        return
    value = float(memory[group.worst])
    who = "the memory" if group.total == 1 else f"the memory of {group.count:,} of {group.total:,} {word}s"
    yield Finding(
        "memory temperature",
        f"memory of the {word}s",
        group.element,
        value,
        limit,
        "K",
        "limit",
        group.count,
        group.total,
        (value - limit) / KELVINS,
        f"{who} is too hot, {celsius(value)} at {group.element} against a limit of {celsius(limit)}: lower the supply",
    )
