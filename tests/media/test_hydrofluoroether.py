import numpy as np

from voltherm.media import HFE7100


def test_maker_relations():
    liquid = HFE7100()
    for celsius in (-20.0, 0.0, 25.0, 55.0):
        temperature = celsius + 273.15
        np.testing.assert_allclose(liquid.density(temperature), 1538.3 - 2.269 * celsius, rtol=1e-13)
        np.testing.assert_allclose(liquid.heat_capacity(temperature), 1133.0 + 2.0 * celsius, rtol=1e-13)
        np.testing.assert_allclose(liquid.conductivity(temperature), 0.073714 - 0.00019548 * celsius, rtol=1e-13)


def test_viscosity_is_the_dynamic_one():
    # the maker gives 0.58 mPa s and 1510 kg/m3 at 25 C, typical values; 0.38 is the kinematic viscosity in mm2/s
    np.testing.assert_allclose(HFE7100().viscosity(298.15), 0.58e-3, rtol=0.06)
