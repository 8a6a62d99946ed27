"""Balanced alternating-current power flow: Newton's method on 2x2 blocks in polar form.

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
Valid for balanced operation up to the nose of the P-V curve; beyond it no solution exists and the result code says so.
Reactive limits of generators are not enforced. Gradients are those of the implicit function theorem.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
from voltherm_kernels import newton as fused_newton
from voltherm_kernels import power_flow, solve
from voltherm_kernels.newton import over_lanes

from voltherm.numerics import ResultCode, Solution, Status, implicit_root, newton
from voltherm.numerics.implicit import masked, open_closures
from voltherm.power.branch import Admittances, two_port
from voltherm.power.island import supplied
from voltherm.power.load import Load
from voltherm.power.network import Network, Topology
from voltherm.power.parameters import PowerParameters
from voltherm.power.state import BusVoltages, PowerState, derive, entry_powers


class _Equations(eqx.Module):
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


def _bus_sums(network: Network, unknowns: Float[Array, "bus 2"], equations: _Equations):
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


def _residual(network: Network, unknowns: Float[Array, "bus 2"], equations: _Equations) -> Float[Array, "bus 2"]:
    _, sums = _bus_sums(network, unknowns, equations)
    voltage = jnp.exp(unknowns[:, 1])
    load = jnp.stack([equations.load.active_power(voltage), equations.load.reactive_power(voltage)], axis=-1)
    mismatch = sums[:, :2] + sums[:, 2:] + (load - equations.generation) / equations.base_power
    return jnp.where(equations.fixed > 0.0, unknowns - equations.set_point, mismatch)


def _jacobian(network: Network, unknowns: Float[Array, "bus 2"], equations: _Equations) -> Float[Array, "entry 2 2"]:
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


def _equations(network: Network, parameters: PowerParameters, reached: Bool[Array, " bus"]) -> _Equations:
    dtype = parameters.branches.resistance.dtype
    isolated = ~reached
    fixed_angle = jnp.asarray(network.slack) | isolated
    fixed_magnitude = fixed_angle | jnp.asarray(network.voltage_controlled)
    # an island without a source gets set points, so that the rest of the linear system stays regular
    magnitude_set_point = jnp.where(isolated, 1.0, parameters.voltage_set_point)
    return _Equations(
        admittances=two_port(parameters.branches),
        load=parameters.load,
        generation=jnp.stack([parameters.active_generation, parameters.reactive_generation], axis=-1),
        shunt=jnp.stack([parameters.shunt_conductance, parameters.shunt_susceptance], axis=-1) / network.base_power,
        set_point=jnp.stack([parameters.angle_set_point, jnp.log(magnitude_set_point)], axis=-1),
        fixed=jnp.stack([fixed_angle, fixed_magnitude], axis=-1).astype(dtype),
        base_power=network.base_power,
    )


def _with_sound_branches(parameters: PowerParameters) -> tuple[PowerParameters, Bool[Array, " branch"]]:
    """Which branches have finite admittances, and the parameters with harmless numbers for those that have not.

    The scenario fails all the same. But zero impedance would turn the zero gradient that it is owed into NaN.
    """
    branches = parameters.branches
    parts = jax.tree.leaves(two_port(jax.lax.stop_gradient(branches)))
    sound = functools.reduce(jnp.logical_and, [jnp.isfinite(part) for part in parts])
    harmless = jax.tree.map(lambda part: jnp.where(sound, part, jnp.ones_like(part)), branches)
    return eqx.tree_at(lambda parameters: parameters.branches, parameters, harmless), sound


@functools.lru_cache(maxsize=64)
def _tables(topology: Topology) -> power_flow.Tables:
    return power_flow.tables(topology.schedule, topology.from_bus, topology.to_bus)


def _operands(start: Float[Array, "bus 2"], equations: _Equations) -> list[Array]:
    """What a fused iteration gets, with a lane axis that all lanes share."""
    numbers = (start, equations.fixed, equations.generation, equations.shunt, equations.admittances, equations.load)
    return [leaf[..., None] for leaf in jax.tree.leaves(jax.lax.stop_gradient(numbers))]


def _numbers(base_power: float, operands: Sequence[Array]) -> tuple[Float[Array, "bus 2"], _Equations]:
    """Start and equations of one lane from its operands; set points are what the start has where it is fixed."""
    start, fixed, generation, shunt, *rest = operands
    admittances = Admittances(*zip(rest[0:8:2], rest[1:8:2], strict=True))
    return start, _Equations(admittances, Load(*rest[8:]), generation, shunt, start, fixed, base_power)


_LANES_TOGETHER = 256  # in a second look, for memory that does not grow with the batch; not yet measured on a GPU


@dataclass(frozen=True)
class _Problem:
    """One power flow, for `voltherm_kernels.newton`; operands as `_operands` lists them."""

    topology: Topology
    base_power: float
    tolerance: float
    maximum_iterations: int
    implementation: str = "auto"

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Unknowns, largest residual, iterations, result code, bus of the largest residual.

        Without a solution the unknowns are those of the start that are finite, and zero.
        """
        start = operands[0]
        count = jax.ShapeDtypeStruct((), jnp.int32)
        return start, jax.ShapeDtypeStruct((), start.dtype), count, count, count

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration that every other is held to."""
        start, equations = _numbers(self.base_power, operands)
        residual, linear_solve = _root_problem(Network(self.topology), self.implementation)
        root = newton(
            residual,
            start,
            equations,
            linear_solve=linear_solve,
            tolerance=self.tolerance,
            maximum_iterations=self.maximum_iterations,
        )
        status = root.status
        unknowns = _or_start(root.value, status.result, start)
        return unknowns, status.residual, status.iterations, status.result, status.worst // 2

    def jacobian(self, *operands: Array) -> tuple[Array, ...]:
        """The Jacobian of one lane at its start, in the order of the schedule."""
        return (_jacobian(Network(self.topology), *_numbers(self.base_power, operands)),)

    def native(self, *operands: Array) -> tuple[Array, ...]:
        """The same in C++, for CPUs."""
        tables, limits = _tables(self.topology), (self.tolerance, self.maximum_iterations)
        return power_flow.solve(tables, operands, power_flow.AUTO, *limits, base_power=self.base_power)

    def pallas(self, *operands: Array) -> tuple[Array, ...]:
        """The same in Pallas, for NVIDIA GPUs."""
        from voltherm.power import flow_on_tiles  # Pallas is imported where it is wanted

        start, fixed, generation, *others = operands
        loads = [load / self.base_power for load in others[9:]]
        given = [start, fixed, generation / self.base_power, *others[:9], *loads]
        unknowns, *rest = flow_on_tiles.solve(self.topology, given, self.tolerance, self.maximum_iterations)
        found = (_or_start(unknowns, rest[2], start), *rest)
        failed = (rest[2] != ResultCode.CONVERGED.value) & (rest[2] != ResultCode.NOT_FINITE.value)
        return jax.lax.cond(
            jnp.any(failed), lambda: self._second_look(operands, unknowns, failed, found), lambda: found
        )

    def _second_look(
        self, operands: Sequence[Array], unknowns: Array, failed: Array, found: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Lanes whose Jacobian elimination could not do, at the unknowns where they failed, iterated with pivoting.

        Some lanes at a time: the plain iteration needs many times a kernel's memory.
        """
        from voltherm.power import flow_on_tiles  # as in `pallas`

        lanes = failed.size
        size = min(lanes, _LANES_TOGETHER)

        def look(number: Array, found: tuple[Array, ...]) -> tuple[Array, ...]:
            first = jnp.minimum(number * size, lanes - size)

            def some(array: Array) -> Array:
                return array if array.shape[-1] == 1 else jax.lax.dynamic_slice_in_dim(array, first, size, axis=-1)

            given, before = [some(operand) for operand in operands], tuple(map(some, found))

            def again(doubtful: Array) -> tuple[Array, ...]:
                pairs = zip(over_lanes(self.one_lane, *given), before, strict=True)
                return tuple(jnp.where(doubtful, new, old) for new, old in pairs)

            def checked() -> tuple[Array, ...]:
                (jacobian,) = over_lanes(self.jacobian, some(unknowns), *given[1:])
                doubtful = some(failed) & ~flow_on_tiles.can_eliminate(self.topology, jacobian)
                return jax.lax.cond(jnp.any(doubtful), lambda: again(doubtful), lambda: before)

            after = jax.lax.cond(jnp.any(some(failed)), checked, lambda: before)
            pairs = zip(found, after, strict=True)
            return tuple(jax.lax.dynamic_update_slice_in_dim(all_, part, first, axis=-1) for all_, part in pairs)

        return jax.lax.fori_loop(0, -(-lanes // size), look, found)


def _or_start(unknowns: Array, result: Array, start: Array) -> Array:
    return jnp.where(result == ResultCode.CONVERGED.value, unknowns, jnp.where(jnp.isfinite(start), start, 0.0))


@dataclass(frozen=True)
class _LinearProblem:
    """x from J x = r, or Jᵀ x = r, at given unknowns; the operands of `_Problem`, then r."""

    topology: Topology
    base_power: float
    transpose: bool
    implementation: str = "auto"

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """One vector like the right-hand side."""
        return (operands[-1],)

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """Jacobian, factors, substitution, one after the other."""
        unknowns, equations = _numbers(self.base_power, operands[:-1])
        values = _jacobian(Network(self.topology), unknowns, equations)
        schedule, side = self.topology.schedule, operands[-1]
        return (solve(schedule, values, side, transpose=self.transpose, implementation=self.implementation),)

    def native(self, *operands: Array) -> tuple[Array, ...]:
        """The three in one call."""
        given, side = operands[:-1], operands[-1]
        return (power_flow.step(_tables(self.topology), given, side, self.transpose, base_power=self.base_power),)

    def pallas(self, *operands: Array) -> tuple[Array, ...]:
        """Jacobians in plain JAX; the solve itself is the kernel's."""
        return over_lanes(self.one_lane, *operands)


def _fused_linear_solve(network: Network, implementation: str):
    """J⁻¹ r in one call, for the derivatives of a root; its own derivatives are those of J x = r."""

    def linear_solve(unknowns, equations, right_hand_side):
        operands = _operands(unknowns, equations)

        def product(vector):
            return jax.jvp(lambda unknowns: _residual(network, unknowns, equations), (unknowns,), (vector,))[1]

        def solving(transpose):
            problem = _LinearProblem(network.topology, equations.base_power, transpose, implementation)

            def run(_, side):
                return fused_newton(problem, [*operands, side[..., None]], implementation=implementation)[0][..., 0]

            return run

        return jax.lax.custom_linear_solve(product, right_hand_side, solving(False), solving(True))

    return linear_solve


def _root_problem(network: Network, implementation: str = "auto"):
    """Residual and linear solve, as `newton` wants them; `implementation` is that of the whole power flow."""

    def residual(unknowns, equations):
        return _residual(network, unknowns, equations)

    def linear_solve(unknowns, equations, right_hand_side):
        values = _jacobian(network, unknowns, equations)
        return solve(network.topology.schedule, values, right_hand_side, implementation=implementation)

    return residual, linear_solve


def steady(
    network: Network,
    parameters: PowerParameters,
    *,
    initial: PowerState | BusVoltages | None = None,
    tolerance: float = 1e-10,
    maximum_iterations: int = 30,
    implementation: str = "auto",
) -> Solution:
    """Solves the power flow of one scenario; `jax.vmap` over `parameters` makes a batch.

    `network`: static topology of n buses and b branches. `parameters`: traced numbers. `initial`: state to start from
    (a failed one is replaced by the flat start). `tolerance`: largest power mismatch accepted, per unit on the
    network's base power. `implementation`: of `voltherm_kernels.newton`; `auto` is the fused C++ iteration on CPUs.

    Returns a Solution of a PowerState (shapes there). `status.worst` is the index of the bus with the largest
    mismatch. Result codes: CONVERGED; SINGULAR (usually an island without a source: `worst` is then a bus that none
    reaches); MAXIMUM_ITERATIONS, NO_DESCENT (usually a load beyond the nose of the P-V curve); NOT_FINITE (zero
    impedance, a short-circuit resistance above the impedance, a number that is not one: `worst` is then its bus, or the
    from bus of its branch). A scenario that fails is NaN throughout, with zero gradient.
    """
    reached, start_angle = supplied(
        network, parameters.branches.in_service, parameters.branches.phase_shift, parameters.angle_set_point
    )
    parameters, sound = _with_sound_branches(parameters)
    equations = _equations(network, parameters, reached)
    start = jnp.stack([start_angle, jnp.zeros_like(start_angle)], axis=-1)
    if initial is not None:
        warm = jnp.stack([initial.voltage_angle, jnp.log(initial.voltage_magnitude)], axis=-1)
        start = jnp.where(jnp.all(jnp.isfinite(warm)), warm, start)
    start = jnp.where(equations.fixed > 0.0, equations.set_point, start)

    start = jax.lax.stop_gradient(start)
    problem = _Problem(network.topology, network.base_power, tolerance, maximum_iterations, implementation)
    results = fused_newton(problem, _operands(start, equations), implementation=implementation)
    found, largest, iterations, code, worst = (part[..., 0] for part in results)
    residual, linear_solve = _root_problem(network)[0], _fused_linear_solve(network, implementation)
    (residual, linear_solve), args = open_closures(start, equations, (residual, 0), (linear_solve, 1))
    unknowns = implicit_root(residual, linear_solve, found, code == ResultCode.CONVERGED.value, args)
    everywhere, usable = jnp.all(reached), jnp.all(sound)
    result = jnp.where(usable, code, ResultCode.NOT_FINITE.value)
    result = jnp.where(everywhere, result, ResultCode.SINGULAR.value)
    if network.branches:
        worst = jnp.where(usable, worst, jnp.asarray(network.from_bus)[jnp.argmin(sound)].astype(worst.dtype))
    solved = result == ResultCode.CONVERGED.value
    state = masked(derive(network, parameters, unknowns[:, 0], jnp.exp(unknowns[:, 1])), solved)
    status = Status(
        result=result,
        residual=jnp.where(everywhere & usable, largest, jnp.nan),
        iterations=iterations,
        worst=jnp.where(everywhere, worst, jnp.argmin(reached).astype(worst.dtype)),
    )
    return Solution(state, status)
