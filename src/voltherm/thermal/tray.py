r"""Tray: chips of several kinds, each on a cold plate of its own, all plates fed side by side.

    dp = C_k V_k^m  for every plate of kind k,    V = sum_k n_k V_k
    =>  V_k = s_k V,    s_k = C_k^(-1/m) / sum_j n_j C_j^(-1/m),    dp = C V^m,    C = (sum_j n_j C_j^(-1/m))^-m

| symbol | meaning                                                    | unit        |
|--------|------------------------------------------------------------|-------------|
| V, V_k | volume flow of the tray, of one plate of kind k            | m3/s        |
| n_k    | plates of kind k                                           | -           |
| C_k, C | flow coefficient of one plate, of the tray                 | Pa/(m3/s)^m |
| m      | exponent of the drop, one for all plates of a tray         | -           |
| s_k    | share of one plate in the tray's flow                      | -           |

Source: parallel resistances with one power law (I. Idelchik, Handbook of Hydraulic Resistance, 3rd ed., section
1-13). Quick disconnects and hoses of the tray are a branch of the network outside. Range: that of the plates.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, out_of_bounds
from voltherm.thermal.arguments import refuse_shapes
from voltherm.thermal.chip_package import Package
from voltherm.thermal.cold_plate import ColdPlate
from voltherm.thermal.coolant_properties import CoolantProperties
from voltherm.thermal.interface_material import InterfaceMaterial
from voltherm.thermal.leakage import LeakagePower, OfChips
from voltherm.thermal.throttling import DeviceOperation, OperatingLimits, operate


class DeviceGroup(eqx.Module):
    """Chips of one kind in every tray of a type, each on its own plate.

    `name` (such as "gpu") and `count` (chips a tray) are static. Numbers of power, package, interface material, limit
    [K] and heat capacity [J/K] (die, lid and plate of one chip) and operating limits (None: the chip has none) are
    scalars or spread to (tray, device); those of the cold plate are scalars or (tray,).
    """

    name: str = eqx.field(static=True)
    count: int = eqx.field(static=True)
    power: LeakagePower
    package: Package
    interface: InterfaceMaterial
    cold_plate: ColdPlate
    junction_limit: OfChips = eqx.field(metadata=bounded("K", above=0.0))
    heat_capacity: OfChips = eqx.field(metadata=bounded("J/K", least=0.0))
    limits: OperatingLimits | None = None

    def __check_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"'{self.name}': a tray holds {self.count} of them; at least 1")
        wrong = out_of_bounds(self, (self.name,))
        if wrong:
            raise ValueError("\n".join(wrong))

    def refuse_shapes(self, trays: int) -> None:
        """**Raises** `ValueError` where a number of the group has another shape than its docstring allows."""
        each = {(self.count,): "one for each device of a tray", (trays, self.count): "one for each tray and device"}
        chips = {
            "power": self.power,
            "package": self.package,
            "interface": self.interface,
            "limits": self.limits,
            "junction_limit": self.junction_limit,
            "heat_capacity": self.heat_capacity,
        }
        refuse_shapes(self.name, chips, each)
        refuse_shapes(self.name, {"cold_plate": self.cold_plate}, {(trays,): "one for each tray"})

    def operation(
        self,
        sink_temperature: Float[Array, "tray device"],
        resistance: Float[Array, "tray device"],
        load_factor: float | Float[Array, ""] = 1.0,
    ) -> DeviceOperation:
        """How the chips run on sinks [K] behind resistances [K/W]: `voltherm.thermal.throttling`."""

        def over_trays(number: OfChips) -> Float[Array, "..."]:
            # numbers of the devices of a tray stay that few: no transcendental function of them is found per chip
            array = jnp.asarray(number)
            return array[None, :] if array.ndim == 1 else array

        power, limits = jax.tree.map(over_trays, (self.power, self.limits))
        return operate(sink_temperature, resistance, power, limits, load_factor)

    def plate_resistance(
        self, plate_flow: Float[Array, " tray"], properties: CoolantProperties | None = None
    ) -> Float[Array, "tray device"]:
        """Resistance [K/W] from the plate's base to the coolant's inlet at the flow [m3/s] of each plate."""
        resistance = self.cold_plate.resistance(plate_flow, properties)
        return jnp.broadcast_to(resistance[:, None], (plate_flow.shape[0], self.count))

    def interface_resistance(self, trays: int) -> Float[Array, "tray device"]:
        """Resistance [K/W] from the case (lid) to the plate's base."""
        return jnp.broadcast_to(self.interface.resistance(), (trays, self.count))

    def package_resistance(self, trays: int) -> Float[Array, "tray device"]:
        """Resistance [K/W] from junction to case."""
        return jnp.broadcast_to(self.package.resistance, (trays, self.count))


