"""The hot day of the shipped building once more: own equations in plain NumPy, and none of the package's physics.

    python validation/site/hot_day/recompute.py     prints and writes hot_day.json

The numbers of the case are read by the package's own reader, which knows units and no physics. Everything else is made
here, and made otherwise where that is possible: liquids from a table of CoolProp and not from correlations; fans and
compressors by trying speeds and not by a slope; the network by injected currents and a full matrix and not by Newton;
one loop over the domains until nothing moves. All set points are taken as held; the script ends where one is not.
"""

import csv
import functools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

FOLDER = Path(__file__).resolve().parent
CASE = FOLDER.parents[2] / "configs" / "campus" / "abilene_building.yaml"
ZERO = 273.15
AIR_GAS_CONSTANT = 287.05
AIR_HEAT_CAPACITY = 1006.5  # J/(kg K), of dry air between 20 and 60 C
LITRE_PER_MINUTE = 1e-3 / 60.0


class Table:
    """A liquid of `liquids.csv`: cubic interpolation between rows 5 K apart."""

    def __init__(self, name: str):
        with (FOLDER / "liquids.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["liquid"] == name]
        if not rows:
            sys.exit(f"liquids.csv has no liquid '{name}': add it with CoolProp")
        self.celsius = np.array([float(row["celsius"]) for row in rows])
        self.columns = {key: np.array([float(row[key]) for row in rows]) for key in ("rho", "cp", "mu", "k")}

    def _read(self, key: str, kelvin):
        celsius = np.asarray(kelvin) - ZERO
        if np.any(celsius < self.celsius[0]) or np.any(celsius > self.celsius[-1]):
            raise ValueError("outside the table of the liquid")
        values = np.log(self.columns[key]) if key == "mu" else self.columns[key]
        first = np.clip(np.searchsorted(self.celsius, celsius) - 2, 0, len(values) - 4)
        found = np.zeros_like(celsius)
        for one in range(4):
            weight = np.ones_like(celsius)
            for other in range(4):
                if other != one:
                    gap = self.celsius[first + one] - self.celsius[first + other]
                    weight = weight * (celsius - self.celsius[first + other]) / gap
            found = found + weight * values[first + one]
        return np.exp(found) if key == "mu" else found

    def rho(self, kelvin):
        return self._read("rho", kelvin)

    def cp(self, kelvin):
        return self._read("cp", kelvin)

    def mu(self, kelvin):
        return self._read("mu", kelvin)

    def k(self, kelvin):
        return self._read("k", kelvin)

    def rise(self, kelvin, joules_per_kilogram):
        """Temperature after taking up heat, with the mean heat capacity on the way (Simpson)."""
        after = kelvin + joules_per_kilogram / self.cp(kelvin)
        for _ in range(8):
            mean = (self.cp(kelvin) + 4.0 * self.cp(0.5 * (kelvin + after)) + self.cp(after)) / 6.0
            after = kelvin + joules_per_kilogram / mean
        return after


table = functools.cache(Table)


def loss_over_rating(load, loads, efficiencies):
    """Loss over rating of a converter from its efficiencies: monotone cubics of Fritsch and Butland."""
    loads, losses = np.asarray(loads), np.asarray(loads) * (1.0 / np.asarray(efficiencies) - 1.0)
    width, secant = np.diff(loads), np.diff(losses) / np.diff(loads)
    slopes = np.concatenate([secant[:1], np.zeros(len(loads) - 2), secant[-1:]])
    for knot in range(1, len(loads) - 1):
        if secant[knot - 1] * secant[knot] > 0.0:
            left, right = 2.0 * width[knot] + width[knot - 1], width[knot] + 2.0 * width[knot - 1]
            slopes[knot] = (left + right) / (left / secant[knot - 1] + right / secant[knot])
    piece = np.clip(np.searchsorted(loads, load) - 1, 0, len(width) - 1)
    step, t = width[piece], (load - loads[piece]) / width[piece]
    start, end = losses[piece], losses[piece + 1]
    bend = slopes[piece] * step * t * (1.0 - t) ** 2 - slopes[piece + 1] * step * t**2 * (1.0 - t)
    return start + (end - start) * t**2 * (3.0 - 2.0 * t) + bend


def friction_drop(flow, rho, mu, length, diameter, roughness, loss=0.0):
    """Darcy and Weisbach, with Colebrook's factor by repeated substitution."""
    area = 0.25 * np.pi * diameter**2
    speed = np.abs(flow) / (rho * area)
    reynolds = np.maximum(rho * speed * diameter / mu, 4000.0)
    inverse = 7.0 * np.ones_like(reynolds)
    for _ in range(25):
        inverse = -2.0 * np.log10(roughness / (3.7 * diameter) + 2.51 * inverse / reynolds)
    return (length / diameter / inverse**2 + loss) * 0.5 * rho * speed**2


def valve_drop(flow, rho, coefficient):
    """IEC 60534-2-1 for a coefficient Kv in m3/h."""
    return 1e5 * rho / 1000.0 * (3600.0 * flow / (rho * coefficient)) ** 2


def counterflow(conductance, one, other):
    """Heat per kelvin between the inlets."""
    least, ratio = np.minimum(one, other), np.minimum(one, other) / np.maximum(one, other)
    units = conductance / least
    decay = np.exp(-units * (1.0 - ratio))
    return least * np.where(ratio > 1.0 - 1e-9, units / (1.0 + units), (1.0 - decay) / (1.0 - ratio * decay))


def crossflow(conductance, one, other):
    """The same with both streams unmixed, by the usual approximation (Incropera, eq. 11.32)."""
    least, ratio = np.minimum(one, other), np.minimum(one, other) / np.maximum(one, other)
    units = conductance / least
    return least * (1.0 - np.exp(units**0.22 / ratio * (np.exp(-ratio * units**0.78) - 1.0)))


def conductance_of(heat_per_kelvin, one, other, law):
    """The conductance that gives a rated heat per kelvin, by bisection."""
    low, high = 0.0, 50.0 * min(one, other)
    for _ in range(70):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if law(middle, one, other) < heat_per_kelvin else (low, middle)
    return middle


def air_density(kelvin, pressure):
    return pressure / (AIR_GAS_CONSTANT * kelvin)


# ---------------------------------------------------------------------------------------------------------- the row


def plate_resistance(plate, flow, liquid, kelvin):
    """Case to inlet: half of the coolant's warming, conduction and convection, never colder than its own coolant."""
    reference = table(plate.plate_coolant)
    tested = plate.plate_coolant_temperature
    conductor = reference.k(tested) / liquid.k(kelvin)
    carrier = reference.rho(tested) * reference.cp(tested) / (liquid.rho(kelvin) * liquid.cp(kelvin))
    power = plate.plate_flow_exponent
    convection = plate.plate_flow_resistance * conductor ** (1.0 - power) * carrier**power
    rate = liquid.rho(kelvin) * liquid.cp(kelvin) * flow
    asked = 0.5 + rate * (plate.plate_base_resistance + convection * (flow / LITRE_PER_MINUTE) ** -power)
    return 0.5 * (asked + 1.0 + np.sqrt((asked - 1.0) ** 2 + 0.14**2)) / rate


def plate_drop_coefficient(plate, liquid, kelvin):
    """Pa per (m3/s)^1.85."""
    reference, tested = table(plate.plate_coolant), plate.plate_coolant_temperature
    scale = (liquid.rho(kelvin) / reference.rho(tested)) ** 0.85 * (liquid.mu(kelvin) / reference.mu(tested)) ** 0.15
    return plate.plate_nominal_pressure_drop * scale / plate.plate_nominal_flow**1.85


def chips(device, count, supply, liquid, flow):
    """Temperature, power and work of the chips of a tray, hottest first, each behind its own plate."""
    spread = np.linspace(1.0, -1.0, count) if count > 1 else np.zeros(1)
    nameplate = device.power * (1.0 + device.power_spread * spread)
    idle = max(device.idle_power, device.leakage_fraction)
    resistance = (
        plate_resistance(device, flow, liquid, supply)[..., None]
        + device.interface_resistance / device.interface_area
        + device.package_resistance
    )
    limit = device.power_limit * device.power
    hold = device.junction_limit + device.throttle_above_limit

    def leakage(kelvin):
        return device.leakage_fraction * nameplate * np.exp((kelvin - device.leakage_reference) / device.leakage_scale)

    fixed = (idle - device.leakage_fraction) * nameplate
    dynamic = (1.0 - idle) * nameplate
    kelvin = supply + resistance * nameplate
    for _ in range(60):
        asked = fixed + dynamic + leakage(kelvin)
        drawn = np.minimum(asked, limit)
        kelvin = supply + resistance * drawn
    if np.any(kelvin > hold):
        sys.exit("a chip throttles on the hot day: this script knows none that do")
    return kelvin, drawn, np.where(asked > limit, (limit - fixed - leakage(kelvin)) / dynamic, 1.0)


def row(case, liquid, supply, back):
    """Flows of a row: racks one after the other along the headers, their trays side by side."""
    rack, secondary, racks = case.rack, case.secondary, case.building.racks_per_row
    mean = 0.5 * (supply + back)
    rho, trays = liquid.rho(mean), rack.compute_trays + rack.switch_trays

    def share(kinds):
        """Of one plate of each kind in its tray, and the tray's coefficient."""
        pieces = [(device, plate_drop_coefficient(device, liquid, mean)) for device in kinds]
        total = sum(device.per_tray * coefficient ** (-1.0 / 1.85) for device, coefficient in pieces)
        return [coefficient ** (-1.0 / 1.85) / total for _, coefficient in pieces], total**-1.85

    shares, compute = share([rack.gpu, rack.cpu])
    switch_share, switch = share([rack.switch])
    farther = 1.0 + rack.tray_maldistribution * np.linspace(0.0, 1.0, trays)
    plates = np.repeat([compute, switch], [rack.compute_trays, rack.switch_trays]) * farther
    couplings = rack.tray_nominal_pressure_drop * farther / rack.tray_nominal_flow**2

    def tray_flows(drop):
        flow = np.full((len(drop), trays), rack.tray_nominal_flow)
        for _ in range(8):
            excess = plates * flow**1.85 + couplings * flow**2 - drop[:, None]
            flow = flow - excess / (1.85 * plates * flow**0.85 + 2.0 * couplings * flow)
        return flow

    branch_area = 0.25 * np.pi * secondary.branch_diameter**2
    fittings = secondary.branch_loss_coefficient * 0.5 * rho * (rack.manifold_nominal_flow / branch_area) ** 2
    manifold = (rack.manifold_nominal_pressure_drop + fittings) / rack.manifold_nominal_flow**2

    def header(flow, kelvin):
        properties = (liquid.rho(kelvin), liquid.mu(kelvin))
        size = (secondary.header_segment, secondary.header_diameter, secondary.header_roughness)
        return friction_drop(flow, *properties, *size)

    flows = np.full(racks, rack.manifold_nominal_flow)
    for _ in range(45):
        onward = np.cumsum(flows[::-1])[::-1] * rho
        lost = np.cumsum(header(onward, supply) + header(onward, back))
        drop = np.maximum(secondary.differential_pressure - lost - manifold * flows**2, 1.0)
        flows = 0.5 * flows + 0.5 * tray_flows(drop).sum(axis=1)
    flow = flows.sum() * rho
    at_pump = liquid.rho(back)
    curve = (secondary.pump_shutoff_pressure, secondary.pump_nominal_flow / rho, secondary.pump_nominal_pressure)
    inside = secondary.cdu_pressure_drop * (flow / secondary.pump_nominal_flow) ** 2
    best = secondary.pump_nominal_flow / at_pump
    shaft, electric, speed = pump_power(
        secondary.differential_pressure + inside, flow / at_pump, curve, at_pump / rho, best, secondary
    )
    return SimpleNamespace(
        mass_flow=flow,
        rack_mass_flow=flows * rho,
        tray_flow=tray_flows(drop) * rho / liquid.rho(supply),
        shares=shares,
        switch_share=switch_share[0],
        shaft=shaft,
        pump_power=electric,
        speed=speed,
    )


def pump_power(rise, volume_flow, curve, heavier, best, numbers):
    """Shaft and electric power and speed of one pump; `heavier`: density over that of its curve."""
    shutoff, flow, pressure = curve
    speed = np.sqrt(rise / heavier / shutoff + (shutoff - pressure) / shutoff * (volume_flow / flow) ** 2)
    if speed > 1.0:
        sys.exit("a pump does not hold its set point")
    relative = volume_flow / (speed * best)
    efficiency = numbers.pump_efficiency * relative * (2.0 - relative)
    shaft = rise * volume_flow / efficiency
    return shaft, shaft / numbers.motor_efficiency, speed


# ------------------------------------------------------------------------------------------------------- the cooling


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


# ------------------------------------------------------------------------------------------------------- the network


def network(case, row_power, row_reactive, mechanical):
    """Voltages by injected currents and the inverse of the full admittance matrix; slack behind the short circuit."""
    electrical, building = case.electrical, case.building
    base, rows = electrical.base_power, building.halls * building.rows_per_hall
    branches: list[tuple[str, int, int, complex, complex, float]] = []
    buses = 2

    def transformer(kind, start, end, rating):
        per = base / rating.rating
        resistance = rating.vkr * per
        reactance = np.sqrt((rating.vk * per) ** 2 - resistance**2)
        conductance = rating.no_load_loss / base
        susceptance = -np.sqrt((rating.no_load_current / per) ** 2 - conductance**2)
        branches.append((kind, start, end, resistance + 1j * reactance, conductance + 1j * susceptance, rating.tap))

    def cable(kind, start, end, length):
        feeder, impedance = electrical.feeder, electrical.distribution_voltage**2 / base
        series = (feeder.resistance + 1j * feeder.reactance) * length / impedance
        charging = 2j * np.pi * electrical.frequency * feeder.capacitance * length * impedance
        branches.append((kind, start, end, series, charging, 1.0))

    reactance = base / electrical.intake_short_circuit
    source = reactance / np.sqrt(1.0 + 15.0**-2)
    branches.append(("intake", 0, 1, source / 15.0 + 1j * source, 0.0, 1.0))
    gears = []
    for _ in range(electrical.main_transformers):
        gears.append(buses)
        transformer("main", 1, buses, electrical.main_transformer)
        buses += 1

    def chains(kind, count, feeders, rating):
        nonlocal buses
        low = []
        for feeder in range(feeders):
            upstream, length = gears[feeder % len(gears)], electrical.feeder.length
            for _ in range(feeder * count // feeders, (feeder + 1) * count // feeders):
                cable(f"{kind} cable", upstream, buses, length)
                transformer(f"{kind} substation", buses, buses + 1, rating)
                low.append(buses + 1)
                upstream, length, buses = buses, electrical.feeder.segment, buses + 2
        return low

    row_bus = chains("row", rows, electrical.feeders, electrical.unit_substation)
    stations = electrical.mechanical_substations
    motor_bus = chains("mechanical", stations, electrical.mechanical_feeders, electrical.mechanical_substation)
    matrix = np.zeros((buses, buses), complex)
    for _, start, end, series, shunt, tap in branches:
        own = 1.0 / series + 0.5 * shunt
        matrix[start, start] += own / tap**2
        matrix[end, end] += own
        matrix[start, end] -= 1.0 / series / tap
        matrix[end, start] -= 1.0 / series / tap
    inverse = np.linalg.inv(matrix[1:, 1:])
    slack = electrical.intake_set_point
    constant = np.zeros(buses, complex)
    constant[row_bus] = row_power + 1j * row_reactive
    motors = electrical.motors
    motor = mechanical / stations * (1.0 + 1j * np.sqrt(1.0 - motors.power_factor**2) / motors.power_factor)
    voltage = np.full(buses, slack, complex)
    for _ in range(60):
        size = np.abs(voltage[motor_bus])
        drawn = constant.copy()
        rest = 1.0 - motors.impedance_share - motors.current_share
        drawn[motor_bus] = motor * (rest + motors.current_share * size + motors.impedance_share * size**2)
        current = -np.conj(drawn / base / voltage)
        voltage[1:] = inverse @ (current[1:] - matrix[1:, 0] * slack)
    injected = np.conj(matrix @ voltage) * voltage * base
    losses: dict[str, float] = {}
    for kind, start, end, series, shunt, tap in branches:
        own = 1.0 / series + 0.5 * shunt
        one = own * voltage[start] / tap**2 - voltage[end] / series / tap
        other = own * voltage[end] - voltage[start] / series / tap
        lost = (voltage[start] * np.conj(one) + voltage[end] * np.conj(other)).real * base
        losses[kind] = losses.get(kind, 0.0) + lost
    to_intake = injected[0].real - losses["intake"]
    return SimpleNamespace(
        intake=to_intake,
        losses=losses,
        lowest=np.abs(voltage[row_bus + motor_bus]).min(),
        motors=drawn[motor_bus].real.sum(),
    )


# -------------------------------------------------------------------------------------------------------- everything


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
