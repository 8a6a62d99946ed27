r"""Rack: trays of liquid-cooled chips side by side on one manifold, and air-cooled parts.

    T_j = T_supply + (R_package + R_interface + R_plate(V_k)) c P(T_j)       every chip
    Q_i = c sum P,    h_out,i = h(T_supply) + Q_i / m_i                      every tray i
    h(T_return) = h(T_supply) + sum_i Q_i / sum_i m_i
    Q_air = Q_air,parts + (1 - c) sum P,    P_rack = sum_i Q_i + Q_air

| symbol     | meaning                                                                  | unit |
|------------|--------------------------------------------------------------------------|------|
| T_j        | junction temperature                                                     | K    |
| P          | power of a chip, rising with T_j (`leakage`) up to its limits (`throttling`) | W    |
| c          | liquid capture: share of the chips' heat that goes through their plates  | -    |
| Q_i, m_i   | heat to the liquid and mass flow of tray i                               | W, kg/s |
| h          | specific enthalpy of the coolant                                         | J/kg |
| Q_air      | heat to the air                                                          | W    |
| P_rack     | power drawn at the rack's direct-current bus                             | W    |

Source: energy balances; theory page docs/theory/thermal.md. Range: that of the laws it is made of. The balance of
power, heat to liquid and heat to air closes to round-off by construction; the chips of a tray all see the supply
temperature.
"""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from voltherm.media import AbstractLiquid
from voltherm.numerics import Solution
from voltherm.numerics.bounds import bounded, out_of_bounds
from voltherm.thermal.air_side import AirSide
from voltherm.thermal.arguments import refuse_flow_shape
from voltherm.thermal.coolant_properties import CoolantProperties
from voltherm.thermal.outcome import closed_form_status, failed
from voltherm.thermal.tray import Tray


