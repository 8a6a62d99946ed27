"""Print the coefficients of `voltherm.media` as Python source, fitted to CoolProp's correlations.

Run in an environment of its own: `pip install CoolProp numpy`, then `python make_media_coefficients.py`. Each table
is c[j][i] of sum c[j][i] t^j x^i with t = (T - 273.15 K) / 100 K and x the glycol fraction; viscosity is its
logarithm. Last run with CoolProp 8.0.0 (MIT): water after IAPWS-95 at 3 bar with the IAPWS viscosity (2008) and
conductivity (2011), MPG and MEG after Melinder (2010), APG and AEG after the ASHRAE tables, air after Lemmon (2000,
2004), HFE2 after the maker's relations.
"""

import CoolProp
import CoolProp.CoolProp
import numpy as np

evaluator = CoolProp.CoolProp

PRESSURE = 3e5
FRACTION_DEGREE, TEMPERATURE_DEGREE, TOTAL_DEGREE = 5, 3, 5  # Melinder's own 18 terms


def fit(fraction, temperature, value, powers, logarithm=False):
    """Coefficients and largest relative error; reweighted least squares, which tends to the least largest error."""
    columns = np.stack([fraction**i * temperature**j for i, j in powers], axis=1)
    target = np.log(value) if logarithm else value
    scale = np.ones_like(value) if logarithm else 1.0 / np.abs(value)
    weight = np.ones_like(value)
    best = (np.inf, None)
    for _ in range(40):
        root = np.sqrt(weight) * scale
        coefficients = np.linalg.lstsq(columns * root[:, None], target * root, rcond=1e-14)[0]
        error = np.abs(columns @ coefficients - target) * scale
        if error.max() < best[0]:
            best = (error.max(), coefficients)
        weight = weight * (error + 1e-3 * error.max())
        weight /= weight.mean()
    return best[1], best[0]


def show(title, powers, coefficients, error):
    """Print one table in the form of the source files."""
    values = {power: f"{value:.10g}" for power, value in zip(powers, coefficients, strict=True)}
    print(f"# {title}: largest relative error of the fit {error:.1e}")
    for j in range(1 + max(j for _, j in powers)):
        row = [values[i, j] for i in range(1 + max(i for i, k in powers if k == j))]
        print("(" + ", ".join(row) + ",),")


def glycol(name, by_volume, lowest_fraction):
    """One glycol solution between its freezing point and 100 C."""
    rows, freezing = [], []
    for fraction in np.linspace(lowest_fraction, 0.6, 13):
        state = evaluator.AbstractState("INCOMP", name)
        (state.set_volu_fractions if by_volume else state.set_mass_fractions)([fraction])
        state.update(evaluator.PT_INPUTS, PRESSURE, 330.0)
        freezes = state.trivial_keyed_output(evaluator.iT_freeze)
        freezing.append((fraction, freezes))
        for temperature in np.linspace(max(freezes, 238.15), 373.15, 60):
            state.update(evaluator.PT_INPUTS, PRESSURE, temperature)
            t = (temperature - 273.15) / 100.0
            rows.append((fraction, t, state.rhomass(), state.cpmass(), np.log(state.viscosity()), state.conductivity()))
    x, t, density, heat_capacity, log_viscosity, conductivity = np.array(rows).T
    powers = [
        (i, j) for i in range(FRACTION_DEGREE + 1) for j in range(TEMPERATURE_DEGREE + 1) if i + j <= TOTAL_DEGREE
    ]
    show(f"{name} density", powers, *fit(x, t, density, powers))
    show(f"{name} heat capacity", powers, *fit(x, t, heat_capacity, powers))
    show(f"{name} logarithm of viscosity", powers, *fit(x, t, np.exp(log_viscosity), powers, logarithm=True))
    show(f"{name} conductivity", powers, *fit(x, t, conductivity, powers))
    x, freezes = np.array(freezing).T
    powers = [(i, 0) for i in range(6)]
    show(f"{name} freezing temperature", powers, *fit(x, 0 * x, freezes, powers))


def pure(name, pressure, lowest, highest, degrees, viscosity_factor=None):
    """One fluid without a fraction; `degrees` for density, heat capacity, viscosity, conductivity (None: none)."""
    temperature = np.linspace(lowest, highest, 101)
    t = (temperature - 273.15) / 100.0
    for quantity, key, degree in zip(
        ("density", "heat capacity", "viscosity", "conductivity"), "DCVL", degrees, strict=True
    ):
        if degree is None:
            continue
        value = np.array([evaluator.PropsSI(key, "T", kelvin, "P", pressure, name) for kelvin in temperature])
        if key == "V" and viscosity_factor is not None:
            value = value * viscosity_factor(temperature)
        powers = [(0, j) for j in range(degree + 1)]
        show(f"{name} {quantity}", powers, *fit(0 * t, t, value, powers, logarithm=key == "V"))


if __name__ == "__main__":
    print("# CoolProp", CoolProp.__version__)
    pure("Water", PRESSURE, 273.15, 373.15, (4, 5, 5, 4))
    glycol("MPG", by_volume=False, lowest_fraction=0.0)
    glycol("MEG", by_volume=False, lowest_fraction=0.0)
    glycol("APG", by_volume=True, lowest_fraction=0.1)
    glycol("AEG", by_volume=True, lowest_fraction=0.1)
    # the viscosity that CoolProp gives for HFE2 is the kinematic one in mm2/s
    pure(
        "INCOMP::HFE2",
        2e5,
        233.15,
        333.15,
        (1, 1, 4, 1),
        viscosity_factor=lambda kelvin: (1538.3 - 2.269 * (kelvin - 273.15)) / 1000.0,
    )
    pure("Air", 101325.0, 233.15, 373.15, (None, 2, 3, 2))
