"""Names of racks, units and chips."""

import dataclasses

from voltherm.site import layout


def test_names_follow_the_order_of_the_arrays(site):
    names = layout(site)
    assert names.halls == ("H1", "H2")
    assert names.rows == ("H1-R01", "H1-R02", "H2-R01", "H2-R02")
    assert names.racks[2] == ("H2-R01-K01", "H2-R01-K02")
    assert len(names.compute_trays) == 18
    assert len(names.switch_trays) == 9
    assert names.rack(0, 3, 1) == "H2-R02-K02"
    assert names.cdu(0, 1) == "H1-R02-CDU"
    assert names.device("gpu", 0, 0, 1, 17, 3) == "H1-R01-K02 tray 18 GPU 4"
    assert names.device("cpu", 0, 0, 0, 0, 0) == "H1-R01-K01 tray 01 CPU 1"
    assert names.device("switch", 0, 3, 0, 8, 1) == "H2-R02-K01 switch tray 9 switch 2"


def test_several_buildings_prefix_their_names(site):
    campus = dataclasses.replace(site, building=dataclasses.replace(site.building, count=3))
    names = layout(campus)
    assert names.buildings == ("B1", "B2", "B3")
    assert names.rack(2, 0, 0) == "B3-H1-R01-K01"
    assert names.cdu(1, 3) == "B2-H2-R02-CDU"
    assert names.device("gpu", 1, 0, 0, 0, 0) == "B2-H1-R01-K01 tray 01 GPU 1"