class RackModel(eqx.Module):
    """One rack: tray types in the order of its tray arrays, air-cooled parts, and the liquid capture [-], 0 to 1."""

    trays: tuple[Tray, ...]
    air_side: AirSide
    liquid_capture: Float[Array, ""] | float = eqx.field(metadata=bounded("", least=0.0, most=1.0))

    def __check_init__(self) -> None:
        names = self.kinds
        if len(set(names)) != len(names):
            raise ValueError(f"two tray types of a rack share a kind of device: {', '.join(names)}; name them apart")
        wrong = self.unphysical()
        if wrong:
            raise ValueError("\n".join(wrong))

    def unphysical(self) -> list[str]:
        """Host check: a sentence by element for every number that no rack has; none where all are sound."""
        parts = out_of_bounds(self, ("rack",), nested=False) + out_of_bounds(self.air_side, ("air side",))
        groups = [group for tray in self.trays for group in tray.devices]
        return parts + [sentence for group in groups for sentence in out_of_bounds(group, (group.name,))]

    def refuse_shapes(self, tray_mass_flow: Float[Array, "..."]) -> None:
        """**Raises** `ValueError` where a number of the rack, or the flow of its trays, has another shape."""
        refuse_flow_shape(tray_mass_flow, self.tray_count)
        for tray in self.trays:
            for group in tray.devices:
                group.refuse_shapes(tray.count)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of devices, in the order of the trays."""
        return tuple(group.name for tray in self.trays for group in tray.devices)

    @property
    def tray_count(self) -> int:
        """Trays in the rack, all types together."""
        return sum(tray.count for tray in self.trays)

    def tray_slices(self) -> tuple[slice, ...]:
        """Where each tray type lies in arrays over all trays of the rack."""
        slices, start = [], 0
        for tray in self.trays:
            slices.append(slice(start, start + tray.count))
            start += tray.count
        return tuple(slices)


class RackState(eqx.Module):
    """Steady state of a rack. Mappings go from the kind of device to (tray of its type, device).

    `junction_temperature`, `case_temperature` in K, `device_power` in W, `work` (done, over that at nameplate load);
    `unthrottled_temperature`, and `margin` from it to the junction limit, in K: what a chip that throttles would have
    (see `throttling`); `throttled` and `off`: whether it does, and whether it has switched itself off; over all trays
    of the rack `heat_to_liquid` in W and `outlet_temperature` in K; of the rack `return_temperature` in K,
    `liquid_heat`, `air_heat`, `electrical_power` in W, `minimum_margin` in K. Where a chip runs away or a tray with
    heat stands still there is no steady state: what depends on it is NaN, and all else is kept.
    """

    junction_temperature: dict[str, Float[Array, "tray device"]]
    case_temperature: dict[str, Float[Array, "tray device"]]
    device_power: dict[str, Float[Array, "tray device"]]
    unthrottled_temperature: dict[str, Float[Array, "tray device"]]
    margin: dict[str, Float[Array, "tray device"]]
    work: dict[str, Float[Array, "tray device"]]
    throttled: dict[str, Bool[Array, "tray device"]]
    off: dict[str, Bool[Array, "tray device"]]
    heat_to_liquid: Float[Array, " all_trays"]
    outlet_temperature: Float[Array, " all_trays"]
    return_temperature: Float[Array, ""]
    liquid_heat: Float[Array, ""]
    air_heat: Float[Array, ""]
    electrical_power: Float[Array, ""]
    minimum_margin: Float[Array, ""]


def plate_flows(
    rack: RackModel,
    tray_mass_flow: Float[Array, " all_trays"],
    properties: CoolantProperties,
) -> dict[str, Float[Array, " tray"]]:
    """Volume flow [m3/s] through one plate of each kind, from the mass flow [kg/s] of every tray of the rack."""
    flows = {}
    for tray, where in zip(rack.trays, rack.tray_slices(), strict=True):
        volume_flow = tray_mass_flow[where] / properties.density
        for group, flow in zip(tray.devices, tray.plate_flows(volume_flow, properties), strict=True):
            flows[group.name] = flow
    return flows


def outlet_temperatures(
    liquid: AbstractLiquid,
    supply_temperature: Float[Array, ""],
    mass_flow: Float[Array, " all_trays"],
    heat: Float[Array, " all_trays"],
) -> tuple[Float[Array, " all_trays"], Float[Array, ""], Bool[Array, " all_trays"]]:
    """Coolant temperature leaving each tray and leaving the rack, from mass flow [kg/s] and heat [W] of every tray.

    Enthalpies are balanced, so heat and flow close to round-off. Heat counts on the size of the flow: reversed trays
    warm as well.

    **Returns**: temperatures [K], that of the mixed return [K], and which trays give off heat into coolant at rest
    and so have no steady outlet (they are left at the supply temperature, as is a tray at rest without heat).
    """
    inlet = liquid.specific_enthalpy(supply_temperature)
    flow = jnp.abs(mass_flow)
    at_rest = flow == 0.0
    rise = jnp.where(at_rest, 0.0, heat / jnp.where(at_rest, 1.0, flow))
    total = jnp.sum(flow)
    mixed = jnp.where(total == 0.0, 0.0, jnp.sum(heat) / jnp.where(total == 0.0, 1.0, total))
    stagnant = at_rest & (heat != 0.0)
    return liquid.temperature_at_enthalpy(inlet + rise), liquid.temperature_at_enthalpy(inlet + mixed), stagnant


def steady(
    rack: RackModel,
    supply_temperature: float | Float[Array, ""],
    tray_mass_flow: Float[ArrayLike, " all_trays"],
    liquid: AbstractLiquid,
    *,
    load_factor: float | Float[Array, ""] = 1.0,
) -> Solution:
    """Steady state of a rack at given coolant supply; closed form, no iteration.

    **Arguments**

    - `rack`: the rack; under `jax.vmap` its numbers may be shared or have a leading axis of racks
    - `supply_temperature`: coolant temperature [K] entering the trays
    - `tray_mass_flow`: mass flow [kg/s] of every tray, tray types in the rack's order
    - `liquid`: a liquid of `voltherm.media`
    - `load_factor`: work asked of the chips and share of the load-following air-side power [-]

    **Returns**: a `Solution` of `RackState`; `worst` of its status is the first tray that fails.

    **Result codes**: CONVERGED; LIMIT, a chip runs away; NOT_FINITE, a tray gives off heat into coolant at rest, or an
    input is not finite.

    **Raises**: `ValueError` where a number of the rack or a flow has a shape that does not fit.
    """
    supply_temperature, tray_mass_flow = jnp.asarray(supply_temperature), jnp.asarray(tray_mass_flow)
    rack.refuse_shapes(tray_mass_flow)
    properties = CoolantProperties.of(liquid, supply_temperature)
    flows = plate_flows(rack, tray_mass_flow, properties)
    capture = rack.liquid_capture
    junction, case, power, free, margin, work, throttled, off = {}, {}, {}, {}, {}, {}, {}, {}
    tray_heat, tray_runaway = [], []
    for tray in rack.trays:
        heat = jnp.zeros((tray.count,), tray_mass_flow.dtype)
        runaway = jnp.zeros((tray.count,), bool)
        for group in tray.devices:
            plate = group.plate_resistance(flows[group.name], properties)
            case_resistance = capture * (plate + group.interface_resistance(tray.count))
            resistance = case_resistance + capture * group.package_resistance(tray.count)
            sink = jnp.broadcast_to(supply_temperature, resistance.shape)
            chip = group.operation(sink, resistance, load_factor)
            drawn, unstable = chip.power, chip.runaway
            # a product with ones stays apart from the chips, where a sum would be fused and compute them twice
            heat = heat + jnp.matmul(drawn, jnp.ones((group.count,), drawn.dtype), precision="highest")
            runaway = runaway | jnp.any(unstable, axis=1)
            junction[group.name] = failed(chip.temperature, unstable)
            case[group.name] = failed(sink + case_resistance * drawn, unstable)
            power[group.name] = failed(drawn, unstable)
            free[group.name] = failed(chip.unthrottled_temperature, unstable)
            margin[group.name] = group.junction_limit - free[group.name]
            work[group.name] = failed(chip.work, unstable)
            throttled[group.name], off[group.name] = chip.throttled, chip.off
        tray_heat.append(heat)
        tray_runaway.append(runaway)
    device_heat = jnp.concatenate(tray_heat)
    unstable_trays = jnp.concatenate(tray_runaway)
    heat_to_liquid = capture * device_heat
    outlet, mixed, stagnant = outlet_temperatures(liquid, supply_temperature, tray_mass_flow, heat_to_liquid)
    air_parts = rack.air_side.heat(load_factor)
    chips = jnp.sum(device_heat)
    liquid_heat = jnp.sum(heat_to_liquid)
    any_unstable = jnp.any(unstable_trays)
    no_return = any_unstable | jnp.any(stagnant)
    state = RackState(
        junction_temperature=junction,
        case_temperature=case,
        device_power=power,
        unthrottled_temperature=free,
        margin=margin,
        work=work,
        throttled=throttled,
        off=off,
        heat_to_liquid=failed(heat_to_liquid, unstable_trays),
        outlet_temperature=failed(outlet, unstable_trays | stagnant),
        return_temperature=failed(mixed, no_return),
        liquid_heat=failed(liquid_heat, any_unstable),
        air_heat=failed(air_parts + (chips - liquid_heat), any_unstable),
        electrical_power=failed(air_parts + chips, any_unstable),
        minimum_margin=smallest(margin),
    )
    return Solution(state, closed_form_status(unstable_trays, stagnant | ~jnp.isfinite(outlet)))


def smallest(margin: Mapping[str, Float[Array, "tray device"]]) -> Float[Array, ""]:
    """Smallest margin [K] of all chips; its gradient is that of the chip which sets it."""
    return jnp.min(jnp.stack([jnp.min(each) for each in margin.values()]))
