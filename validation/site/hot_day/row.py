"""One row: the flow through its racks and trays, and the chips on their plates."""

import sys
from types import SimpleNamespace

import numpy as np

from validation.site.hot_day.parts import friction_drop, pump_power, table

LITRE_PER_MINUTE = 1e-3 / 60.0


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
