"""Two-winding transformer from its nameplate, tap at the from side, several units in parallel.

    z = v_k S_base / (S p)     r = v_kr S_base / (S p)     x = sqrt(z^2 - r^2)
    g = P_0 p / S_base         |y| = i_0 S p / S_base      b = -sqrt(|y|^2 - g^2)
    I_rated = S p / (sqrt(3) V)

| symbol | meaning | unit |
| --- | --- | --- |
| S, p | rated apparent power of one unit, number in parallel | VA, - |
| v_k, v_kr | short-circuit voltage and its resistive part | fraction of rated voltage |
| P_0 | no-load (iron) loss of one unit | W |
| i_0 | no-load current | fraction of rated current |
| tap_ratio, phase_shift | at the from side; 1 and 0 = nominal | -, rad |

Source: IEC 60909-0 eq. (7)-(9) for the impedance, IEC 60076-1 for the no-load test; pi form with half the magnetising
admittance at each end. Rated voltages equal the base voltages of the two buses; put any difference into `tap_ratio`.
Valid for v_kr < v_k and P_0 <= i_0 S (otherwise the result is NaN and the power flow says NOT_FINITE).
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from voltherm.power.branch import Branches
from voltherm.power.declared import (
    FINITE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    called,
    number_mistakes,
    refuse,
    shape_mistakes,
    values_of,
)
from voltherm.power.network import Network

_SOUND = {
    "rated_power": POSITIVE,
    "short_circuit_voltage": FRACTION,
    "short_circuit_resistance": NOT_NEGATIVE,
    "no_load_loss": NOT_NEGATIVE,
    "no_load_current": NOT_NEGATIVE,
    "tap_ratio": POSITIVE,
    "phase_shift": FINITE,
    "parallel": POSITIVE,
}
_ROUNDED = 1e-6  # relative, of the nameplate's last digit


class Transformer(eqx.Module):
    """n transformers; every field has shape (n,).

    Of one unit: `rated_power` [VA], short-circuit voltage and its resistive part over the rated voltage [-],
    `no_load_loss` [W], `no_load_current` over the rated current [-]; `tap_ratio` [-] and `phase_shift` [rad] at the
    from side; units in `parallel` [-].
    `names`: those of the network's branches; transformers with names may stand in any order. Raises ValueError that
    names the transformers whose numbers no transformer has.
    """

    rated_power: Float[Array, " transformer"]
    short_circuit_voltage: Float[Array, " transformer"]
    short_circuit_resistance: Float[Array, " transformer"]
    no_load_loss: Float[Array, " transformer"]
    no_load_current: Float[Array, " transformer"]
    tap_ratio: Float[Array, " transformer"]
    phase_shift: Float[Array, " transformer"]
    parallel: Float[Array, " transformer"]
    names: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        arrays = {field: getattr(self, field) for field in _SOUND}
        mistakes = shape_mistakes("transformer", self.names, arrays)
        refuse(mistakes or [*number_mistakes("transformer", self.names, arrays, _SOUND), *self._contradictions()])

    def _contradictions(self) -> list[str]:
        total, resistive = values_of(self.short_circuit_voltage), values_of(self.short_circuit_resistance)
        found = []
        if total is not None and resistive is not None:
            found += [
                f"{called('transformer', self.names, index)}: short circuit resistance {resistive[index]:.6g} exceeds "
                f"the short circuit voltage {total[index]:.6g}, of which it is a part"
                for index in np.flatnonzero(resistive > total)
            ]
        current, rated, loss = (values_of(part) for part in (self.no_load_current, self.rated_power, self.no_load_loss))
        if current is not None and rated is not None and loss is not None:
            found += [
                f"{called('transformer', self.names, index)}: no load loss {loss[index]:.6g} W exceeds the no-load "
                f"power {current[index] * rated[index]:.6g} VA, of which it is a part"
                for index in np.flatnonzero(loss > current * rated * (1.0 + _ROUNDED))
            ]
        return found

    def branches_of(self, network: Network) -> Branches:
        """The transformers as per-unit branches on the network's own base; they need their names."""
        if not self.names:
            raise ValueError("transformers without names have no place in a network: give `names`, or call `branches`")
        for name in self.names:
            network.branch_index(name)
        return self.branches(network.base_power)

    def rated_current(self, voltage: Float[Array, " transformer"]) -> Float[Array, " transformer"]:
        """Rated line current of all parallel units [A] at the line-to-line `voltage` [V]."""
        return self.rated_power * self.parallel / (math.sqrt(3.0) * voltage)

    def branches(self, base_power: float) -> Branches:
        """The transformers as per-unit branches on `base_power` [VA]."""
        total = self.rated_power * self.parallel
        impedance = self.short_circuit_voltage * base_power / total
        resistance = self.short_circuit_resistance * base_power / total
        conductance = self.no_load_loss * self.parallel / base_power
        # an ideal core (no loss, no current) has square = 0, where the square root has no derivative
        square = (self.no_load_current * total / base_power) ** 2 - conductance**2
        ideal = (self.no_load_current == 0.0) & (conductance == 0.0)
        susceptance = jnp.where(ideal, 0.0, -jnp.sqrt(jnp.where(ideal, 1.0, square)))
        return Branches(
            resistance=resistance,
            reactance=jnp.sqrt(impedance**2 - resistance**2),
            conductance=conductance,
            susceptance=susceptance,
            tap_ratio=self.tap_ratio,
            phase_shift=self.phase_shift,
            in_service=jnp.ones_like(total),
            rating=total,
            names=self.names,
            base_power=float(base_power),
        )
