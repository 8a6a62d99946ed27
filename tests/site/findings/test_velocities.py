"""Velocities in pipes against flow over area by hand."""

import numpy as np
import pytest

from voltherm.site import layout, with_parameters
from voltherm.site.findings.velocities import velocities, velocity_findings

_LIMITS = {"limits.main_velocity": 1.0, "limits.branch_velocity": 20.0}


def _speed(mass_flow, density, diameter):
    return mass_flow / (density * np.pi * diameter**2 / 4.0)


def test_every_kind_of_pipe_by_hand(hot):
    """Densities of water at 45 to 50 °C and of 25 % glycol by tables: 989 and 1,007 kg/m³, within half a per cent."""
    site, solution, _ = hot
    rows, facility = solution.value.buildings.rows, solution.value.buildings.facility
    found = velocities(site, solution.value)
    total, racks = np.asarray(rows.mass_flow), np.asarray(rows.rack_mass_flow)
    headers = np.asarray(found.row_headers)
    # two racks: the first segment of the supply header carries the row, the second one rack; so does the return
    np.testing.assert_allclose(headers[..., 0], _speed(total, 1007.0, 0.070), rtol=5e-3)
    np.testing.assert_allclose(headers[..., 1], _speed(racks[..., 1], 1007.0, 0.070), rtol=5e-3)
    np.testing.assert_allclose(headers[..., 2:], headers[..., :2], rtol=1e-9)
    np.testing.assert_allclose(found.rack_branches, _speed(racks, 1007.0, 0.040), rtol=5e-3)
    cdus = np.asarray(rows.facility_mass_flow)
    np.testing.assert_allclose(found.cdu_branches, _speed(cdus, 989.0, 0.070), rtol=5e-3)
    # two halls of two rows: a main carries two CDUs, a header behind the first row one
    mains, hall_headers = np.asarray(found.mains), np.asarray(found.hall_headers)
    np.testing.assert_allclose(mains[0, :2], _speed(cdus.reshape(2, 2).sum(axis=1), 989.0, 0.100), rtol=5e-3)
    np.testing.assert_allclose(hall_headers[0, :2], _speed(cdus.reshape(2, 2)[:, 1], 989.0, 0.100), rtol=5e-3)
    assert mains.shape == hall_headers.shape == (1, 4)
    assert np.asarray(facility.mass_flow)[0] > cdus.sum()


def test_what_is_too_fast_is_named(hot):
    site, solution, _ = hot
    strict = with_parameters(site, _LIMITS)
    found = velocities(strict, solution.value)
    told = {each.subject: each for each in velocity_findings(strict, found, layout(strict))}
    assert set(told) <= {"rows' headers", "facility mains", "halls' headers"}
    header = told["rows' headers"]
    assert header.value == pytest.approx(np.max(found.row_headers))
    assert header.element.startswith(("supply header S1 of H", "return header R1 of H"))
    assert (header.count, header.total, header.severity) == (8, 16, "practice")
    assert f"8 of 16 pipes of the rows' headers carry coolant at {header.value:.1f} m/s" in header.sentence
    main = told["facility mains"]
    assert main.element in ("H1 supply main", "H1 return main", "H2 supply main", "H2 return main")


def test_nothing_is_said_below_the_limits(hot):
    site, solution, _ = hot
    still = with_parameters(site, dict.fromkeys(_LIMITS, 20.0))
    assert not list(velocity_findings(still, velocities(still, solution.value), layout(still)))
