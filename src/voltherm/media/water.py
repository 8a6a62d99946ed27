"""Liquid water at the pressure of a cooling loop.

    P(t) = sum_j c[j] t^j for rho, cp, ln mu and k

| symbol | meaning                                     | unit |
|--------|---------------------------------------------|------|
| t      | reduced temperature, (T - 273.15 K) / 100 K | -    |

Source: fitted to IAPWS-95 (Wagner and Pruss, 2002), the IAPWS viscosity (2008) and conductivity (2011) at 3 bar, as
CoolProp 8.0.0 (MIT) evaluates them, by `docs/theory/make_media_coefficients.py`. Largest error of the fit: density
0.003 %, heat capacity 0.005 %, viscosity 0.03 %, conductivity 0.02 %. Valid from 0 to 100 C, 1 to 6 bar (heat
capacity moves by 0.04 % over that pressure, density by 0.02 %).
"""

from typing import ClassVar

from voltherm.media.liquid import AbstractLiquid, Correlation

_IAPWS = Correlation(
    density=(
        (999.9664702,),
        (5.280061922,),
        (-75.90017237,),
        (42.61904552,),
        (-13.5444754,),
    ),
    heat_capacity=(
        (4218.267373,),
        (-324.4799665,),
        (1006.077941,),
        (-1523.061636,),
        (1205.999199,),
        (-367.7769171,),
    ),
    log_viscosity=(
        (-6.325053511,),
        (-3.461884649,),
        (3.337740272,),
        (-3.205792197,),
        (2.060612945,),
        (-0.5807646589,),
    ),
    conductivity=(
        (0.5558965555,),
        (0.2494746172,),
        (-0.2153886967,),
        (0.1347825702,),
        (-0.04755796851,),
    ),
    freezing_temperature=(273.15,),
)


class Water(AbstractLiquid):
    """Liquid water."""

    correlation: ClassVar[Correlation] = _IAPWS
    temperature_range: ClassVar[tuple[float, float]] = (273.15, 373.15)
    fraction_range: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def composition(self) -> float:
        """Zero: nothing is dissolved."""
        return 0.0
