"""Propylene glycol and water by mass fraction.

    P(t, x) = sum_j sum_i c[j][i] x^i t^j, i + j <= 5, j <= 3, for rho, cp, ln mu and k;  freezing point sum_i c[i] x^i

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |
| x      | mass fraction of glycol                     | -    |

Source: Melinder, Properties of Secondary Working Fluids for Indirect Systems (IIR, 2010), the 18-term form and
coefficients as CoolProp 8.0.0 (MIT) carries them for `MPG`, recast to t and x by
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
        (1000.241605, 80.39025187, 105.1123741, 15.25149768, -399.9881667, 234.2),
        (3.694385969, -55.43890208, -365.3119349, 602.6027509, -222.1),
        (-65.76994811, 93.31200185, -7.21854349, -71.75),
        (20.77591519, -34.16073312, 33.76),
    ),
    heat_capacity=(
        (4213.540975, -1912.442961, 4995.296723, -14657.80269, 14946.57085, -4959.0),
        (-189.5198833, 3342.201442, -9494.735154, 13794.45444, -7135.0),
        (294.4214502, -2041.189303, 4362.092613, -2950.0),
        (-102.9586512, 451.248194, -487.0),
    ),
    log_viscosity=(
        (-6.316194425, 4.280680158, -3.288715207, 28.29634188, -57.76362062, 35.64),
        (-3.358731319, -2.511577589, -15.93892448, 15.43884284, 4.475),
        (2.358379724, 2.372529121, 13.48129545, -15.89),
        (-0.8700130176, -1.585821317, -0.4465),
    ),
    conductivity=(
        (0.5610542564, -0.4592257508, 0.0190986038, 0.1881542485, -0.2646031905, 0.2104),
        (0.2080743223, -0.6728842661, 0.9122384505, -0.2370821118, -0.3605),
        (-0.08834829731, 0.6028224394, -1.161285363, 0.6543),
        (-0.00122026541, -0.04584371614, 0.09897),
    ),
    freezing_temperature=(273.1249287, -17.71950078, -134.3321081, 328.4701428, -565.8002075, 146.5),
)


class PropyleneGlycolWater(AbstractLiquid):
    """Solution of propylene glycol in water, without inhibitors.

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
