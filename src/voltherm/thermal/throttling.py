r"""A chip under its own control: it holds its power limit, and its temperature, by doing less work.

    P(T, w) = P_idle + w P_dynamic + P_leakage(T),    T = T_s + R P
    w = the largest of 0 <= w <= f with  P <= P_limit  and  T <= T_throttle

| state     | holds                                        | work w                                        |
|-----------|----------------------------------------------|-----------------------------------------------|
| free      | P < P_limit, T < T_throttle                  | f                                             |
| capped    | P = P_limit                                  | (P_limit - P_idle - P_leakage(T)) / P_dynamic |
| throttled | T = T_throttle, P = (T_throttle - T_s) / R   | (P - P_idle - P_leakage(T)) / P_dynamic       |
| idle      | T > T_throttle at no work                    | 0                                             |
| off       | T > T_shutdown at no work, P = 0             | 0                                             |

| symbol       | meaning                                                                                | unit |
|--------------|----------------------------------------------------------------------------------------|------|
| w, f         | work done and work asked, over that at the nameplate load                              | -    |
| P_limit      | power the chip's control lets it draw                                                  | W    |
| T_throttle   | junction temperature it holds by lowering its clock                                    | K    |
| T_shutdown   | junction temperature at which it switches itself off                                   | K    |
| T_s, R, others | as in `device` and `leakage`                                                         | K, K/W |

A limit turns leakage from power into lost work: warm coolant costs throughput, not megawatts, and a chip with a limit
has no thermal runaway. In each state the temperature is in closed form, so the derivative is that of the implicit
equation in the state that holds (the active set).

The **unthrottled temperature** is that of the free or capped chip, whatever its throttling would do: it grows with
supply and resistance without end, smoothly but for the kink at the cap, where the junction itself stays at T_throttle.
Margins are taken from it.

Source: limits as drivers report them (NVML: enforced power limit, slowdown and shutdown temperature); dynamic power
proportional to the work done is the conservative end: a lower voltage at a lower clock saves more than work. Range:
steady operation, that is seconds; a chip that has switched itself off is taken to start again once it may.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.device import LARGEST_EXPONENT, SMALLEST_RESISTANCE, solve_device, steady_power
from voltherm.thermal.leakage import LeakagePower, OfChips
from voltherm.thermal.outcome import failed

_ROUNDING = 8.0
"""Times the precision: a power within it of the limit is at the limit."""


class OperatingLimits(eqx.Module):
    """What a chip's control holds: power [W], temperature at which it throttles and at which it switches off [K].

    Scalars or the shape of the chips; infinite for a limit that the chip does not have.
    """

    power: OfChips = eqx.field(metadata=bounded("W", least=0.0))
    throttle_temperature: OfChips = eqx.field(metadata=bounded("K", above=0.0))
    shutdown_temperature: OfChips = eqx.field(metadata=bounded("K", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)


class DeviceOperation(eqx.Module):
    """How chips run: junction temperature and unthrottled temperature [K], power [W], work [-], and their state.

    `runaway`: no limit holds the chip and it has no steady state; it is left at the sink's temperature. The
    unthrottled temperature is NaN, with zero gradient, where only throttling holds a chip without a power limit.
    """

    temperature: Float[Array, "..."]
    unthrottled_temperature: Float[Array, "..."]
    power: Float[Array, "..."]
    work: Float[Array, "..."]
    throttled: Bool[Array, "..."]
    off: Bool[Array, "..."]
    runaway: Bool[Array, "..."]


def operate(
    sink_temperature: Float[Array, "..."],
    resistance: Float[Array, "..."],
    power: LeakagePower,
    limits: OperatingLimits | None = None,
    load_factor: float | Float[Array, "..."] = 1.0,
) -> DeviceOperation:
    """Steady operation of chips under their own control, each on its own thermal path.

    **Arguments**: those of `solve_device`; `limits`: of the chips, by default none. Numbers of `power` and `limits` are
    scalars or broadcast to the shape of the chips.

    **Reference**: the module's equations, closed form. Elementwise: no chip touches another.
    """
    if limits is None:
        temperature, drawn, runaway = solve_device(sink_temperature, resistance, power, load_factor)
        work = jnp.broadcast_to(jnp.asarray(load_factor, temperature.dtype), temperature.shape)
        never = jnp.zeros_like(runaway)
        return DeviceOperation(temperature, temperature, drawn, work, never, never, runaway)
    resistance = jnp.maximum(resistance, SMALLEST_RESISTANCE)
    idle, no_idle = steady_power(sink_temperature, resistance, power, 0.0)
    free, lost, left = _capped(sink_temperature, resistance, power, limits, load_factor)

    unthrottled = sink_temperature + resistance * free
    throttles, hold = _set(limits.throttle_temperature, power.reference_temperature)
    throttled = throttles & (lost | (unthrottled > hold))
    held = (hold - sink_temperature) / resistance
    spare = held - power.idle_power - power.leakage(hold)

    capped = jnp.isfinite(limits.power) & ~(free < limits.power * (1.0 - _ROUNDING * jnp.finfo(free.dtype).eps))
    resting = (throttled & (spare < 0.0)) | (capped & (left < 0.0))
    drawn = jnp.where(resting, idle, jnp.where(throttled, held, free))
    temperature = jnp.where(throttled & ~resting, hold, sink_temperature + resistance * drawn)
    unsteady = jnp.where(resting, no_idle, lost & ~throttled)
    off = (unsteady & jnp.isfinite(limits.shutdown_temperature)) | (temperature > limits.shutdown_temperature)
    full = jnp.where(power.dynamic_power > 0.0, power.dynamic_power, 1.0)
    work = jnp.where(throttled, spare, left) * (1.0 / full)
    work = jnp.where(capped | throttled, work, load_factor)
    return DeviceOperation(
        temperature=jnp.where(off | unsteady, sink_temperature, temperature),
        unthrottled_temperature=failed(unthrottled, lost),
        power=jnp.where(off, 0.0, drawn),
        work=jnp.where(resting | off, 0.0, work),
        throttled=throttled,
        off=off,
        runaway=unsteady & ~off,
    )


def _capped(
    sink: Float[Array, "..."],
    resistance: Float[Array, "..."],
    power: LeakagePower,
    limits: OperatingLimits,
    load_factor: float | Float[Array, "..."],
) -> tuple[Float[Array, "..."], Bool[Array, "..."], Float[Array, "..."]]:
    """Power [W] under the power limit alone, whether there is none, and what the limit leaves for work [W].

    Below zero, the chip exceeds its limit even without work.
    """
    asked, runaway = steady_power(sink, resistance, power, load_factor)
    limited, cap = _set(limits.power, power.dynamic_power)
    per_kelvin = 1.0 / power.temperature_scale
    exponent = (sink + resistance * cap - power.reference_temperature) * per_kelvin
    left = cap - power.idle_power - power.leakage_power * jnp.exp(jnp.minimum(exponent, LARGEST_EXPONENT))
    capped = limited & (runaway | (asked > cap))
    # ends in a division, see `steady_power`
    drawn = jnp.where(capped, cap, asked) * resistance / resistance
    return drawn, runaway & ~limited, left


def _set(limit: OfChips, instead: OfChips) -> tuple[Bool[Array, "..."], Float[Array, "..."]]:
    """Whether there is a limit, and a finite number in its place where there is none."""
    there = jnp.isfinite(limit)
    return there, jnp.where(there, limit, instead)
