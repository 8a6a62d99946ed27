"""The network from the utility to the loads."""

from types import SimpleNamespace

import numpy as np


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
