"""The power flow as a problem of the fused iterations: operands, and what each implementation does with them.

    root of R(y) = 0 from a start; sign det J at the root; from the other start where that fails

The sign of the determinant of the Jacobian cannot change along a path of solutions without passing through zero, which
is a fold: the nose of the P-V curve. At flat voltages it is that of the unloaded network. A root with the other sign is
therefore cut off from it by a fold; it is refused as INOPERABLE if the other start finds no better one. An equal sign
proves nothing: an even number of folds may lie between.

| symbol | meaning | unit |
| --- | --- | --- |
| y | angle and logarithm of the voltage of every bus | rad, - |
| R, J | mismatch of `equations.py`, its Jacobian | p.u. |

Source: V. A. Venikov, V. A. Stroev, V. I. Idelchick, V. I. Tarasov, Estimation of electrical power system steady-state
stability in load flow calculations, IEEE Trans. PAS-94 (1975) 1034. Where series capacitors make the sign negative at
flat voltages already, nothing is concluded.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from voltherm_kernels import newton as fused_newton
from voltherm_kernels import power_flow, solve
from voltherm_kernels.determinant import signs
from voltherm_kernels.newton import lanes_of, over_lanes

from voltherm.numerics import ResultCode, newton
from voltherm.power.branch import Admittances
from voltherm.power.equations import Equations, jacobian, residual, round_off
from voltherm.power.load import Load
from voltherm.power.network import Network, Topology

_OPERANDS = 18  # without the other start


@functools.lru_cache(maxsize=64)
def _tables(topology: Topology) -> power_flow.Tables:
    return power_flow.tables(topology.schedule, topology.from_bus, topology.to_bus)


def operands_of(start: Float[Array, "bus 2"], equations: Equations) -> list[Array]:
    """What a fused iteration gets, with a lane axis that all lanes share."""
    numbers = (start, equations.fixed, equations.generation, equations.shunt, equations.admittances, equations.load)
    return [leaf[..., None] for leaf in jax.tree.leaves(jax.lax.stop_gradient(numbers))]


def numbers_of(base_power: float, operands: Sequence[Array]) -> tuple[Float[Array, "bus 2"], Equations]:
    """Start and equations of one lane from its operands; set points are what the start has where it is fixed."""
    start, fixed, generation, shunt, *rest = operands
    admittances = Admittances(*zip(rest[0:8:2], rest[1:8:2], strict=True))
    return start, Equations(admittances, Load(*rest[8:14]), generation, shunt, start, fixed, base_power)


_LANES_TOGETHER = 256  # in a second look, for memory that does not grow with the batch; not yet measured on a GPU


@dataclass(frozen=True)
class RootProblem:
    """One power flow, for `voltherm_kernels.newton`: operands as `operands_of` lists them, then the other start.

    The other start has flat voltages; without it there is one start alone.
    """

    topology: Topology
    base_power: float
    tolerance: float
    maximum_iterations: int
    implementation: str = "auto"

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Unknowns, largest residual that is not round-off, iterations, result code, bus of the largest residual.

        Without a solution the unknowns are those of the start that are finite, and zero. Of a root that is refused the
        bus is that of the lowest voltage.
        """
        start = operands[0]
        count = jax.ShapeDtypeStruct((), jnp.int32)
        return start, jax.ShapeDtypeStruct((), start.dtype), count, count, count

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration that every other is held to."""
        return tuple(result[..., 0] for result in self.xla(*(operand[..., None] for operand in operands)))

    def xla(self, *operands: Array) -> tuple[Array, ...]:
        """The same for lanes, in plain JAX."""
        return self._judged(operands, lambda *given: over_lanes(self._iterate, *given))

    def native(self, *operands: Array) -> tuple[Array, ...]:
        """The same in C++, for CPUs."""
        given, other = operands[:_OPERANDS], operands[_OPERANDS:]
        limits = (self.tolerance, self.maximum_iterations)
        fallback = other[0] if other else None
        tables, plan = _tables(self.topology), power_flow.AUTO
        return power_flow.solve(tables, given, plan, *limits, fallback=fallback, base_power=self.base_power)

    def pallas(self, *operands: Array) -> tuple[Array, ...]:
        """The iteration from its start in Pallas, for NVIDIA GPUs.

        Roots are not judged there: their signs would take the factors of all lanes at once.
        """
        return self._on_tiles(*operands[:_OPERANDS])

    def _judged(self, operands: Sequence[Array], iterate: Callable[..., tuple[Array, ...]]) -> tuple[Array, ...]:
        """Roots with their sign; lanes that fail, or have the wrong one, begin anew from the other start."""
        given = operands[:_OPERANDS]
        other = operands[_OPERANDS] if len(operands) > _OPERANDS else operands[0]
        lanes = lanes_of(operands)
        none = jnp.zeros((lanes,), bool)

        def sign_at(unknowns: Array) -> Array:
            (values,) = over_lanes(self._jacobian, unknowns, *given[1:])
            return jnp.broadcast_to(signs(self.topology.schedule, values, self.implementation), (lanes,))

        def attempt(state: tuple[Array, ...]) -> tuple[Array, ...]:
            anew, begin, again, turned, _, *before = state
            reference = jax.lax.cond(anew, lambda: sign_at(begin), lambda: jnp.zeros((lanes,), begin.dtype))
            found = iterate(begin, *given[1:])
            sign, root = sign_at(found[0]), found[3] == ResultCode.CONVERGED.value
            better = again & root & ((sign > 0.0) | ((sign < 0.0) & (reference < 0.0)))
            results = [jnp.where(better | ~anew, new, old) for new, old in zip(found, before, strict=True)]
            turned = jnp.where(anew, turned & ~better, root & (sign < 0.0))
            again = ~anew & (turned | (~root & (found[3] != ResultCode.NOT_FINITE.value)))
            # lanes that need nothing stand at their root already
            begin = jnp.where(again, other, results[0])
            return ~anew, begin, again, turned, turned & (reference > 0.0), *results

        shapes = self.results(*(jax.ShapeDtypeStruct(operand.shape[:-1], operand.dtype) for operand in given))
        blank = [jnp.zeros((*result.shape, lanes), result.dtype) for result in shapes]
        begin = jnp.broadcast_to(given[0], blank[0].shape)
        start = (jnp.asarray(False), begin, none, none, none, *blank)
        # one loop, so that the iteration is compiled once
        state = jax.lax.fori_loop(
            0, 2, lambda number, state: jax.lax.cond((number == 0) | jnp.any(state[2]), attempt, tuple, state), start
        )
        refused, unknowns, residual, iterations, result, worst = state[4:]
        lowest = jnp.argmin(unknowns[:, 1], axis=0).astype(worst.dtype)
        result = jnp.where(refused, ResultCode.INOPERABLE.value, result)
        return _or_start(unknowns, result, given[0]), residual, iterations, result, jnp.where(refused, lowest, worst)

    def _iterate(self, *operands: Array) -> tuple[Array, ...]:
        """One lane from its start, in plain JAX."""
        start, equations = numbers_of(self.base_power, operands)
        network = Network(self.topology)
        root = newton(
            lambda unknowns, equations: residual(network, unknowns, equations),
            start,
            equations,
            linear_solve=self._linear_solve,
            tolerance=self.tolerance,
            maximum_iterations=self.maximum_iterations,
            round_off=round_off(equations, network),
        )
        status = root.status
        # singular only after a first good step: the iteration diverged, the network is not singular
        astray = (status.result == ResultCode.SINGULAR.value) & (status.iterations > 1)
        result = jnp.where(astray, ResultCode.NO_DESCENT.value, status.result).astype(status.result.dtype)
        return _or_start(root.value, result, start), status.residual, status.iterations, result, status.worst // 2

    def _linear_solve(self, unknowns: Array, equations: Equations, right_hand_side: Array) -> Array:
        values = jacobian(Network(self.topology), unknowns, equations)
        return solve(self.topology.schedule, values, right_hand_side, implementation=self.implementation)

    def _jacobian(self, *operands: Array) -> tuple[Array, ...]:
        """The Jacobian of one lane at its start, in the order of the schedule."""
        return (jacobian(Network(self.topology), *numbers_of(self.base_power, operands)),)

    def _on_tiles(self, *operands: Array) -> tuple[Array, ...]:
        """Lanes from their starts in Pallas; those that its elimination cannot do are looked at once more."""
        from voltherm.power import flow_on_tiles  # Pallas is imported where it is wanted

        start, fixed, generation, *others = operands
        loads = [load / self.base_power for load in others[9:]]
        given = [start, fixed, generation / self.base_power, *others[:9], *loads]
        unknowns, *rest = flow_on_tiles.solve(self.topology, given, self.tolerance, self.maximum_iterations)
        astray = (rest[2] == ResultCode.SINGULAR.value) & (rest[1] > 1)
        rest[2] = jnp.where(astray, ResultCode.NO_DESCENT.value, rest[2]).astype(rest[2].dtype)
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
        from voltherm.power import flow_on_tiles  # as in `_on_tiles`

        lanes = failed.size
        size = min(lanes, _LANES_TOGETHER)

        def look(number: Array, found: tuple[Array, ...]) -> tuple[Array, ...]:
            first = jnp.minimum(number * size, lanes - size)

            def some(array: Array) -> Array:
                return array if array.shape[-1] == 1 else jax.lax.dynamic_slice_in_dim(array, first, size, axis=-1)

            given, before = [some(operand) for operand in operands], tuple(map(some, found))

            def again(doubtful: Array) -> tuple[Array, ...]:
                pairs = zip(over_lanes(self._iterate, *given), before, strict=True)
                return tuple(jnp.where(doubtful, new, old) for new, old in pairs)

            def checked() -> tuple[Array, ...]:
                (jacobian,) = over_lanes(self._jacobian, some(unknowns), *given[1:])
                doubtful = some(failed) & ~flow_on_tiles.can_eliminate(self.topology, jacobian)
                return jax.lax.cond(jnp.any(doubtful), lambda: again(doubtful), lambda: before)

            after = jax.lax.cond(jnp.any(some(failed)), checked, lambda: before)
            pairs = zip(found, after, strict=True)
            return tuple(jax.lax.dynamic_update_slice_in_dim(all_, part, first, axis=-1) for all_, part in pairs)

        return jax.lax.fori_loop(0, -(-lanes // size), look, found)


def _or_start(unknowns: Array, result: Array, start: Array) -> Array:
    return jnp.where(result == ResultCode.CONVERGED.value, unknowns, jnp.where(jnp.isfinite(start), start, 0.0))


@dataclass(frozen=True)
class LinearProblem:
    """x from J x = r, or Jᵀ x = r, at given unknowns; the operands of `RootProblem`, then r."""

    topology: Topology
    base_power: float
    transpose: bool
    implementation: str = "auto"

    def results(self, *operands: jax.ShapeDtypeStruct) -> tuple[jax.ShapeDtypeStruct, ...]:
        """One vector like the right-hand side."""
        return (operands[-1],)

    def one_lane(self, *operands: Array) -> tuple[Array, ...]:
        """Jacobian, factors, substitution, one after the other."""
        unknowns, equations = numbers_of(self.base_power, operands[:-1])
        values = jacobian(Network(self.topology), unknowns, equations)
        schedule, side = self.topology.schedule, operands[-1]
        return (solve(schedule, values, side, transpose=self.transpose, implementation=self.implementation),)

    def native(self, *operands: Array) -> tuple[Array, ...]:
        """The three in one call."""
        given, side = operands[:-1], operands[-1]
        return (power_flow.step(_tables(self.topology), given, side, self.transpose, base_power=self.base_power),)

    def pallas(self, *operands: Array) -> tuple[Array, ...]:
        """Jacobians in plain JAX; the solve itself is the kernel's."""
        return over_lanes(self.one_lane, *operands)


def fused_linear_solve(network: Network, implementation: str):
    """J⁻¹ r in one call, for the derivatives of a root; its own derivatives are those of J x = r."""

    def linear_solve(unknowns, equations, right_hand_side):
        operands = operands_of(unknowns, equations)

        def product(vector):
            return jax.jvp(lambda unknowns: residual(network, unknowns, equations), (unknowns,), (vector,))[1]

        def solving(transpose):
            problem = LinearProblem(network.topology, equations.base_power, transpose, implementation)

            def run(_, side):
                return fused_newton(problem, [*operands, side[..., None]], implementation=implementation)[0][..., 0]

            return run

        return jax.lax.custom_linear_solve(product, right_hand_side, solving(False), solving(True))

    return linear_solve
