"""The validation folders of this domain pass, and a wrong reference does not."""

import shutil

import pytest

from voltherm.study.validation import run_case


@pytest.mark.parametrize("name", ["case9", "frontier_power_chain", "site_equipment"])
def test_case_passes(project_root, name):
    rows = run_case(project_root / "validation", f"power/{name}")
    assert rows
    assert not [row for row in rows if not row.passed]


def test_wrong_reference_fails(project_root, tmp_path):
    folder = tmp_path / "power" / "frontier_power_chain"
    shutil.copytree(project_root / "validation" / "power" / "frontier_power_chain", folder)
    record = folder / "frontier_power_chain.json"
    record.write_text(record.read_text().replace("28.2279", "28.2379"))
    failed = [row.quantity for row in run_case(tmp_path, "power/frontier_power_chain") if not row.passed]
    assert failed == ["peak total power, relative"]
