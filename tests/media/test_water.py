"""Water against IAPWS values typed from the releases' own tables; the wider comparison is a validation case."""

import numpy as np

from voltherm.media import Water


def test_density_and_heat_capacity_of_iapws_97_region_1():
    # IF97 at 300 K and 3 MPa is 0.0010021517 m3/kg; at 3 bar the compressibility 4.5e-10 1/Pa takes 1.2e-3 back
    np.testing.assert_allclose(Water().density(300.0), 1.0 / 0.100215168e-2 * (1.0 - 4.5e-10 * 2.7e6), rtol=1e-4)
    np.testing.assert_allclose(Water().heat_capacity(313.15), 4178.06, rtol=5e-4)


def test_viscosity_and_conductivity_of_the_iapws_releases():
    np.testing.assert_allclose(Water().viscosity(298.15), 889.735e-6, rtol=2e-3)
    np.testing.assert_allclose(Water().conductivity(298.15), 0.6077, rtol=4e-3)


def test_freezes_at_zero_celsius():
    assert float(Water().freezing_temperature()) == 273.15
