"""Checks of `voltherm.media` against property tables; every error is the largest over the rows compared.

Relative errors are |value / reference - 1|, temperatures are compared in K.
"""

import csv
import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from voltherm.media import AbstractLiquid, Water, dry_air, liquid, moist_air
from voltherm.study.validation import case_file

_WATER_DENSITY = 1000.0


def fluid_table(folder: Path, table: str, fluids: list[dict[str, Any]]) -> dict[str, float]:
    """Relative errors of density, heat capacity, viscosity and conductivity, and of the way back from enthalpy (K).

    `table`: CSV with columns fluid, T_C, rho_kg_m3, cp_J_kgK, mu_Pa_s, k_W_mK. `fluids`: which of its fluids is which
    liquid, each `{fluid, liquid}` and where needed `fraction` and `basis`; `viscosity: kinematic` says that the column
    holds mm2/s times 1e-3, as CoolProp has it for HFE-7100.
    """
    rows = _read(folder, table)
    errors: dict[str, float] = {}
    for entry in fluids:
        medium = liquid(entry["liquid"], entry.get("fraction"), entry.get("basis"))
        chosen = [row for row in rows if row["fluid"] == entry["fluid"]]
        if not chosen:
            raise ValueError(f"no rows of '{entry['fluid']}' in {table}")
        _keep_larger(errors, _liquid_errors(medium, chosen, kinematic=entry.get("viscosity") == "kinematic"))
    return errors


def _liquid_errors(medium: AbstractLiquid, rows: list[dict[str, str]], *, kinematic: bool) -> dict[str, float]:
    temperature = jnp.asarray(_column(rows, "T_C") + 273.15)
    viscosity = _column(rows, "mu_Pa_s")
    if kinematic:
        viscosity = viscosity * _column(rows, "rho_kg_m3") / _WATER_DENSITY
    back = medium.temperature_at_enthalpy(medium.specific_enthalpy(temperature))
    return {
        "density": _relative(medium.density(temperature), _column(rows, "rho_kg_m3")),
        "heat capacity": _relative(medium.heat_capacity(temperature), _column(rows, "cp_J_kgK")),
        "viscosity": _relative(medium.viscosity(temperature), viscosity),
        "conductivity": _relative(medium.conductivity(temperature), _column(rows, "k_W_mK")),
        "temperature from enthalpy": _absolute(back, np.asarray(temperature)),
    }


def air_table(folder: Path, table: str) -> dict[str, float]:
    """Relative errors of dry air; CSV with columns T_C, p_Pa, rho_kg_m3, cp_J_kgK, mu_Pa_s, k_W_mK."""
    rows = _read(folder, table)
    temperature, pressure = jnp.asarray(_column(rows, "T_C") + 273.15), jnp.asarray(_column(rows, "p_Pa"))
    return {
        "density": _relative(dry_air.density(temperature, pressure), _column(rows, "rho_kg_m3")),
        "heat capacity": _relative(dry_air.heat_capacity(temperature), _column(rows, "cp_J_kgK")),
        "viscosity": _relative(dry_air.viscosity(temperature), _column(rows, "mu_Pa_s")),
        "conductivity": _relative(dry_air.conductivity(temperature), _column(rows, "k_W_mK")),
    }


def iapws_points(folder: Path, points: str, highest_pressure: float) -> dict[str, float]:
    """Relative errors of liquid water at the verification points of the IAPWS releases up to `highest_pressure` (Pa).

    Beside them the saturated liquid's density and the saturation pressure, which moist air uses, up to 100 C. The
    enthalpy compared is the rise above the coldest point less the flow work p v, which `specific_enthalpy` leaves out.
    """
    data = json.loads(case_file(folder, points).read_text(encoding="utf-8"))
    water = Water()
    formulation = _liquid_points(data["iapws95"], highest_pressure)
    industrial = _liquid_points(data["if97_region1"], highest_pressure)
    saturated = data["saturation"]
    viscosity = [p for p in data["viscosity_2008"] if _is_water_at_low_pressure(water, p)]
    conductivity = [p for p in data["conductivity_2011"] if _is_water_at_low_pressure(water, p)]
    densities = [
        _relative(water.density(_temperature(formulation)), _values(formulation, "rho_kg_m3")),
        _relative(water.density(_temperature(industrial)), 1.0 / _values(industrial, "v_m3_kg")),
        _relative(water.density(_temperature(saturated)), _values(saturated, "rho_liq")),
    ]
    capacities = [
        _relative(water.heat_capacity(_temperature(some)), _values(some, "cp_J_kgK"))
        for some in (formulation, industrial)
    ]
    coldest = int(np.argmin(_values(industrial, "T_K")))
    energy = _values(industrial, "h_J_kg") - _values(industrial, "p_Pa") * _values(industrial, "v_m3_kg")
    enthalpy = np.asarray(water.specific_enthalpy(_temperature(industrial)))
    warmer = np.arange(len(industrial)) != coldest
    return {
        "density": max(densities),
        "heat capacity": max(capacities),
        "enthalpy rise": _relative((enthalpy - enthalpy[coldest])[warmer], (energy - energy[coldest])[warmer]),
        "viscosity": _relative(water.viscosity(_temperature(viscosity)), _values(viscosity, "mu_Pa_s")),
        "conductivity": _relative(
            water.conductivity(_temperature(conductivity)), _values(conductivity, "k_W_mK_no_critical_term")
        ),
        "saturation pressure": _relative(
            moist_air.saturation_pressure(_temperature(saturated)), _values(saturated, "psat_Pa")
        ),
    }


