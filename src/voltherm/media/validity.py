"""Is a liquid used where its correlation holds and where it is liquid? Host side, after a solve or before one.

Inside a solve a temperature may pass anywhere on its way, so the polynomials never complain; whoever shows a result
asks here.
"""

import numpy as np
from jaxtyping import Float

from voltherm.media.liquid import AbstractLiquid
from voltherm.media.polynomial import ArrayLike


def check_range(liquid: AbstractLiquid, temperature: Float[ArrayLike, "..."], name: str = "coolant") -> list[str]:
    """Sentences on what is outside the range of the data, or frozen; none means that all is well.

    temperature (...), K; NaN (a failed lane) is left to the solve's own result code. `name` is the user's name of the
    stream.
    """
    sentences = []
    data = f"the data of {type(liquid).__name__}"
    composition = np.asarray(liquid.composition(), dtype=float)
    least, most = liquid.fraction_range
    for value, wrong in ((composition.min(), composition.min() < least), (composition.max(), composition.max() > most)):
        if wrong:
            sentences.append(f"{name}: a fraction of {value:.3g} is outside {least:g} to {most:g}, the range of {data}")
    kelvin = np.asarray(temperature, dtype=float)
    kelvin = kelvin[np.isfinite(kelvin)]
    if kelvin.size == 0:
        return sentences
    coldest, hottest = kelvin.min(), kelvin.max()
    low, high = liquid.temperature_range
    freezing = float(np.max(np.asarray(liquid.freezing_temperature(), dtype=float)))
    if coldest < freezing:
        sentences.append(
            f"{name}: {_celsius(coldest)} is below its freezing point {_celsius(freezing)}: keep it warm or add glycol"
        )
    elif coldest < low:
        sentences.append(f"{name}: {_celsius(coldest)} is below {_celsius(low)}, where {data} begin")
    if hottest > high:
        sentences.append(f"{name}: {_celsius(hottest)} is above {_celsius(high)}, where {data} end")
    return sentences


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} C"
