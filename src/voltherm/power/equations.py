"""Equations of balanced alternating-current power flow, and their Jacobian, in 2x2 blocks in polar form.

    residual at a bus = S_shunt(V) + S_load(V) - S_generation + sum over its branches of V_i conj(Y_ij V_j)
    unknowns: angle theta and u = ln(V / nominal), so that a magnitude stays positive
    dP_i/dtheta_j = Im S_ij    dP_i/du_j = Re S_ij    dQ_i/dtheta_j = -Re S_ij    dQ_i/du_j = Im S_ij    (j != i)

One pass over the branches gives S_ij, hence both the residual and the Jacobian. A slack bus has two identity rows, a
voltage-controlled bus one, so the pattern never changes with the type of a bus.

| symbol | meaning | unit |
| --- | --- | --- |
| theta, V | voltage angle, magnitude | rad, p.u. |
| S_ij | power of one admittance entry | p.u. on the network's base |
| P, Q | its active and reactive part | p.u. |

Source: W. F. Tinney, C. E. Hart, Power flow solution by Newton's method, IEEE Trans. PAS-86 (1967) 1449.
Valid for balanced operation. Reactive limits of generators are not enforced.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from voltherm.power.branch import Admittances, two_port
from voltherm.power.load import Load
from voltherm.power.network import Network
from voltherm.power.parameters import PowerParameters
from voltherm.power.state import entry_powers

_MISMATCH_ROUND_OFF = 16.0  # epsilons of |Y_ii|, as in kernels/native/power_network.h


class Equations(eqx.Module):
    """Arguments of the root problem; `fixed` (bus, 2) is 1 where an unknown is a set point.

    Loads and generation are in W and var, so that a batch of them is read where it lies; the rest is in per unit.
    """

    admittances: Admittances
    load: Load
    generation: Float[Array, "bus 2"]
    shunt: Float[Array, "bus 2"]
    set_point: Float[Array, "bus 2"]
    fixed: Float[Array, "bus 2"]
    base_power: float = eqx.field(static=True)


def _bus_sums(network: Network, unknowns: Float[Array, "bus 2"], equations: Equations):
    """Off-diagonal entry powers (2, branch, 2) of ft and tf, and per bus (bus, 4): their sums, then S_ii."""
    from_bus, to_bus = jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)
    voltage = jnp.exp(unknowns[:, 1])
    real, imaginary = voltage * jnp.cos(unknowns[:, 0]), voltage * jnp.sin(unknowns[:, 0])
    from_from, from_to, to_from, to_to = entry_powers(
        equations.admittances, (real[from_bus], imaginary[from_bus]), (real[to_bus], imaginary[to_bus])
    )
    own = equations.shunt * jnp.stack([voltage**2, -(voltage**2)], axis=-1)
    sums = jnp.concatenate([jnp.zeros_like(own), own], axis=-1)
    sums = sums.at[from_bus].add(jnp.stack([*from_to, *from_from], axis=-1))
    sums = sums.at[to_bus].add(jnp.stack([*to_from, *to_to], axis=-1))
    return jnp.stack([jnp.stack(from_to, axis=-1), jnp.stack(to_from, axis=-1)]), sums


def residual(network: Network, unknowns: Float[Array, "bus 2"], equations: Equations) -> Float[Array, "bus 2"]:
    """Mismatch of every bus (bus, 2) [p.u.] at the unknowns; at a set point, how far they are from it."""
    _, sums = _bus_sums(network, unknowns, equations)
    voltage = jnp.exp(unknowns[:, 1])
    load = jnp.stack([equations.load.active_power(voltage), equations.load.reactive_power(voltage)], axis=-1)
    mismatch = sums[:, :2] + sums[:, 2:] + (load - equations.generation) / equations.base_power
    return jnp.where(equations.fixed > 0.0, unknowns - equations.set_point, mismatch)


def jacobian(network: Network, unknowns: Float[Array, "bus 2"], equations: Equations) -> Float[Array, "entry 2 2"]:
    """Blocks in the order of the schedule: diagonal, then ft, then tf."""
    entries, sums = _bus_sums(network, unknowns, equations)
    voltage = jnp.exp(unknowns[:, 1])
    active_slope = equations.load.active_slope(voltage) / equations.base_power
    reactive_slope = equations.load.reactive_slope(voltage) / equations.base_power
    active, reactive = sums[:, 0], sums[:, 1]
    diagonal = jnp.stack(
        [
            jnp.stack([-reactive, active + 2.0 * sums[:, 2] + active_slope], axis=-1),
            jnp.stack([active, reactive + 2.0 * sums[:, 3] + reactive_slope], axis=-1),
        ],
        axis=-2,
    )
    active, reactive = entries[..., 0], entries[..., 1]
    coupling = jnp.stack([jnp.stack([reactive, active], axis=-1), jnp.stack([-active, reactive], axis=-1)], axis=-2)
    fixed = equations.fixed[:, :, None] > 0.0
    identity = jnp.eye(2, dtype=diagonal.dtype)[None]
    rows = jnp.stack([jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)])
    diagonal = jnp.where(fixed, identity, diagonal)
    coupling = jnp.where(fixed[rows], 0.0, coupling)
    return jnp.concatenate([diagonal, coupling[0], coupling[1]])


def equations_of(network: Network, parameters: PowerParameters, reached: Bool[Array, " bus"]) -> Equations:
    """Equations of a network's numbers; buses that are not `reached` get set points of their own."""
    dtype = parameters.branches.resistance.dtype
    isolated = ~reached
    fixed_angle = jnp.asarray(network.slack) | isolated
    fixed_magnitude = fixed_angle | jnp.asarray(network.voltage_controlled)
    # an island without a source gets set points, so that the rest of the linear system stays regular
    magnitude_set_point = jnp.where(isolated, 1.0, parameters.voltage_set_point)
    return Equations(
        admittances=two_port(parameters.branches),
        load=parameters.load,
        generation=jnp.stack([parameters.active_generation, parameters.reactive_generation], axis=-1),
        shunt=jnp.stack([parameters.shunt_conductance, parameters.shunt_susceptance], axis=-1) / network.base_power,
        set_point=jnp.stack([parameters.angle_set_point, jnp.log(magnitude_set_point)], axis=-1),
        fixed=jnp.stack([fixed_angle, fixed_magnitude], axis=-1).astype(dtype),
        base_power=network.base_power,
    )


def round_off(equations: Equations, network: Network) -> Float[Array, "bus 2"]:
    """Mismatch that is round-off (bus, 2): so many epsilons of |Y_ii|.

    A mismatch is a sum of powers S_ij, which at 1 p.u. come to twice |Y_ii|: on a small base, or in single precision,
    their round-off may be more than any tolerance.
    """
    own = equations.shunt.at[jnp.asarray(network.from_bus)].add(jnp.stack(equations.admittances.from_from, axis=-1))
    own = own.at[jnp.asarray(network.to_bus)].add(jnp.stack(equations.admittances.to_to, axis=-1))
    own = jnp.where(jnp.any(equations.fixed == 0.0, axis=-1, keepdims=True), own, 0.0)
    floor = _MISMATCH_ROUND_OFF * float(jnp.finfo(own.dtype).eps) * jnp.sum(jnp.abs(own), axis=-1, keepdims=True)
    return jnp.broadcast_to(floor, own.shape)
