"""Cable or overhead line: lumped pi model of its length, several circuits in parallel.

    r = R l / (p Z_base)    x = X l / (p Z_base)    b = 2 pi f C l p Z_base    Z_base = V_base^2 / S_base
    rating = sqrt(3) V_base I p

| symbol | meaning | unit |
| --- | --- | --- |
| R, X, C | resistance, reactance, capacitance per length | ohm/m, ohm/m, F/m |
| l, p | length, number of parallel circuits | m, - |
| f | frequency | Hz |
| I | ampacity of one circuit | A |

Source: J. D. Glover, T. J. Overbye, M. S. Sarma, Power System Analysis and Design, 6th ed., section 5.1 (medium line).
Valid up to about 250 km of overhead line or a few tens of km of cable (no hyperbolic correction).
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.power.branch import Branches
from voltherm.power.declared import NOT_NEGATIVE, POSITIVE, number_mistakes, refuse, shape_mistakes
from voltherm.power.network import Network

_SOUND = {
    "resistance_per_length": NOT_NEGATIVE,
    "reactance_per_length": NOT_NEGATIVE,
    "capacitance_per_length": NOT_NEGATIVE,
    "length": POSITIVE,
    "parallel": POSITIVE,
    "current_rating": POSITIVE,
}


class Line(eqx.Module):
    """n lines; every field has shape (n,).

    Resistance and reactance [ohm/m], capacitance [F/m], `length` [m], circuits in `parallel` [-] and the
    `current_rating` [A] of one circuit.
    `names`: those of the network's branches; lines with names may stand in any order. Raises ValueError that names the
    lines whose numbers no line has.
    """

    resistance_per_length: Float[Array, " line"]
    reactance_per_length: Float[Array, " line"]
    capacitance_per_length: Float[Array, " line"]
    length: Float[Array, " line"]
    parallel: Float[Array, " line"]
    current_rating: Float[Array, " line"]
    names: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        arrays = {field: getattr(self, field) for field in _SOUND}
        mistakes = shape_mistakes("line", self.names, arrays)
        refuse(mistakes or number_mistakes("line", self.names, arrays, _SOUND))

    def branches_of(self, network: Network, frequency: float = 60.0) -> Branches:
        """The lines as per-unit branches on the network's own bases; they need their names. `frequency` [Hz]."""
        if not self.names:
            raise ValueError("lines without names have no place in a network: give `names`, or call `branches`")
        ends = jnp.asarray([network.from_bus[network.branch_index(name)] for name in self.names], jnp.int32)
        voltage = jnp.asarray(network.base_voltages, self.length.dtype)[ends]
        return self.branches(voltage, network.base_power, frequency)

    def branches(self, base_voltage: Float[Array, " line"], base_power: float, frequency: float = 60.0) -> Branches:
        """The lines as per-unit branches; `base_voltage` (n,) [V] line-to-line, `base_power` [VA], `frequency` [Hz]."""
        refuse(shape_mistakes("line", self.names, {"length": self.length, "base_voltage": base_voltage}))
        impedance_base = base_voltage**2 / base_power
        ones = jnp.ones_like(self.length)
        return Branches(
            resistance=self.resistance_per_length * self.length / (self.parallel * impedance_base),
            reactance=self.reactance_per_length * self.length / (self.parallel * impedance_base),
            conductance=jnp.zeros_like(self.length),
            susceptance=2.0
            * math.pi
            * frequency
            * self.capacitance_per_length
            * self.length
            * self.parallel
            * impedance_base,
            tap_ratio=ones,
            phase_shift=jnp.zeros_like(self.length),
            in_service=ones,
            rating=math.sqrt(3.0) * base_voltage * self.current_rating * self.parallel,
            names=self.names,
            base_power=float(base_power),
        )