def _liquid_points(points: list[dict[str, Any]], highest_pressure: float) -> list[dict[str, Any]]:
    low, high = Water.temperature_range
    return [p for p in points if low <= p["T_K"] <= high and p["p_Pa"] <= highest_pressure]


def _is_water_at_low_pressure(water: Water, point: dict[str, Any]) -> bool:
    """Points of temperature and density count where the density is that of liquid water within 0.5 %, about 10 MPa."""
    low, high = water.temperature_range
    density = float(water.density(point["T_K"]))
    return low <= point["T_K"] <= high and abs(point["rho_kg_m3"] / density - 1.0) < 0.005


def psychrometrics(folder: Path, table: str) -> dict[str, float]:
    """Errors of moist air against a table of PsychroLib and, in two columns, of CoolProp's real-gas humid air.

    CSV with columns Tdb_C, RH, p_Pa, W_kg_kg, Twb_C, Tdp_C, h_J_kg_da, v_m3_kg_da, W_coolprop, Twb_coolprop_C. Relative
    for humidity ratio and volume, K for wet bulb and dew point, J/kg for enthalpy.
    """
    rows = _read(folder, table)
    temperature, pressure = jnp.asarray(_column(rows, "Tdb_C") + 273.15), jnp.asarray(_column(rows, "p_Pa"))
    humidity = moist_air.humidity_ratio(temperature, jnp.asarray(_column(rows, "RH")), pressure)
    wet_bulb = moist_air.wet_bulb(temperature, humidity, pressure)
    dew_point = moist_air.dew_point(humidity, pressure)
    volume = moist_air.specific_volume(temperature, humidity, pressure)
    density = (1.0 + _column(rows, "W_kg_kg")) / _column(rows, "v_m3_kg_da")
    return {
        "humidity ratio": _relative(humidity, _column(rows, "W_kg_kg")),
        "humidity ratio, real gas": _relative(humidity, _column(rows, "W_coolprop")),
        "wet bulb": _absolute(wet_bulb, _column(rows, "Twb_C") + 273.15),
        "wet bulb, real gas": _absolute(wet_bulb, _column(rows, "Twb_coolprop_C") + 273.15),
        "dew point": _absolute(dew_point, _column(rows, "Tdp_C") + 273.15),
        "enthalpy": _absolute(moist_air.enthalpy(temperature, humidity), _column(rows, "h_J_kg_da")),
        "specific volume": _relative(volume, _column(rows, "v_m3_kg_da")),
        "density": _relative(moist_air.density(temperature, humidity, pressure), density),
    }


def _read(folder: Path, table: str) -> list[dict[str, str]]:
    with case_file(folder, table).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def _values(points: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([float(point[name]) for point in points])


def _temperature(points: list[dict[str, Any]]) -> jnp.ndarray:
    return jnp.asarray(_values(points, "T_K"))


def _relative(value: Any, reference: np.ndarray) -> float:
    return float(np.max(np.abs(np.asarray(value) / reference - 1.0)))


def _absolute(value: Any, reference: np.ndarray) -> float:
    return float(np.max(np.abs(np.asarray(value) - reference)))


def _keep_larger(errors: dict[str, float], more: dict[str, float]) -> None:
    for quantity, error in more.items():
        # a NaN has to survive, which max() does not promise
        errors[quantity] = float(np.maximum(errors.get(quantity, 0.0), error))
