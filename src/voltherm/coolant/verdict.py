"""Is a solved network physical? Pressures that no liquid can have, boiling, temperatures outside the liquid's data.

    p_i >= p_v(T_i)       p_v of the liquid (`voltherm.media.vapour_pressure`)

Host side, after a solve: a solve itself takes any number, and its result code says only that the equations hold. Lanes
in front are looked at together; NaN, a failed lane, is left to its result code.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.coolant.flow import NetworkState
from voltherm.coolant.heat import HeatState
from voltherm.coolant.network import Network
from voltherm.media import AbstractLiquid, check_range, vapour_pressure

_MOST_NAMED = 5


def check_pressures(
    network: Network,
    state: NetworkState,
    liquid: AbstractLiquid | None = None,
    temperature: Float[Array, "..."] | float | None = None,
) -> list[str]:
    """Sentences, by node, on pressures below zero absolute, or below that at which the liquid boils; an empty list
    where there are none.

    temperature, K: () or (..., node), of a liquid; without both only zero is a limit.
    """
    pressure = np.asarray(state.pressure, dtype=float)
    least, reason = np.zeros_like(pressure), "which no liquid can have"
    if liquid is not None and temperature is not None:
        warm = jnp.asarray(temperature)
        boiling = np.nan_to_num(np.asarray(vapour_pressure(liquid, warm), dtype=float), posinf=0.0)
        least = np.broadcast_to(boiling, np.broadcast_shapes(boiling.shape, pressure.shape))
        reason = "at which it boils"

    def sentence(name: str, place: tuple[int, ...]) -> str:
        found = pressure[place]
        if found < 0.0:
            return f"node '{name}': {found / 1e3:.1f} kPa absolute, which no liquid can have"
        return f"node '{name}': {found / 1e3:.1f} kPa absolute, below {least[place] / 1e3:.1f} kPa, {reason}"

    lowest = pressure - least
    return list(_worst_first(network.nodes, lowest, lowest < 0.0, sentence))


def check_temperatures(network: Network, state: HeatState, liquid: AbstractLiquid) -> list[str]:
    """Sentences, by node and branch, on temperatures at which the liquid is frozen or its data do not hold."""
    low, high = liquid.temperature_range
    low = max(low, float(np.max(np.asarray(liquid.freezing_temperature(), dtype=float))))
    sentences: list[str] = []
    for kind, names, values in (
        ("node", network.nodes, state.node_temperature),
        ("outlet of", network.branches, state.outlet_temperature),
    ):
        kelvin = np.asarray(values, dtype=float)
        beyond = np.maximum(low - kelvin, kelvin - high)

        def sentence(name: str, place: tuple[int, ...], kind: str = kind, kelvin: np.ndarray = kelvin) -> str:
            return " ".join(check_range(liquid, kelvin[place], f"{kind} '{name}'"))

        sentences += _worst_first(names, -beyond, beyond > 0.0, sentence)
    return sentences


def _worst_first(names: Sequence[str], margin: np.ndarray, wrong: np.ndarray, sentence: Any) -> Iterator[str]:
    """A sentence for every element that is wrong in some lane, from its worst lane, the worst elements first."""
    flat, wrong = margin.reshape(-1, margin.shape[-1]), wrong.reshape(-1, margin.shape[-1])
    found = np.where(wrong, flat, np.inf)
    order = [element for element in np.argsort(found.min(axis=0), kind="stable") if wrong[:, element].any()]
    for element in order[:_MOST_NAMED]:
        lane = int(np.argmin(found[:, element]))
        yield sentence(names[element], (*map(int, np.unravel_index(lane, margin.shape[:-1])), int(element)))
    if len(order) > _MOST_NAMED:
        yield f"and {len(order) - _MOST_NAMED} more like these"
