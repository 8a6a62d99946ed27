"""Voltage-dependent load, the ZIP model.

    P(V) = P_P + P_I V + P_Z V^2        Q(V) = Q_P + Q_I V + Q_Z V^2

| symbol | meaning | unit |
| --- | --- | --- |
| V | bus voltage over nominal | p.u. |
| P_P, P_I, P_Z | active power drawn at nominal voltage by the constant power, current and impedance parts | W |
| Q_P, Q_I, Q_Z | reactive power, the same | var |

Consuming is positive, an inductive load has Q > 0. The parts add linearly, so loads on one bus are summed exactly.
Source: IEEE Task Force on Load Representation, Trans. Power Systems 8 (1993) 472, eq. (2).
Valid around nominal voltage (about 0.7 to 1.1 p.u.); disconnection of electronics at deep sags is not in this model.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from voltherm.power.declared import FINITE, number_mistakes, refuse, shape_mistakes
from voltherm.power.network import Network


class Load(eqx.Module):
    """n loads (or the total load of n buses): powers at nominal voltage by part, shape (n,) each [W, var]."""

    active_constant_power: Float[Array, " load"]
    active_constant_current: Float[Array, " load"]
    active_constant_impedance: Float[Array, " load"]
    reactive_constant_power: Float[Array, " load"]
    reactive_constant_current: Float[Array, " load"]
    reactive_constant_impedance: Float[Array, " load"]

    @classmethod
    def from_fractions(
        cls,
        active_power: Float[Array, " load"],
        reactive_power: Float[Array, " load"],
        impedance_fraction: float | Float[Array, ""] | Float[Array, " load"] = 0.0,
        current_fraction: float | Float[Array, ""] | Float[Array, " load"] = 0.0,
    ) -> "Load":
        """Loads of `active_power` [W] and `reactive_power` [var] at nominal voltage; the rest is constant power."""
        fractions = (1.0 - impedance_fraction - current_fraction, current_fraction, impedance_fraction)
        return cls(*(_part(power, fraction) for power in (active_power, reactive_power) for fraction in fractions))

    @classmethod
    def none(cls, count: int, dtype: jnp.dtype | type | None = None) -> "Load":
        """`count` loads of zero power."""
        zeros = jnp.zeros(count, dtype)
        return cls(zeros, zeros, zeros, zeros, zeros, zeros)

    def at_buses(self, bus: np.ndarray | Int[Array, " load"], bus_count: int) -> "Load":
        """Sums n loads onto their buses: index of the bus of each load (n,), result of shape (bus_count,)."""
        return jax.tree.map(lambda part: jnp.zeros(bus_count, part.dtype).at[jnp.asarray(bus)].add(part), self)

    def on(self, network: Network, buses: Sequence[str]) -> "Load":
        """The loads of a network's buses: the name of the bus of each load; KeyError names one that is not there."""
        bus = np.array([network.bus_index(name) for name in buses], np.int32)
        refuse(shape_mistakes("load", tuple(buses), {"active_constant_power": self.active_constant_power}))
        return self.at_buses(bus, len(network.buses))

    def __check_init__(self) -> None:
        parts = vars(self)
        if len({jnp.shape(part) for part in parts.values()}) > 1:
            refuse(shape_mistakes("load", (), parts))
        refuse(number_mistakes("load", (), parts, dict.fromkeys(parts, FINITE)))

    def __add__(self, other: "Load") -> "Load":
        return jax.tree.map(jnp.add, self, other)

    def active_power(self, voltage: Float[Array, " load"]) -> Float[Array, " load"]:
        """Active power drawn [W] at `voltage` [p.u.]."""
        return self.active_constant_power + voltage * (
            self.active_constant_current + voltage * self.active_constant_impedance
        )

    def reactive_power(self, voltage: Float[Array, " load"]) -> Float[Array, " load"]:
        """Reactive power drawn [var] at `voltage` [p.u.]."""
        return self.reactive_constant_power + voltage * (
            self.reactive_constant_current + voltage * self.reactive_constant_impedance
        )

    def active_slope(self, voltage: Float[Array, " load"]) -> Float[Array, " load"]:
        """Change of the active power [W] with the logarithm of `voltage` [p.u.]."""
        return voltage * (self.active_constant_current + 2.0 * voltage * self.active_constant_impedance)

    def reactive_slope(self, voltage: Float[Array, " load"]) -> Float[Array, " load"]:
        """Change of the reactive power [var] with the logarithm of `voltage` [p.u.]."""
        return voltage * (self.reactive_constant_current + 2.0 * voltage * self.reactive_constant_impedance)


def _part(power: Float[Array, " load"], fraction: float | Float[Array, "..."]) -> Float[Array, " load"]:
    if isinstance(fraction, float) and fraction == 0.0:
        return jnp.zeros_like(power)  # it does not depend on the power: scenarios of a batch share it
    return power * fraction


def reactive_power_of(
    active_power: Float[Array, "..."], power_factor: float | Float[Array, "..."]
) -> Float[Array, "..."]:
    """Reactive power [var] of an inductive load of `active_power` [W] at `power_factor` in (0, 1]."""
    sine_square = 1.0 - jnp.asarray(power_factor, active_power.dtype) ** 2
    unity = sine_square <= 0.0
    sine = jnp.where(unity, 0.0, jnp.sqrt(jnp.where(unity, 1.0, sine_square)))
    return active_power * sine / power_factor
