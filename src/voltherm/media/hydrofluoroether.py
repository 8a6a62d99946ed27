"""HFE-7100, a dielectric hydrofluoroether for immersion and two-phase cooling, as a liquid.

    rho = 1538.3 - 2.269 T    cp = 1133 + 2.00 T    k = 0.073714 - 0.00019548 T    with T in C;  ln mu = sum_j c[j] t^j

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |

Source: the maker's relations (3M Novec 7100 product information) as CoolProp 8.0.0 carries them for `HFE2`. What
CoolProp gives as viscosity there is the kinematic one in mm2/s; the coefficients below are of the dynamic viscosity,
its product with the density. Boils at 61 C at 1 atm. Valid from -40 to 60 C; the maker's typical values at 25 C have
two digits.
"""

from typing import ClassVar

from voltherm.media.liquid import AbstractLiquid, Correlation

_MAKER = Correlation(
    density=(
        (1538.3,),
        (-226.9,),
    ),
    heat_capacity=(
        (1133.0,),
        (200.0,),
    ),
    log_viscosity=(
        (-7.163674804,),
        (-1.52817357,),
        (0.7645171058,),
        (-0.45919673,),
        (0.2050833856,),
    ),
    conductivity=(
        (0.073714,),
        (-0.019548,),
    ),
    freezing_temperature=(138.15,),
)


class HFE7100(AbstractLiquid):
    """Liquid HFE-7100."""

    correlation: ClassVar[Correlation] = _MAKER
    temperature_range: ClassVar[tuple[float, float]] = (233.15, 333.15)
    fraction_range: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def composition(self) -> float:
        """Zero: nothing is dissolved."""
        return 0.0
