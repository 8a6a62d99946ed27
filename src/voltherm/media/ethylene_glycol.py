"""Ethylene glycol and water by mass fraction.

    P(t, x) = sum_j sum_i c[j][i] x^i t^j, i + j <= 5, j <= 3, for rho, cp, ln mu and k;  freezing point sum_i c[i] x^i

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |
| x      | mass fraction of glycol                     | -    |

Source: Melinder, Properties of Secondary Working Fluids for Indirect Systems (IIR, 2010), the 18-term form and
coefficients as CoolProp 8.0.0 (MIT) carries them for `MEG`, recast to t and x by
`docs/theory/make_media_coefficients.py` without loss. Glycol and water alone, no inhibitors. Valid for x from 0 to
0.6, from the freezing point to 40 C where Melinder's data end; to 100 C the form is extrapolated as CoolProp does.
Another source of the same solution differs by 3 % in viscosity: ask no more than that of a comparison with a plant.
"""

from typing import ClassVar

from jaxtyping import Float

from voltherm.media.fraction import as_fraction
from voltherm.media.liquid import AbstractLiquid, Correlation
from voltherm.media.polynomial import ArrayLike, Coefficient

_MELINDER = Correlation(
    density=(
        (999.2662729, 137.8942149, 47.44292667, 145.0125956, -621.783213, 489.1),
        (0.191719995, -31.49853459, -474.1601112, 1085.792561, -721.1),
        (-50.67203205, 67.43048108, 19.326337, -115.3),
        (8.944012707, -29.04515368, 49.82),
    ),
    heat_capacity=(
        (4210.578939, -1900.800177, 3072.318578, -16481.55418, 27846.99596, -16180.0),
        (-170.7624803, 2196.003918, -3481.780804, 6194.680736, -4272.0),
        (261.2927157, -1635.608015, 2710.73259, -1643.0),
        (-87.50451047, 458.8303512, -713.8),
    ),
    log_viscosity=(
        (-6.332729365, 2.422859036, 5.085877967, -18.87197433, 31.27214182, -18.65),
        (-3.256251429, -2.244985816, 1.602635358, -4.521692968, 1.831),
        (2.274881987, -0.683515562, 3.454320682, 4.063),
        (-0.8789616072, 2.3605829, -6.475),
    ),
    conductivity=(
        (0.5612071282, -0.3632590286, -0.220422049, 0.6649499861, -0.626295658, 0.2678),
        (0.2079511085, -0.5771638385, 0.9086716503, -0.810525988, 0.2555),
        (-0.09220573098, 0.4677832927, -0.7542355704, 0.4004),
        (0.002983905289, -0.0260102526, 0.02365),
    ),
    freezing_temperature=(273.1502851, -30.61426355, -11.82565621, -186.208145, 83.017666, 11.4),
)


class EthyleneGlycolWater(AbstractLiquid):
    """Solution of ethylene glycol in water, without inhibitors.

    mass_fraction (...): glycol over solution, between 0 and 1. A number is a constant; an array, scalar
    or of the shape of the temperatures, may be traced.
    """

    mass_fraction: Coefficient

    correlation: ClassVar[Correlation] = _MELINDER
    temperature_range: ClassVar[tuple[float, float]] = (238.15, 373.15)
    fraction_range: ClassVar[tuple[float, float]] = (0.0, 0.6)

    def __init__(self, mass_fraction: Float[ArrayLike, "..."]):
        self.mass_fraction = as_fraction(mass_fraction)

    def composition(self) -> Coefficient:
        """Mass fraction of glycol; (...)."""
        return self.mass_fraction