class Tray(eqx.Module):
    """`count` trays of one type (static `name`), all with the same kinds of chips."""

    name: str = eqx.field(static=True)
    count: int = eqx.field(static=True)
    devices: tuple[DeviceGroup, ...]

    def __check_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"tray type '{self.name}': a rack holds {self.count} of them; at least 1")
        if not self.devices:
            raise ValueError(f"tray type '{self.name}' has no devices: give it at least one kind")
        names = [group.name for group in self.devices]
        if len(set(names)) != len(names):
            raise ValueError(f"tray type '{self.name}' names a kind of device twice: {', '.join(names)}")
        exponents = {group.cold_plate.pressure_exponent for group in self.devices}
        if len(exponents) != 1:
            raise ValueError(
                f"cold plates of tray type '{self.name}' have different pressure exponents {sorted(exponents)}; "
                "plates fed side by side need one"
            )

    @property
    def pressure_exponent(self) -> float:
        """Exponent m of the pressure drop."""
        return self.devices[0].cold_plate.pressure_exponent

    def _conductances(self, properties: CoolantProperties | None) -> tuple[Float[Array, "..."], ...]:
        """C_k^(-1/m) of one plate of each kind."""
        exponent = -1.0 / self.pressure_exponent
        return tuple(group.cold_plate.flow_coefficient(properties) ** exponent for group in self.devices)

    def plate_shares(self, properties: CoolantProperties | None = None) -> tuple[Float[Array, "..."], ...]:
        """Share s_k of one plate of each kind in the flow of its tray; independent of the flow."""
        conductances = self._conductances(properties)
        total = sum(
            (group.count * each for group, each in zip(self.devices[1:], conductances[1:], strict=True)),
            start=self.devices[0].count * conductances[0],
        )
        return tuple(each / total for each in conductances)

    def plate_flows(
        self, volume_flow: Float[Array, " tray"], properties: CoolantProperties | None = None
    ) -> tuple[Float[Array, " tray"], ...]:
        """Volume flow [m3/s] through one plate of each kind, from that of the trays."""
        return tuple(share * volume_flow for share in self.plate_shares(properties))


def tray_flow_coefficient(tray: Tray, properties: CoolantProperties | None = None) -> Float[Array, "..."]:
    """The coefficient C [Pa/(m3/s)^m] of a tray's plates, dp = C V^m with m = `tray.pressure_exponent`."""
    shares = tray.plate_shares(properties)
    first = tray.devices[0]
    # a plate's share of the flow gives the tray's drop
    return first.cold_plate.flow_coefficient(properties) * shares[0] ** tray.pressure_exponent


def tray_pressure_drop(
    tray: Tray, volume_flow: Float[Array, "..."], properties: CoolantProperties | None = None
) -> Float[Array, "..."]:
    """Pressure drop [Pa] of a tray's plates at the tray's volume flow [m3/s]: a nominal point for a branch law."""
    share = tray.plate_shares(properties)[0]
    return tray.devices[0].cold_plate.pressure_drop(share * volume_flow, properties)


def tray_flow_at_pressure_drop(
    tray: Tray, pressure_drop: Float[Array, "..."], properties: CoolantProperties | None = None
) -> Float[Array, "..."]:
    """Volume flow [m3/s] of a tray at a pressure drop [Pa] > 0: the inverse of C V^m."""
    return (pressure_drop / tray_flow_coefficient(tray, properties)) ** (1.0 / tray.pressure_exponent)
