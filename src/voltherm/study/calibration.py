r"""Calibration: the parameters of a law that fit a table, by least squares.

    minimise Σ_k r_k(p)²,    (JᵀJ + ν diag JᵀJ) Δp = -Jᵀr,    J = ∂r/∂p

| symbol | meaning | unit |
|---|---|---|
| p | parameters; positive ones enter by their logarithm | 1 |
| r | residuals: relative differences from the table | 1 |
| J | their derivatives, by forward differentiation | 1 |
| ν | damping of Levenberg and Marquardt | 1 |

The standard errors are those of a linearised fit, s² (JᵀJ)⁻¹ with s² = Σ r² / (points - parameters).

Source: Moré (1978) for the scaling of the damping.
Range: parameters that the table determines; where it does not, the standard error says so.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.thermal.cold_plate import ColdPlate

_FIRST_DAMPING = 1e-3
_LARGEST_DAMPING = 1e12


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A fit: `parameters` and their relative `standard_errors` by name, and how well it holds.

    `residual` (point,): difference from the table, relative; `largest`: its largest magnitude; `converged`: whether the
    last step changed nothing any more.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    residual: np.ndarray
    largest: float
    iterations: int
    converged: bool
    history: tuple[float, ...]


def calibrate(
    residual: Callable[[dict[str, Array], Any], Float[Array, "point"]],
    initial: Mapping[str, float],
    arguments: Any = None,
    *,
    iterations: int = 100,
    tolerance: float = 1e-12,
    progress: Callable[[int, float], None] | None = None,
) -> Calibration:
    """Positive parameters that minimise the sum of squared residuals.

    **Arguments**

    - `residual`: `(parameters by name, arguments) -> relative differences`, pure and traceable
    - `initial`: where to start; every value above zero
    - `tolerance`: on the relative change of the parameters
    - `progress`: called with the iteration and the root-mean-square residual

    **Raises**: `ValueError` where a parameter does not start above zero, or the residual there is not finite.
    """
    wrong = [name for name, value in initial.items() if not value > 0.0]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: a calibrated parameter is positive and starts above zero")
    names = tuple(initial)

    def of_logarithms(logarithms: Float[Array, "parameter"], arguments: Any) -> Float[Array, "point"]:
        values = jnp.exp(logarithms)
        return residual({name: values[number] for number, name in enumerate(names)}, arguments)

    evaluate = eqx.filter_jit(
        lambda at, arguments: (of_logarithms(at, arguments), jax.jacfwd(of_logarithms)(at, arguments))
    )

    def at(logarithms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = evaluate(jnp.asarray(logarithms, jnp.result_type(float)), arguments)
        return np.asarray(found[0], float), np.asarray(found[1], float)

    point = np.log(np.array([float(initial[name]) for name in names]))
    difference, jacobian = at(point)
    if not np.all(np.isfinite(difference)):
        raise ValueError("the residual of the calibration is not finite where it starts")
    damping, converged, history = _FIRST_DAMPING, False, [_rms(difference)]
    iteration = 0
    while iteration < iterations and not converged and damping < _LARGEST_DAMPING:
        iteration += 1
        normal = jacobian.T @ jacobian
        damped = normal + damping * np.diag(np.maximum(np.diag(normal), np.finfo(float).tiny))
        step = np.linalg.lstsq(damped, -jacobian.T @ difference, rcond=None)[0]
        tried, tried_jacobian = at(point + step)
        converged = bool(np.max(np.abs(step)) <= tolerance)
        if np.all(np.isfinite(tried)) and _rms(tried) <= _rms(difference):
            point, difference, jacobian = point + step, tried, tried_jacobian
            damping *= 0.2
        else:
            damping *= 5.0
        history.append(_rms(difference))
        if progress is not None:
            progress(iteration, history[-1])
    return Calibration(
        parameters=dict(zip(names, np.exp(point).tolist(), strict=True)),
        standard_errors=dict(zip(names, _standard_errors(difference, jacobian).tolist(), strict=True)),
        residual=difference,
        largest=float(np.max(np.abs(difference))),
        iterations=iteration,
        converged=converged,
        history=tuple(history),
    )


def _rms(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(difference**2)))


def _standard_errors(difference: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    freedom = len(difference) - jacobian.shape[1]
    if freedom < 1 or np.linalg.matrix_rank(jacobian) < jacobian.shape[1]:
        return np.full(jacobian.shape[1], np.inf)
    return np.sqrt(np.sum(difference**2) / freedom * np.diag(np.linalg.inv(jacobian.T @ jacobian)))


COLD_PLATE_START = {"flow_resistance": 0.01, "flow_exponent": 0.1}
"""Where a cold-plate calibration starts: convection [K/W] at 1 L/min, power of the flow. One coolant's table does not
tell conduction in the plate from convection that no flow changes: that is the plate's own."""


def calibrate_cold_plate(
    volume_flow: Float[np.ndarray, "flow"],
    resistance: Float[np.ndarray, "point"],
    *,
    initial: Mapping[str, float] = COLD_PLATE_START,
    plate: ColdPlate | None = None,
    iterations: int = 100,
    progress: Callable[[int, float], None] | None = None,
) -> tuple[ColdPlate, Calibration]:
    """The cold-plate law that fits a table of case-to-inlet resistance [K/W] over volume flow [m³/s].

    **Arguments**: `plate` gives what the table does not: the test's coolant, conduction, pressure drop; default the
    published one.

    **Returns**: the plate with its fitted law, and the fit.
    """
    if len(volume_flow) != len(resistance) or len(volume_flow) < len(initial):
        raise ValueError(
            f"a calibration of {len(initial)} parameters needs as many flows as resistances, and at least that many; "
            f"there are {len(volume_flow)} and {len(resistance)}"
        )
    given = ColdPlate.published() if plate is None else plate
    dtype = jnp.result_type(float)
    table = (jnp.asarray(volume_flow, dtype), jnp.asarray(resistance, dtype))

    def difference(parameters: dict[str, Array], table: tuple[Array, Array]) -> Float[Array, "point"]:
        return _with_law(given, parameters).resistance(table[0]) / table[1] - 1.0

    fit = calibrate(difference, initial, table, iterations=iterations, progress=progress)
    return _with_law(given, {name: jnp.asarray(value, dtype) for name, value in fit.parameters.items()}), fit


def _with_law(plate: ColdPlate, parameters: Mapping[str, Array]) -> ColdPlate:
    names = tuple(parameters)
    return eqx.tree_at(
        lambda tree: [getattr(tree, name) for name in names], plate, [parameters[name] for name in names]
    )
