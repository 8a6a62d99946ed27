"""One number of the site at an end of its allowed range: an answer that balances, or none."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.site.conftest import solve
from voltherm.formats.schema import fields
from voltherm.formats.schema_site import SITE
from voltherm.numerics import ResultCode
from voltherm.site import parameter_paths, with_parameters
from voltherm.site.balances import CLOSED
from voltherm.site.fluids import liquid_named

BALANCES = ("heat_residual", "mass_residual", "power_residual", "site_residual")
TELLING = {
    # the water could not take the heat of the air: room air of 1e14 K, heat that went nowhere
    ("rack.air_flow", 0),
    ("air.coil_rated_water_flow", 0),
    ("air.coil_rated_air_inlet", 0),
    ("air.coil_rated_water_inlet", 1),
    # nearly all of what the CDU's facility water can take is taken
    ("rack.load_factor", 0),
    ("rack.gpu.power", 0),
    ("facility.main_length", 1),
}


def ends(site) -> dict[tuple[str, int], float]:
    """Both ends of every scalar number's range, in SI, by path."""
    table = fields(SITE)
    found = {}
    for path in parameter_paths(site):
        if path in table and table[path].kind == "quantity" and not table[path].static:
            for end, value in enumerate(table[path].limits()):
                if value is not None:
                    found[path, end] = value
    return found


def check(site, path: str, value: float) -> ResultCode:
    there = with_parameters(site, {path: value})
    solution, figures = solve(there)
    code = ResultCode(int(solution.status.result))
    if code != ResultCode.CONVERGED:
        assert np.isnan(figures["facility_power"])
        return code
    for name in BALANCES:
        assert figures[name] < CLOSED, f"{path} = {value}: {name} {figures[name]:.1e}"
    coolant, rows = liquid_named(there.secondary.fluid), solution.value.buildings.rows
    pumped = coolant.specific_enthalpy(rows.return_temperature) + rows.pump_shaft_power / rows.mass_flow
    approach = coolant.temperature_at_enthalpy(pumped) - rows.facility_return_temperature
    assert jnp.min(approach) > 0.0, f"{path} = {value}: facility water leaves a CDU warmer than its coolant enters"
    return code


@pytest.mark.parametrize("number", sorted(TELLING), ids=lambda number: f"{number[0]} {('min', 'max')[number[1]]}")
def test_an_answer_balances_or_is_none(site, number):
    check(site, number[0], ends(site)[number])


@pytest.mark.soak
def test_all_ends(site):
    codes = [check(site, path, value) for (path, _), value in ends(site).items()]
    assert codes.count(ResultCode.CONVERGED) > 0.7 * len(codes)
