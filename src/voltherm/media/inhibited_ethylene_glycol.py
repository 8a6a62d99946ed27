"""Industrially inhibited ethylene glycol and water by volume fraction (EG25 and its like).

    P(t, x) = sum_j sum_i c[j][i] x^i t^j, i + j <= 5, j <= 3, for rho, cp, ln mu and k;  freezing point sum_i c[i] x^i

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |
| x      | volume fraction of glycol                   | -    |

Source: the tables of ASHRAE Handbook Fundamentals (2001), Physical Properties of Secondary Coolants (after Dow
Chemical), in the correlation that CoolProp 8.0.0 (MIT) carries as `AEG`, recast to t and x by
`docs/theory/make_media_coefficients.py` without loss. Concentration counts volume, as the trade does: EG25 is x =
0.25. Valid for x from 0.1 to 0.6, from -35 C or the freezing point to 100 C.
"""

from typing import ClassVar

from jaxtyping import Float

from voltherm.media.fraction import as_fraction
from voltherm.media.liquid import AbstractLiquid, Correlation
from voltherm.media.polynomial import ArrayLike, Coefficient

_ASHRAE = Correlation(
    density=(
        (1002.583367, 147.2011069, 217.3972163, -856.29708, 1268.117562, -693.3962),
        (-20.25868969, -20.16250362, -21.12514254, 17.8776832, -6.817576),
        (-22.60359366, -9.69996349, 16.8184355, -8.979712),
        (-0.90731744, 4.1185988, -4.391164),
    ),
    heat_capacity=(
        (4073.64176, -1082.703271, -3707.427088, 10071.53449, -14528.44212, 7905.301),
        (114.9212751, 619.2381264, -241.2977853, 207.989243, -66.89394),
        (-1.034662469, -10.3922819, 51.60748775, -53.59818),
        (2.916140825, -12.394146, 14.19543),
    ),
    log_viscosity=(
        (-7.186905075, 16.7416658, -93.03948375, 298.5381048, -446.9950435, 252.8586),
        (-2.409062774, -3.992663048, -9.467107195, 32.408609, -26.51482),
        (0.2765941385, 12.11705993, -11.1375094, -2.4771),
        (0.51719194, -8.7267408, 9.973464),
    ),
    conductivity=(
        (0.5550639724, -0.4324911035, -0.2277253125, 1.450203732, -2.186178861, 1.192263),
        (0.2189016384, -0.3292951143, 0.1535824275, -0.0068718415, -0.02372089),
        (-0.1071147431, 0.1998069696, -0.1521945958, 0.05716025),
        (0.005888192225, -0.028398732, 0.03179827),
    ),
    freezing_temperature=(273.3796111, -24.87602766, -190.3617195, 693.6080806, -1569.292411, 1090.160109),
)


class InhibitedEthyleneGlycolWater(AbstractLiquid):
    """Solution of industrially inhibited ethylene glycol in water.

    volume_fraction (...): glycol over solution, between 0 and 1. A number is a constant; an array, scalar
    or of the shape of the temperatures, may be traced.
    """

    volume_fraction: Coefficient

    correlation: ClassVar[Correlation] = _ASHRAE
    temperature_range: ClassVar[tuple[float, float]] = (238.15, 373.15)
    fraction_range: ClassVar[tuple[float, float]] = (0.1, 0.6)

    def __init__(self, volume_fraction: Float[ArrayLike, "..."]):
        self.volume_fraction = as_fraction(volume_fraction)

    def composition(self) -> Coefficient:
        """Volume fraction of glycol; (...)."""
        return self.volume_fraction
