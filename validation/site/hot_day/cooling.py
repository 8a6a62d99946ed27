"""Coolers, chillers, air side, CDUs and the facility loop."""

import sys
from types import SimpleNamespace

import numpy as np

from validation.site.hot_day.parts import (
    AIR_HEAT_CAPACITY,
    air_density,
    conductance_of,
    counterflow,
    crossflow,
    friction_drop,
    pump_power,
    valve_drop,
)


def cooler_record(case, water):
    """Conductance and air of one dry cooler from its rating."""
    cooler, pressure = case.dry_coolers, 101325.0
    mean_water = 0.5 * (water.cp(cooler.rated_inlet) + water.cp(cooler.rated_outlet))
    flow = cooler.rated_heat / (mean_water * (cooler.rated_inlet - cooler.rated_outlet))
    air = cooler.rated_air_flow or cooler.rated_fan_power * 0.55 / 180.0
    density = air_density(cooler.rated_dry_bulb, pressure)
    at = 0.5 * (cooler.rated_inlet + cooler.rated_dry_bulb)
    rates = flow * water.cp(at), air * density * AIR_HEAT_CAPACITY
    wanted = cooler.rated_heat / (cooler.rated_inlet - cooler.rated_dry_bulb)
    return SimpleNamespace(
        conductance=conductance_of(wanted, *rates, crossflow), water_flow=flow, air_flow=air, density=density
    )


def chiller_power(heat, water, sink, approach, chiller, part_load):
    """Power of one machine; smooth bounds of the program are corners here."""
    evaporating = min(water - chiller.evaporator_approach, chiller.highest_evaporating)
    condensing = min(sink + approach, chiller.highest_condensing)
    lift = max(condensing - evaporating, chiller.least_lift)
    performance = min(chiller.carnot_fraction * evaporating / lift, chiller.maximum_cop)
    constant, linear, square = part_load
    load = max(heat / chiller.capacity, chiller.least_load, np.sqrt(constant / square))
    return heat / performance * (constant / load + linear + square * load) / (constant + linear + square)


def plant(case, water, mass_flow, back, set_point, coolers, chillers, sink, approach, part_load):
    """Fans and compressors at the least sum of their powers, found by trying."""
    record, cooler, chiller = cooler_record(case, water), case.dry_coolers, case.chillers
    outdoor = case.climate.dry_bulb + cooler.recirculation
    wanted = mass_flow * 0.5 * (water.cp(back) + water.cp(set_point)) * (back - set_point)
    each, density = mass_flow / coolers, air_density(outdoor, case.climate.pressure)
    share = np.clip((chiller.highest_condensing - sink) / approach, 0.0, 1.0)
    capacity = chillers * chiller.capacity * share

    def at(speed):
        air = density * record.air_flow * speed
        ratio = air / (record.density * record.air_flow)
        conductance = record.conductance / (0.7 * ratio**-0.6 + 0.3 * (each / record.water_flow) ** -0.8)
        mean = 0.5 * (back + outdoor)
        per_kelvin = crossflow(conductance, each * water.cp(mean), air * AIR_HEAT_CAPACITY)
        dry = coolers * per_kelvin * (back - outdoor)
        fans = coolers * cooler.rated_fan_power * speed**3 * density / record.density
        taken = min(max(wanted - max(dry, 0.0), 0.0), capacity)
        machine = chillers * chiller_power(taken / chillers, set_point, sink, approach, chiller, part_load)
        short = max(wanted - max(dry, 0.0) - capacity, 0.0)
        return SimpleNamespace(
            speed=speed, dry=min(max(dry, 0.0), wanted), fans=fans, chillers=machine, taken=taken, short=short
        )

    def cost(speed):
        point = at(speed)
        over = max(point.dry + point.taken + point.short - wanted, 0.0)
        return point.fans + point.chillers + 1e3 * point.short + over

    low, high = cooler.minimum_speed, cooler.maximum_speed
    inside = 0.5 * (np.sqrt(5.0) - 1.0)
    for _ in range(60):
        left, right = high - inside * (high - low), low + inside * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    found = at(0.5 * (low + high))
    if found.short > 1e-6 * wanted:
        sys.exit(f"a plant does not hold its set point: {found.short / 1e6:.2f} MW are left")
    return found


