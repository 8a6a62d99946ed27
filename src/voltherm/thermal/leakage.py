r"""Power of a chip: what it draws at rest, a dynamic part set by its work, and leakage that grows with its temperature.

    P(T) = P_idle + f P_dynamic + P_leakage exp((T - T_reference) / T_scale)

| symbol      | meaning                                                              | unit |
|-------------|----------------------------------------------------------------------|------|
| P           | power drawn, all of it given off as heat                             | W    |
| P_idle      | power without work beyond leakage: clocks, memory, links             | W    |
| P_dynamic   | switching power at full load, independent of temperature             | W    |
| P_leakage   | leakage power at T_reference                                         | W    |
| T_scale     | temperature rise that multiplies leakage by e                        | K    |
| f           | load factor: 0 idle, 1 the nameplate load                            | -    |

Source: exponential fit of subthreshold leakage about an operating point (W. Liao, L. He and K. Lepak, IEEE Trans. CAD
24(7), 2005). Range: some 50 K about T_reference; a pure exponential overstates leakage far above it.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds

OfChips = Float[Array, "..."] | float
"""A number of each chip, or one for all."""


class LeakagePower(eqx.Module):
    """Power of n chips as a function of temperature; every field is a scalar or has the shape of the chips.

    `dynamic_power` at full load, `idle_power`, and `leakage_power` at the reference temperature [W];
    `reference_temperature` and the `temperature_scale` of leakage [K].
    """

    dynamic_power: OfChips = eqx.field(metadata=bounded("W", least=0.0))
    leakage_power: OfChips = eqx.field(metadata=bounded("W", least=0.0))
    reference_temperature: OfChips = eqx.field(metadata=bounded("K", above=0.0))
    temperature_scale: OfChips = eqx.field(metadata=bounded("K", above=0.0))
    idle_power: OfChips = eqx.field(default=0.0, metadata=bounded("W", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_fraction(
        cls,
        power: OfChips,
        leakage_fraction: OfChips,
        reference_temperature: OfChips,
        temperature_scale: OfChips,
        idle_fraction: OfChips = 0.0,
    ) -> "LeakagePower":
        """Chips that draw `power` [W] at full load and `reference_temperature` [K], a share of it by leakage.

        **Arguments**: `idle_fraction`: share drawn without work at that temperature, leakage included [-]; a chip draws
        its leakage at least.
        """
        idle = jnp.maximum(idle_fraction, leakage_fraction)
        return cls(
            power * (1.0 - idle),
            power * leakage_fraction,
            reference_temperature,
            temperature_scale,
            power * (idle - leakage_fraction),
        )

    def broadcast(self, shape: tuple[int, ...]) -> "LeakagePower":
        """The same chips with every field spread to `shape`."""
        return LeakagePower(
            jnp.broadcast_to(self.dynamic_power, shape),
            jnp.broadcast_to(self.leakage_power, shape),
            jnp.broadcast_to(self.reference_temperature, shape),
            jnp.broadcast_to(self.temperature_scale, shape),
            jnp.broadcast_to(self.idle_power, shape),
        )

    def leakage(self, temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        """Leakage power [W] at junction temperature [K]."""
        return self.leakage_power * jnp.exp((temperature - self.reference_temperature) / self.temperature_scale)

    def power(
        self, temperature: Float[Array, "..."], load_factor: float | Float[Array, "..."] = 1.0
    ) -> Float[Array, "..."]:
        """Power [W] at junction temperature [K]."""
        return self.idle_power + load_factor * self.dynamic_power + self.leakage(temperature)
