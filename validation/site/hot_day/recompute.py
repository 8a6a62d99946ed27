"""The hot day of the shipped building once more: own equations in plain NumPy, and none of the package's physics.

    python -m validation.site.hot_day.recompute     prints and writes hot_day.json

The numbers of the case are read by the package's own reader, which knows units and no physics. Everything else is made
here, and made otherwise where that is possible: liquids from a table of CoolProp and not from correlations; fans and
compressors by trying speeds and not by a slope; the network by injected currents and a full matrix and not by Newton;
one loop over the domains until nothing moves. All set points are taken as held; the script ends where one is not.
"""

import json
import sys

import numpy as np

from validation.site.hot_day.cooling import air_side, cdu_flow, facility, plant
from validation.site.hot_day.network import network
from validation.site.hot_day.parts import FOLDER, loss_over_rating, table
from validation.site.hot_day.row import chips, row

CASE = FOLDER.parents[2] / "configs" / "campus" / "abilene_building.yaml"


def recompute(case) -> dict[str, float]:
    """The hot day at the set point."""
    coolant, water = table(case.secondary.fluid), table(case.facility.fluid)
    building, rack, electrical = case.building, case.rack, case.electrical
    if building.count != 1 or rack.load_factor != 1.0:
        sys.exit("this script knows one building at full work")
    rows = building.halls * building.rows_per_hall
    supply = case.secondary.supply_temperature
    facility_supply = supply - case.facility.supply_offset
    shelf, ups = electrical.power_shelf, electrical.ups
    screw = (0.03648722, 0.73474298, 0.21994748)

    nameplate = rack.compute_trays * (rack.gpu.per_tray * rack.gpu.power + rack.cpu.per_tray * rack.cpu.power)
    nameplate += rack.switch_trays * rack.switch.per_tray * rack.switch.power
    wanted = nameplate + rack.air_heat
    output = wanted
    for _ in range(100):
        output = wanted - shelf.rating * loss_over_rating(output / shelf.rating, shelf.load, shelf.efficiency)
    electronics = output - nameplate

    back, facility_back, substations, condenser_rise = supply + 10.0, facility_supply + 10.0, 0.0, 8.0
    mechanical, before = electrical.house_load, 0.0
    for _ in range(60):
        one = row(case, coolant, supply, back)
        compute, switch = one.tray_flow[:, : rack.compute_trays], one.tray_flow[:, rack.compute_trays :]
        gpu = chips(rack.gpu, rack.gpu.per_tray, supply, coolant, compute * one.shares[0])
        cpu = chips(rack.cpu, rack.cpu.per_tray, supply, coolant, compute * one.shares[1])
        switches = chips(rack.switch, rack.switch.per_tray, supply, coolant, switch * one.switch_share)
        liquid = sum(power.sum(axis=(1, 2)) for _, power, _ in (gpu, cpu, switches))
        direct = liquid + electronics
        lost = shelf.rating * loss_over_rating(direct / shelf.rating, shelf.load, shelf.efficiency)
        racks, air_heat = direct + lost, electronics + lost
        row_output = racks.sum() + one.pump_power + case.cdu.electronics
        row_loss = ups.rating * loss_over_rating(row_output / ups.rating, ups.load, ups.efficiency)
        row_power = row_output + row_loss
        back = coolant.rise(supply, liquid.sum() / one.mass_flow)

        room = rows * (air_heat.sum() + row_loss + one.pump_power - one.shaft + case.cdu.electronics) + substations
        air = air_side(case, water, room, facility_supply + condenser_rise)
        condenser_rise = case.air.condenser_water_rise
        heat = liquid.sum() + one.shaft
        needed = cdu_flow(case, coolant, water, heat, one.mass_flow, facility_supply)
        loop = facility(case, water, needed, air.condenser_flow, facility_supply, facility_back)
        into = rows * heat + air.condensed + loop.shaft
        facility_back = water.rise(facility_supply, into / loop.flow)
        outdoor = case.climate.dry_bulb + case.dry_coolers.recirculation
        counts = case.dry_coolers.count, case.chillers.count
        approach = case.chillers.condenser_approach
        trim = plant(case, water, loop.flow, facility_back, facility_supply, *counts, outdoor, approach, screw)

        fans, compressors = trim.fans + air.plant.fans, trim.chillers + air.plant.chillers
        mechanical = loop.power + fans + compressors + air.fans + air.pumps + electrical.house_load
        reactive = row_power * np.sqrt(1.0 - ups.power_factor**2) / ups.power_factor
        power = network(case, row_power, reactive, mechanical)
        substations = power.losses["row substation"]
        if abs(power.intake - before) < 1e-9 * power.intake:
            break
        before = power.intake
    else:
        sys.exit("the loop over the domains does not settle")
    it_power = rows * racks.sum()
    return {
        "it_power": it_power,
        "facility_power": power.intake,
        "pue": power.intake / it_power,
        "liquid_heat": rows * liquid.sum(),
        "air_heat": air.heat,
        "dry_cooler_fan_power": fans,
        "trim_chiller_power": trim.chillers,
        "air_chiller_power": air.plant.chillers,
        "cdu_pump_power": rows * one.pump_power,
        "facility_pump_power": loop.power,
        "air_handler_power": air.fans + air.pumps,
        "ups_loss": rows * row_loss,
        "network_loss": sum(power.losses.values()) - power.losses["intake"],
        "trim_chiller_heat": trim.taken,
        "gpu_temperature": gpu[0].max(),
        "cpu_temperature": cpu[0].max(),
        "switch_temperature": switches[0].max(),
        "work": gpu[2].mean(),
        "return_temperature": back,
        "facility_return_temperature": facility_back,
        "lowest_rack_flow": one.rack_mass_flow.min(),
        "cdu_pump_speed": one.speed,
        "facility_pump_speed": loop.speed,
        "fan_speed": trim.speed,
        "lowest_voltage": power.lowest,
    }


def main() -> None:
    """Recompute the shipped building and keep the figures."""
    from voltherm.formats import configuration

    found = {name: float(value) for name, value in recompute(configuration(CASE)[0]).items()}
    for name, value in found.items():
        print(f"{name:30} {value:.10g}")
    (FOLDER / "hot_day.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