def air_side(case, water, heat, condenser_outlet):
    """Coils, chilled water, and the plant behind it."""
    air, rack, pressure = case.air, case.rack, case.climate.pressure
    count = case.building.halls * case.building.rows_per_hall * case.building.racks_per_row
    flow = count * rack.air_flow / air.handlers
    rated_power = air.fan_pressure * air.coil_rated_air_flow / air.fan_efficiency
    fans = air.handlers * rated_power * (flow / air.coil_rated_air_flow) ** 3
    mass = flow * air_density(air.supply_temperature, pressure)
    total = heat + fans
    back = air.supply_temperature + total / (air.handlers * mass * AIR_HEAT_CAPACITY)

    rated_mass = air.coil_rated_air_flow * air_density(air.coil_rated_air_inlet, pressure)
    at = 0.5 * (air.coil_rated_air_inlet + air.coil_rated_water_inlet)
    rates = rated_mass * AIR_HEAT_CAPACITY, air.coil_rated_water_flow * water.cp(at)
    wanted = air.coil_rated_heat / (air.coil_rated_air_inlet - air.coil_rated_water_inlet)
    rated = conductance_of(wanted, *rates, counterflow)
    chilled, mean = air.chilled_water_temperature, 0.5 * (back + air.chilled_water_temperature)
    low, high = 0.01 * air.coil_rated_water_flow, 2.0 * air.coil_rated_water_flow
    for _ in range(70):
        water_flow = 0.5 * (low + high)
        series = 0.7 * (mass / rated_mass) ** -0.6 + 0.3 * (water_flow / air.coil_rated_water_flow) ** -0.8
        carried = counterflow(rated / series, mass * AIR_HEAT_CAPACITY, water_flow * water.cp(mean)) * (back - chilled)
        low, high = (low, water_flow) if carried > total / air.handlers else (water_flow, high)
    share, all_water = water_flow / air.coil_rated_water_flow, air.handlers * water_flow
    pumps = air.chilled_water_pump_pressure * share**2 * all_water / water.rho(chilled)
    pumps = pumps / air.chilled_water_pump_efficiency
    warm = water.rise(chilled, (total + pumps) / all_water)
    centrifugal = (0.17149273, 0.58820208, 0.23737257)
    counts = air.dry_coolers, air.chillers
    found = plant(case, water, all_water, warm, chilled, *counts, condenser_outlet, air.condenser_approach, centrifugal)
    condensed = found.taken + found.chillers
    asked = condensed / (water.cp(condenser_outlet) * air.condenser_water_rise)
    return SimpleNamespace(heat=total, fans=fans, pumps=pumps, plant=found, condensed=condensed, condenser_flow=asked)


def cdu_flow(case, coolant, water, heat, flow, facility_supply):
    """Facility water that one CDU needs to hold the secondary set point."""
    cdu, supply = case.cdu, case.secondary.supply_temperature
    rated_hot = coolant.rise(cdu.facility_supply + cdu.approach, cdu.rated_heat / cdu.secondary_flow)
    at = 0.5 * (rated_hot + cdu.facility_supply)
    rates = cdu.secondary_flow * coolant.cp(at), cdu.facility_flow * water.cp(at)
    rated = conductance_of(cdu.rated_heat / (rated_hot - cdu.facility_supply), *rates, counterflow)
    hot = coolant.rise(supply, heat / flow)
    mean = 0.5 * (hot + facility_supply)
    low, high = 1e-3 * cdu.facility_flow, 4.0 * cdu.facility_flow
    for _ in range(70):
        water_flow = 0.5 * (low + high)
        series = 0.5 * (flow / cdu.secondary_flow) ** -0.7 + 0.5 * (water_flow / cdu.facility_flow) ** -0.7
        per_kelvin = counterflow(rated / series, flow * coolant.cp(mean), water_flow * water.cp(mean))
        low, high = (low, water_flow) if per_kelvin * (hot - facility_supply) > heat else (water_flow, high)
    return water_flow


def facility(case, water, needed, condensers, supply, back):
    """Pressure across the headers, and the pumps: the farthest CDU asks for the most."""
    loop, rows = case.facility, case.building.rows_per_hall
    mean = 0.5 * (supply + back)

    def pipe(flow, kelvin, length, diameter, loss=0.0):
        return friction_drop(flow, water.rho(kelvin), water.mu(kelvin), length, diameter, loop.roughness, loss)

    onward = needed * np.arange(rows - 1, 0, -1)
    way = sum(
        pipe(needed * rows, kelvin, loop.main_length, loop.main_diameter)
        + pipe(onward, kelvin, loop.header_segment, loop.header_diameter).sum()
        for kelvin in (supply, back)
    )
    branch = pipe(needed, mean, loop.branch_length, loop.branch_diameter, loop.branch_loss_coefficient)
    branch = branch + valve_drop(needed, water.rho(mean), loop.balancing_valve)
    branch = branch + case.cdu.facility_pressure_drop * (needed / case.cdu.facility_flow) ** 2

    def at_opening(opening):
        factor = loop.control_valve_rangeability ** (opening - 1.0)
        return way + branch + valve_drop(needed, water.rho(mean), loop.control_valve * factor)

    least = min(loop.least_differential_pressure, loop.differential_pressure)
    pressure = np.clip(at_opening(loop.reset_opening), least, loop.differential_pressure)
    if at_opening(1.0) > pressure:
        sys.exit("a CDU valve is fully open on the hot day")
    total = needed * rows * case.building.halls + condensers
    inside = loop.plant_pressure_drop * (total / (loop.pumps * loop.pump_nominal_flow)) ** 2
    rho = water.rho(back)
    curve = (loop.pump_shutoff_pressure, loop.pump_nominal_flow / rho, loop.pump_nominal_pressure)
    rise, each = pressure + inside, total / loop.pumps / rho
    shaft, electric, speed = pump_power(rise, each, curve, 1.0, loop.pump_nominal_flow / rho, loop)
    return SimpleNamespace(
        flow=total, pressure=pressure, shaft=loop.pumps * shaft, power=loop.pumps * electric, speed=speed
    )
