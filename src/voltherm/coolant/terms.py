r"""Branch laws as sums of terms: the form in which a fused iteration evaluates them.

    dp = sum over terms,  each a function of the mass flow m and constants of the branch

| term | pressure drop | constants |
|------|---------------|-----------|
| linear | a + b m | a, b |
| quadratic | s m (m^2 + w^2)^(1/2) | s, w^2 |
| power | s r (r^2 + w^2)^h, r = i m | s, i, w^2, h |
| colebrook | s G(Re, e) m, Re = c \|m\| (`friction.py`) | s, c, e / 3.7 |
| epanet | the same with EPANET's friction | s, c, e / 3.7, f and its slope at the turbulent limit |
| check_valve | what a check valve adds backwards (`valve.py`), r = i m | s, i, width |
| controlled_pump | a held pressure between two speeds (`pump.py`) | set point, droop, width^2, both rises, i |
| controlled_pump_power | the same with a power curve | the same, h |

The rises, at the highest and the lowest speed, are a + b m - c r (r^2 + w^2)^(1/2), three constants each; the loss
within the pump is the sum of the terms before it that are `inside`. Everything that does not change with the flow is in
the constants; they are computed once per solve. The laws themselves (`pipe.py`, `losses.py`, `valve.py`, `pump.py`) are
what defines the physics; a test compares the two.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.friction import epanet_turbulent_limit
from voltherm.coolant.law import AbstractBranchLaw, Series, Tangent
from voltherm.coolant.losses import QuadraticLoss
from voltherm.coolant.pipe import CUBIC_FOOT, FITTING_REYNOLDS, HAZEN_WILLIAMS_EXPONENT, HazenWilliamsPipe, Pipe
from voltherm.coolant.pump import PressureControlledPump, Pump
from voltherm.coolant.pump_curve import LINEAR_FRACTION as CURVE_LINEAR_FRACTION
from voltherm.coolant.pump_curve import PumpCurve
from voltherm.coolant.valve import BAR, LINEAR_FRACTION, CheckValve, ControlValve

Number = Float[Array, "..."] | float
Numbers = Float[Array, "..."]


class Term(NamedTuple):
    """Kind (a row of the table above), whether it is part of a pump's internal loss, and constants."""

    kind: str
    inside: bool
    constants: tuple[Number, ...]


def has_terms(law: AbstractBranchLaw) -> bool:
    """Whether a law is a sum of the terms above; known without its numbers."""
    if isinstance(law, Series):
        return all(has_terms(part) for part in law.laws)
    if isinstance(law, PressureControlledPump):
        return law.internal_loss is None or (has_terms(law.internal_loss) and not _has_control(law.internal_loss))
    return isinstance(law, Pipe | HazenWilliamsPipe | QuadraticLoss | ControlValve | CheckValve | Pump | Tangent)


def _has_control(law: AbstractBranchLaw) -> bool:
    return isinstance(law, PressureControlledPump) or (
        isinstance(law, Series) and any(_has_control(part) for part in law.laws)
    )


def terms_of(law: AbstractBranchLaw, density: Numbers, viscosity: Numbers) -> tuple[Term, ...]:
    """The terms of a law that has them. Fields, density, kg/m3, and viscosity, Pa s, broadcast against each other."""
    match law:
        case Series():
            return tuple(term for part in law.laws for term in terms_of(part, density, viscosity))
        case Tangent():
            return (Term("linear", False, (law.constant, law.slope)),)
        case Pipe():
            return _pipe(law, density, viscosity)
        case HazenWilliamsPipe():
            volume_flow = 1.0 / (density * CUBIC_FOOT)
            return (_power_law(law.scale(density), volume_flow, law.linear_below(), HAZEN_WILLIAMS_EXPONENT),)
        case QuadraticLoss():
            scale = law.scale(density, viscosity)
            return (_power_law(scale, 1.0 / law.nominal_mass_flow, law.linear_fraction, law.exponent),)
        case ControlValve():
            return (_power_law(BAR, 1.0 / law.mass_flow_at_one_bar(density), LINEAR_FRACTION, 2.0),)
        case CheckValve():
            ratio = 1.0 / law.nominal_mass_flow
            forwards = _power_law(law.nominal_pressure_drop, ratio, LINEAR_FRACTION, 2.0)
            scale = law.nominal_pressure_drop / law.leakage
            return (forwards, Term("check_valve", False, (scale, ratio, law.width)))
        case Pump():
            constant, linear, power = _rise(law.curve, law.speed, density, law.number_running)
            relative = 1.0 / (density * law.number_running * law.curve.run_out_flow())
            stopped = Term("linear", False, (-constant, -linear))
            return (stopped, _power_law(power, relative, CURVE_LINEAR_FRACTION, law.curve.exponent))
        case PressureControlledPump():
            return _controlled_pump(law, density, viscosity)
        case _:
            raise TypeError(f"{type(law).__name__} is not a sum of terms")


def _power_law(scale: Number, ratio: Number, width: Number, exponent: Number) -> Term:
    """scale * signed_power(ratio * m, exponent, width)."""
    if isinstance(exponent, float) and exponent == 2.0:
        return Term("quadratic", False, (scale * ratio**2, (width / ratio) ** 2))
    return Term("power", False, (scale, ratio, width**2, 0.5 * (exponent - 1.0)))


def _pipe(law: Pipe, density: Numbers, viscosity: Numbers) -> tuple[Term, ...]:
    area = law.area()
    roughness = jnp.asarray(law.roughness / law.diameter)
    wall = viscosity * law.dragging_length() / (2.0 * law.diameter**2) / (density * area)
    friction: tuple[Number, ...] = (wall, law.diameter / (area * viscosity), roughness / 3.7)
    if law.friction == "epanet":
        friction = (*friction, *epanet_turbulent_limit(roughness))
    linear_below = FITTING_REYNOLDS * viscosity / (density * law.diameter)
    fittings = _power_law(law.loss_coefficient * density / 2.0, 1.0 / (density * area), linear_below, 2.0)
    return (Term(law.friction, False, friction), fittings)


def _rise(curve: PumpCurve, speed: Number, density: Number, number_running: Number) -> tuple[Number, Number, Number]:
    """a, b and c of a rise a + b m - c signed_power(m over run-out flow), at one speed."""
    share = density / curve.nominal_density
    power = share * curve.shut_off_pressure
    # w^(2-n) has no derivative at a stopped pump, and there is nothing to scale in a parabola
    scaled = power if curve.is_parabola else power * speed ** (2.0 - curve.exponent)
    return power * speed**2, share * curve.linear * speed / (density * number_running), scaled


def _controlled_pump(law: PressureControlledPump, density: Numbers, viscosity: Numbers) -> tuple[Term, ...]:
    curve, set_point = law.curve, law.pressure_set_point
    relative = 1.0 / (density * law.number_running * curve.run_out_flow())
    held = (set_point, set_point * law.droop * relative, (law.width * set_point) ** 2)
    highest = _rise(curve, law.maximum_speed, density, law.number_running)
    lowest = _rise(curve, law.minimum_speed, density, law.number_running)
    constants = (*held, *highest, *lowest, relative)
    if curve.is_parabola:
        own = Term("controlled_pump", False, constants)
    else:
        own = Term("controlled_pump_power", False, (*constants, 0.5 * (curve.exponent - 1.0)))
    loss = () if law.internal_loss is None else terms_of(law.internal_loss, density, viscosity)
    return (*(term._replace(inside=True) for term in loss), own)
