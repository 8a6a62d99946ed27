"""Industrially inhibited propylene glycol and water by volume fraction (PG25 and its like).

    P(t, x) = sum_j sum_i c[j][i] x^i t^j, i + j <= 5, j <= 3, for rho, cp, ln mu and k;  freezing point sum_i c[i] x^i

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |
| x      | volume fraction of glycol                   | -    |

Source: the tables of ASHRAE Handbook Fundamentals (2001), Physical Properties of Secondary Coolants (after Dow
Chemical), in the correlation that CoolProp 8.0.0 (MIT) carries as `APG`, recast to t and x by
`docs/theory/make_media_coefficients.py` without loss. Concentration counts volume, as the trade does: PG25 is x =
0.25. Valid for x from 0.1 to 0.6, from -35 C or the freezing point to 100 C.
"""

from typing import ClassVar

from jaxtyping import Float

from voltherm.media.fraction import as_fraction
from voltherm.media.liquid import AbstractLiquid, Correlation
from voltherm.media.polynomial import ArrayLike, Coefficient

_ASHRAE = Correlation(
    density=(
        (1000.494695, 138.2285004, -29.69047098, -201.2195728, 357.7158093, -213.9879),
        (-17.90253528, -59.8724427, 20.43480754, -11.9128457, 2.877433),
        (-23.58001467, -10.40695453, 13.50938445, -2.07517),
        (0.03270557225, -0.226147125, 0.3368862),
    ),
    heat_capacity=(
        (4124.370931, -609.5961881, -2539.436891, 4779.158106, -7264.766118, 4054.145),
        (107.6644578, 572.7063333, -125.6124846, 299.43291, -226.2081),
        (-12.31321913, 87.96738547, -181.7705542, 107.9472),
        (4.371520875, -26.107501, 35.38903),
    ),
    log_viscosity=(
        (-6.005681042, -2.264576753, 33.05054978, -43.62279983, -21.09931, 53.50879),
        (-3.383318644, 6.080401049, -76.10260004, 163.1165209, -112.3741),
        (1.237125891, 8.088939633, -1.368018575, -6.572286),
        (-0.3342920375, -3.4776265, 3.230125),
    ),
    conductivity=(
        (0.5561443548, -0.4494321982, -0.322241229, 1.912728454, -3.19428596, 1.891363),
        (0.2147875084, -0.3236998968, 0.001940543438, 0.2226478629, -0.1628752),
        (-0.09576543935, 0.1239326761, -0.0217211138, 0.005476691),
        (-0.0018858358, 0.0148137875, -0.02213073),
    ),
    freezing_temperature=(272.9502306, -32.87067589, 30.91032232, -274.7558777, 261.4023636, -215.9890314),
)


class InhibitedPropyleneGlycolWater(AbstractLiquid):
    """Solution of industrially inhibited propylene glycol in water, the coolant of most racks (PG25 is 0.25).

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
