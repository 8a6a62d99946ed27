r"""Transport delay: plug flow through a pipe as a queue of parcels, with exact wall loss and exact bookkeeping.

    a parcel that entered at T_in and has been inside for r:   T = T_amb + (T_in - T_amb) e^(-a r),   a = UA / (M c_p)
    mean over a mass whose r runs linearly from r_1 to r_2:    e^(-a r_1) phi1(a (r_2 - r_1))

| symbol | meaning                                                    | unit  |
|--------|------------------------------------------------------------|-------|
| M      | mass of liquid in the pipe                                 | kg    |
| UA     | conductance of its wall                                    | W/K   |
| r      | residence time                                             | s     |
| x      | position of a parcel's edge: mass between it and the inlet | kg    |

Source: the method of characteristics for dT/dt + v dT/dx = -a (T - T_amb). Fronts stay sharp whatever the step; outlet
temperatures are means over the step, so that mass times temperature balances to round-off. Exact for inlets and flows
constant within a step and one constant ambient. Flow may vary from step to step and may be zero, not negative. The
queue holds a fixed number n of parcels; where more than that would be inside, the newest are mixed, over at most
2/(n-2) of the pipe.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.coolant.decay import mean_decay
from voltherm.numerics.bounds import is_known

_LEAST_PARCELS = 4
_LEAST_SHARE = 1e-9  # of the pipe's mass: what a step without flow is averaged over


class DelayLine(eqx.Module):
    """The liquid in one pipe; `jax.vmap` for many, `jax.lax.scan` over `step` for a transient.

    position (parcel + 1,), kg, from the inlet, rising; age (parcel + 1,), s, time since each edge entered; temperature
    (parcel,), K, at entry; mass (), kg, in the pipe; decay_rate (), a, 1/s; ambient_temperature (), K. Build it with
    `filled`.
    """

    position: Float[Array, "*lanes edge"]
    age: Float[Array, "*lanes edge"]
    temperature: Float[Array, "*lanes parcel"]
    mass: Float[Array, "*lanes"]
    decay_rate: Float[Array, "*lanes"]
    ambient_temperature: Float[Array, "*lanes"]

    @classmethod
    def filled(
        cls,
        mass: Float[Array, ""] | float,
        temperature: Float[Array, ""] | float,
        *,
        parcels: int,
        wall_conductance: Float[Array, ""] | float,
        heat_capacity: Float[Array, ""] | float,
        ambient_temperature: Float[Array, ""] | float,
    ) -> "DelayLine":
        """Pipe of `mass`, kg, at one temperature, K; parcels >= 4, as many as steps fit into the longest delay."""
        mass = jnp.asarray(mass)
        if is_known(mass) and not np.all(np.asarray(mass) > 0.0):
            raise ValueError(f"a pipe of {float(mass):.6g} kg holds no liquid: its mass has to be above 0 kg")
        if parcels < _LEAST_PARCELS:
            raise ValueError(f"{parcels} parcels cannot hold a front: give at least {_LEAST_PARCELS}")
        edges = jnp.arange(parcels + 1)
        return cls(
            position=jnp.where(edges > 0, mass, jnp.zeros_like(mass)),
            age=jnp.zeros(parcels + 1, mass.dtype),
            temperature=jnp.full(parcels, temperature, mass.dtype),
            mass=mass,
            decay_rate=jnp.asarray(wall_conductance / (mass * heat_capacity)),
            ambient_temperature=jnp.asarray(ambient_temperature, mass.dtype),
        )

    def step(
        self, inlet_temperature: Float[Array, ""], mass_flow: Float[Array, ""], duration: Float[Array, ""]
    ) -> tuple["DelayLine", Float[Array, ""]]:
        """Push `mass_flow`, kg/s, >= 0, at `inlet_temperature`, K, in for `duration`, s.

        Returns the line afterwards and the mean outlet temperature, K. Without flow the outlet temperature is that of
        the liquid standing at the outlet.
        """
        entered = mass_flow * duration
        position, age = self.position + entered, self.age + duration
        inlet = jnp.concatenate([jnp.zeros_like(position[:1]), position])
        entry = jnp.concatenate([jnp.zeros_like(age[:1]), age])
        temperature = jnp.concatenate([inlet_temperature[None], self.temperature])

        left = jnp.maximum(entered, _LEAST_SHARE * self.mass)
        edges = inlet.at[-1].max(self.mass + left)
        # what lies beyond the outlet left before the end of the step, the farthest first
        outlet = self._mean(edges, entry, temperature, self.mass, self.mass + left, duration / left)

        position, age, temperature = jax.tree.map(
            lambda mixed, opened: jnp.where(inlet[2] <= 2.0 * self.mass / (temperature.size - 3), mixed, opened),
            self._mix_newest(inlet, entry, temperature),
            (inlet[:-1], entry[:-1], temperature[:-1]),
        )
        line = DelayLine(position, age, temperature, self.mass, self.decay_rate, self.ambient_temperature)
        return line, outlet

    def outlet(self, mass_flow: Float[Array, ""], duration: Float[Array, ""]) -> Float[Array, ""]:
        """Mean outlet temperature, K, of a step in which less enters, kg/s and s, than the pipe holds.

        What enters then does not matter: a closed loop can ask every pipe for its outlet before any is stepped.
        """
        return self.step(self.temperature[0], mass_flow, duration)[1]

    def mean_temperature(self) -> Float[Array, ""]:
        """Temperature of all the liquid in the pipe, mixed, K."""
        edges = self.position.at[-1].max(self.mass)
        zero = jnp.zeros_like(self.mass)
        return self._mean(edges, self.age, self.temperature, zero, self.mass, zero)

    def _mean(
        self,
        position: Float[Array, " edge"],
        age: Float[Array, " edge"],
        temperature: Float[Array, " parcel"],
        lower: Float[Array, ""],
        upper: Float[Array, ""],
        gone: Float[Array, ""],
    ) -> Float[Array, ""]:
        """Mean temperature between two positions, kg; liquid beyond the lower left earlier, by `gone`, s/kg."""
        width = jnp.diff(position)
        ageing = jnp.diff(age) / jnp.where(width > 0.0, width, 1.0) - gone
        first, last = jnp.clip(position[:-1], lower, upper), jnp.clip(position[1:], lower, upper)
        slope = jnp.where(width > 0.0, ageing + gone, 0.0)
        residence = age[:-1] + (first - position[:-1]) * slope - gone * (first - lower)
        decayed = jnp.exp(-self.decay_rate * residence) * mean_decay(self.decay_rate * (last - first) * ageing)
        weight = (last - first) / (upper - lower)
        return self.ambient_temperature + jnp.sum(weight * (temperature - self.ambient_temperature) * decayed)

    def _mix_newest(
        self, position: Float[Array, " edge"], age: Float[Array, " edge"], temperature: Float[Array, " parcel"]
    ) -> tuple[Float[Array, " kept_edge"], Float[Array, " kept_edge"], Float[Array, " kept_parcel"]]:
        """One parcel of the two newest, with the heat they hold now, counted from its own mean residence."""
        now = jnp.exp(-self.decay_rate * age[:2]) * mean_decay(self.decay_rate * jnp.diff(age[:3]))
        mass = jnp.diff(position[:3])
        total = jnp.sum(mass)
        some = total > 0.0
        above = jnp.sum(mass * now * (temperature[:2] - self.ambient_temperature)) / jnp.where(some, total, 1.0)
        entry = self.ambient_temperature + above / mean_decay(self.decay_rate * age[2])
        newest = jnp.where(some, entry, temperature[1])
        edges, ages = (
            jnp.delete(position, 1, assume_unique_indices=True),
            jnp.delete(age, 1, assume_unique_indices=True),
        )
        return edges, ages, jnp.concatenate([newest[None], temperature[2:]])
