"""Is a liquid used where its correlation holds and where it is liquid? Host side, after a solve or before one.

Inside a solve a temperature may pass anywhere on its way, so the polynomials never complain; whoever shows a result
asks here.
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from voltherm.media.liquid import AbstractLiquid
from voltherm.media.polynomial import ArrayLike
from voltherm.media.vapour_pressure import vapour_pressure

What = Literal["fraction", "frozen", "near freezing", "cold", "hot", "boiling"]


class OutsideRange(NamedTuple):
    """One thing that is wrong with a stream: what, its value and the bound it passes (SI), and a sentence.

    `value` and `bound` are fractions, temperatures [K], or pressures [Pa] where it boils: the stream's lowest pressure
    and its vapour pressure.
    """

    what: What
    value: float
    bound: float
    sentence: str


def outside_range(
    liquid: AbstractLiquid,
    temperature: Float[ArrayLike, "..."],
    name: str = "coolant",
    *,
    freezing_margin: float = 0.0,
    pressure: Float[ArrayLike, "..."] | None = None,
) -> list[OutsideRange]:
    """What is outside the range of the data, frozen or boiling; none means that all is well.

    **Arguments**

    - `temperature`: (...), K; NaN (a failed lane) is left to the solve's own result code
    - `name`: the user's name of the stream
    - `freezing_margin`: kept above the freezing point [K]
    - `pressure`: absolute pressures of the stream [Pa], of which the lowest counts; None judges no boiling
    """
    found = []
    data = f"the data of {type(liquid).__name__}"
    composition = np.asarray(liquid.composition(), dtype=float)
    least, most = liquid.fraction_range
    for value, bound, wrong in (
        (composition.min(), least, composition.min() < least),
        (composition.max(), most, composition.max() > most),
    ):
        if wrong:
            sentence = f"{name}: a fraction of {value:.3g} is outside {least:g} to {most:g}, the range of {data}"
            found.append(OutsideRange("fraction", float(value), bound, sentence))
    kelvin = np.asarray(temperature, dtype=float)
    kelvin = kelvin[np.isfinite(kelvin)]
    if kelvin.size == 0:
        return found
    coldest, hottest = float(kelvin.min()), float(kelvin.max())
    low, high = liquid.temperature_range
    freezing = float(np.max(np.asarray(liquid.freezing_temperature(), dtype=float)))
    if coldest < freezing:
        sentence = f"{name}: {_celsius(coldest)} is below its freezing point {_celsius(freezing)}"
        found.append(OutsideRange("frozen", coldest, freezing, f"{sentence}: keep it warm or add glycol"))
    elif coldest < freezing + freezing_margin:
        sentence = (
            f"{name}: {_celsius(coldest)} is less than {freezing_margin:g} K above its freezing point "
            f"{_celsius(freezing)}: keep it warm or add glycol"
        )
        found.append(OutsideRange("near freezing", coldest, freezing + freezing_margin, sentence))
    elif coldest < low:
        sentence = f"{name}: {_celsius(coldest)} is below {_celsius(low)}, where {data} begin"
        found.append(OutsideRange("cold", coldest, low, sentence))
    if hottest > high:
        sentence = f"{name}: {_celsius(hottest)} is above {_celsius(high)}, where {data} end"
        found.append(OutsideRange("hot", hottest, high, sentence))
    if pressure is not None:
        found += _boiling(liquid, hottest, pressure, name)
    return found


def _boiling(
    liquid: AbstractLiquid, hottest: float, pressure: Float[ArrayLike, "..."], name: str
) -> list[OutsideRange]:
    lowest, vapour = float(np.nanmin(np.asarray(pressure, dtype=float))), float(vapour_pressure(liquid, hottest))
    if not lowest <= vapour:
        return []
    sentence = (
        f"{name}: boils, for its vapour pressure at {_celsius(hottest)} is {vapour / 1e3:.3g} kPa and its lowest "
        f"absolute pressure {lowest / 1e3:.3g} kPa: cool it or raise the pressure that its vessel holds"
    )
    return [OutsideRange("boiling", lowest, vapour, sentence)]


def check_range(
    liquid: AbstractLiquid,
    temperature: Float[ArrayLike, "..."],
    name: str = "coolant",
    *,
    freezing_margin: float = 0.0,
    pressure: Float[ArrayLike, "..."] | None = None,
) -> list[str]:
    """The sentences of `outside_range`, with the same arguments."""
    found = outside_range(liquid, temperature, name, freezing_margin=freezing_margin, pressure=pressure)
    return [each.sentence for each in found]


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} C"
