"""Liquids from a table, and the laws of pipes, exchangers, pumps and converters."""

import csv
import functools
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
ZERO = 273.15
AIR_GAS_CONSTANT = 287.05
AIR_HEAT_CAPACITY = 1006.5  # J/(kg K), of dry air between 20 and 60 C


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
