"""Mistakes between numbers of the electrical side: what a part carries against its rating, and parts of a whole."""

import math
from typing import Any

from voltherm.formats.rack_power import LOAD, rack_heat
from voltherm.formats.rules import BUILDING_RACKS, BUILDING_ROWS, Rules, power_text

RULES = Rules()
_ROUNDING = 1e-9


@RULES(
    "electrical.main_transformer.rating",
    *BUILDING_RACKS,
    "electrical.main_transformers",
    "electrical.main_transformer.rating",
    "limits.loading_maximum",
    *LOAD,
)
def _main_transformers(
    halls: int, rows: int, racks: int, number: int, rating: float, allowed: float, *load: Any
) -> str | None:
    total = rack_heat(*load).power * halls * rows * racks
    if total <= number * rating * allowed:
        return None
    return (
        f"the racks of a building draw {power_text(total)}, more than its {number} main transformers of "
        f"{rating / 1e6:g} MVA may carry{_up_to(allowed)}: needs at least "
        f"{total / number / allowed / 1e6:.4g} MVA each, or fewer racks"
    )


def _up_to(allowed: float) -> str:
    """The loading that the case allows, where that is not the rating itself."""
    return "" if allowed == 1.0 else f" at limits.loading_maximum, {100.0 * allowed:g} %"


_CHAIN = ("building.racks_per_row", "electrical.ups.efficiency", *LOAD)


def _row_power(racks: int, efficiency: tuple[float, ...], *load: Any) -> float:
    """Least power a row draws behind its substation [W]: the UPS at its best efficiency."""
    return racks * rack_heat(*load).power / max(efficiency)


@RULES(
    "electrical.unit_substation.rating",
    "electrical.unit_substation.rating",
    "limits.loading_maximum",
    "electrical.ups.power_factor",
    *_CHAIN,
)
def _unit_substation(
    rating: float, allowed: float, factor: float, racks: int, efficiency: tuple[float, ...], *load: Any
) -> str | None:
    apparent = _row_power(racks, efficiency, *load) / factor
    if apparent <= rating * allowed:
        return None
    return (
        f"a row of {racks} racks draws {apparent / 1e6:.3g} MVA, more than its substation of {rating / 1e6:g} MVA may "
        f"carry{_up_to(allowed)}: needs at least {apparent / allowed / 1e6:.3g} MVA, or at most "
        f"{int(racks * rating * allowed / apparent)} racks a row"
    )


@RULES("electrical.ups.rating", "electrical.ups.rating", "building.racks_per_row", *LOAD)
def _ups(rating: float, racks: int, *load: Any) -> str | None:
    needed = racks * rack_heat(*load).power
    if needed <= rating:
        return None
    return (
        f"a row of {racks} racks draws {power_text(needed)}, more than its UPS of {rating / 1e6:g} MVA gives: "
        f"needs at least {needed / 1e6:.3g} MVA"
    )


@RULES("electrical.power_shelf.rating", "electrical.power_shelf.rating", *LOAD)
def _power_shelf(rating: float, *load: Any) -> str | None:
    needed = rack_heat(*load).power
    if needed <= rating:
        return None
    return (
        f"a rack draws {power_text(needed)}, more than its power shelves of {power_text(rating)} give: "
        f"needs at least {power_text(needed)}"
    )


@RULES(
    "electrical.feeder.rating",
    "electrical.feeder.rating",
    "electrical.feeders",
    "electrical.distribution_voltage",
    "limits.loading_maximum",
    *BUILDING_ROWS,
    *_CHAIN,
)
def _feeder(
    rating: float,
    feeders: int,
    voltage: float,
    allowed: float,
    halls: int,
    rows: int,
    racks: int,
    efficiency: tuple[float, ...],
    *load: Any,
) -> str | None:
    most = math.ceil(halls * rows / feeders)
    current = most * _row_power(racks, efficiency, *load) / (math.sqrt(3.0) * voltage)
    if feeders > halls * rows or current <= rating * allowed:
        return None
    needed = math.ceil(feeders * current / (rating * allowed))
    return (
        f"a feeder with {most} rows carries {current:.4g} A, more than its {rating:g} A allow: needs at least "
        f"{current / allowed:.4g} A, or about {needed} feeders"
    )


@RULES("electrical.feeders", "electrical.feeders", *BUILDING_ROWS)
def _feeders_and_rows(feeders: int, halls: int, rows: int) -> str | None:
    if feeders <= halls * rows:
        return None
    return f"{feeders} feeders for {halls * rows} rows: a feeder without a row is disconnected; at most {halls * rows}"


@RULES("electrical.mechanical_feeders", "electrical.mechanical_feeders", "electrical.mechanical_substations")
def _mechanical_feeders(feeders: int, substations: int) -> str | None:
    if feeders <= substations:
        return None
    return (
        f"{feeders} feeders for {substations} mechanical substations: one without a substation is disconnected; "
        f"at most {substations}"
    )


for _name in ("main_transformer", "unit_substation", "mechanical_substation"):

    @RULES(f"electrical.{_name}.vkr", f"electrical.{_name}.vk", f"electrical.{_name}.vkr")
    def _resistive_part(vk: float, vkr: float) -> str | None:
        if vkr < vk:
            return None
        return (
            f"vkr {100 * vkr:g} % is not below vk {100 * vk:g} %: it is the resistive part of vk, usually a tenth of it"
        )

    @RULES(
        f"electrical.{_name}.no_load_loss",
        f"electrical.{_name}.rating",
        f"electrical.{_name}.no_load_current",
        f"electrical.{_name}.no_load_loss",
    )
    def _no_load_part(rating: float, current: float, loss: float) -> str | None:
        if loss <= current * rating * (1.0 + _ROUNDING):
            return None
        return (
            f"{power_text(loss)} is more than the {power_text(current * rating, 'VA')} that "
            f"{100 * current:g} % of no-load current draw, of which it is a part: a no-load current of at least "
            f"{math.ceil(1e4 * loss / rating) / 100:g} %, or a smaller loss"
        )


@RULES("electrical.motors.current_share", "electrical.motors.impedance_share", "electrical.motors.current_share")
def _shares(impedance: float, current: float) -> str | None:
    if impedance + current <= 1.0 + _ROUNDING:
        return None
    return (
        f"impedance and current share are {100 * (impedance + current):g} % together: at most 100 %, the rest is "
        "constant power"
    )
