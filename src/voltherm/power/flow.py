"""Balanced alternating-current power flow: Newton's method on the equations of `equations.py`.

    start: set points, vector groups, linearised angles    ->    root    ->    its sign    ->    state

Found by a fused iteration (`flow_problem.py`), which also says whether the root is one that a network runs at.
Source: W. F. Tinney, C. E. Hart, Power flow solution by Newton's method, IEEE Trans. PAS-86 (1967) 1449.
Valid for balanced operation up to the nose of the P-V curve; beyond it no solution exists and the result code says so.
Reactive limits of generators are not enforced. Gradients are those of the implicit function theorem.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
from voltherm_kernels import newton as fused_newton

from voltherm.numerics import ResultCode, Solution, Status, implicit_root
from voltherm.numerics.implicit import masked, open_closures
from voltherm.power.angles import angles_matter, start_angles
from voltherm.power.branch import two_port
from voltherm.power.equations import equations_of, residual
from voltherm.power.flow_problem import RootProblem, fused_linear_solve, operands_of
from voltherm.power.island import levels, supplied, vector_groups
from voltherm.power.network import Network
from voltherm.power.parameters import PowerParameters
from voltherm.power.state import BusVoltages, PowerState, derive, only_supplied


def _with_sound_branches(parameters: PowerParameters) -> tuple[PowerParameters, Bool[Array, " branch"]]:
    """Which branches have finite admittances, and the parameters with harmless numbers for those that have not.

    One that is out of service is no branch, whatever its numbers: it counts as sound and stays out. For any other the
    scenario fails all the same, but zero impedance would turn the zero gradient that it is owed into NaN.
    """
    branches = parameters.branches
    parts = jax.tree.leaves(two_port(jax.lax.stop_gradient(branches)))
    finite = functools.reduce(jnp.logical_and, [jnp.isfinite(part) for part in parts])
    harmless = jax.tree.map(lambda part: jnp.where(finite, part, jnp.ones_like(part)), branches)
    in_service = jnp.where(branches.in_service == 0.0, 0.0, harmless.in_service)
    in_service = jnp.where(finite, branches.in_service, in_service)
    harmless = eqx.tree_at(lambda branches: branches.in_service, harmless, in_service)
    sound = finite | (branches.in_service == 0.0)
    return eqx.tree_at(lambda parameters: parameters.branches, parameters, harmless), sound


def _unloaded(network: Network, parameters: PowerParameters) -> Float[Array, "bus 2"]:
    """Angle and logarithm of flat voltages (bus, 2).

    In a radial network these are the voltages without load: behind taps and a high set point a start at 1 p.u. would be
    far below them, and nearer to a root that is none to operate at.
    """
    branches = parameters.branches
    drop = jnp.stack([vector_groups(branches.phase_shift), jnp.log(branches.tap_ratio)], axis=-1)
    at_source = jnp.stack([parameters.angle_set_point, jnp.log(parameters.voltage_set_point)], axis=-1)
    level = levels(network, drop, at_source)
    return level.at[:, 1].set(0.0) if angles_matter(network) else level


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
    (a failed one is replaced by the flat start); by default the voltages of the unloaded network where it is radial,
    else set points, 1 p.u. elsewhere, and the angles of the linearised power flow. Where no root is found from there,
    or one that no network runs at, the iteration begins anew from flat voltages; in `pallas`, on NVIDIA GPUs, roots
    are not judged. `tolerance`:
    largest power mismatch accepted, per unit on the network's base power, or what round-off makes of it where that is
    more. `implementation`: of `voltherm_kernels.newton`; `auto` is the fused C++ iteration on CPUs.

    Returns a Solution of a PowerState (shapes there). `status.worst` is the index of the bus with the largest
    mismatch. Result codes: CONVERGED; NOT_SUPPLIED (no source reaches some buses, of which `worst` is the first: they
    and their branches are NaN, the rest is solved); INOPERABLE (a root across a fold from the unloaded network: `worst`
    is its lowest voltage); SINGULAR; MAXIMUM_ITERATIONS, NO_DESCENT (usually a load beyond the nose of the P-V curve);
    NOT_FINITE (zero impedance, a short-circuit resistance above the impedance, a number that is not one: `worst` is
    then its bus, or the from bus of its branch). A scenario that fails is NaN throughout, with zero gradient.
    """
    parameters.check(network)
    parameters, sound = _with_sound_branches(parameters)
    reached = supplied(network, parameters.branches.in_service)
    equations = equations_of(network, parameters, reached)

    def held(start: Array) -> Array:
        return jax.lax.stop_gradient(jnp.where(equations.fixed > 0.0, equations.set_point, start))

    flat = held(_unloaded(network, parameters))
    if initial is not None:
        warm = jnp.stack([initial.voltage_angle, jnp.log(initial.voltage_magnitude)], axis=-1)
        start = held(jnp.where(jnp.all(jnp.isfinite(warm)), warm, flat))
    elif angles_matter(network):
        angle = start_angles(network, parameters, reached, flat[:, 0], implementation)
        start = held(jnp.stack([angle, flat[:, 1]], axis=-1))
    else:
        start = flat

    problem = RootProblem(network.topology, network.base_power, tolerance, maximum_iterations, implementation)
    operands = [*operands_of(start, equations), flat[..., None]]
    results = fused_newton(problem, operands, implementation=implementation)
    found, largest, iterations, code, worst = (part[..., 0] for part in results)

    def own_residual(unknowns, equations):
        return residual(network, unknowns, equations)

    linear_solve = fused_linear_solve(network, implementation)
    (own, linear), args = open_closures(start, equations, (own_residual, 0), (linear_solve, 1))
    unknowns = implicit_root(own, linear, found, code == ResultCode.CONVERGED.value, args)
    everywhere, usable = jnp.all(reached), jnp.all(sound)
    result = jnp.where(usable, code, ResultCode.NOT_FINITE.value)
    solved = result == ResultCode.CONVERGED.value
    if network.branches:
        worst = jnp.where(usable, worst, jnp.asarray(network.from_bus)[jnp.argmin(sound)].astype(worst.dtype))
    state = derive(network, parameters, unknowns[:, 0], jnp.exp(unknowns[:, 1]))
    state = masked(only_supplied(network, parameters, state, reached), solved)
    cut_off = solved & ~everywhere
    status = Status(
        result=jnp.where(cut_off, ResultCode.NOT_SUPPLIED.value, result),
        residual=jnp.where(usable, largest, jnp.nan),
        iterations=iterations,
        worst=jnp.where(cut_off, jnp.argmin(reached).astype(worst.dtype), worst),
    )
    return Solution(state, status)
