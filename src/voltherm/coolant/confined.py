r"""Laws that the fused iteration does not know, confined to their own branches: it takes their tangents.

    dp(m) ~ dp(m_0) + dp'(m_0) (m - m_0)

The network of tangents and known laws is solved by the fused iteration, the tangents are drawn anew at the flows found,
until they meet their laws: Newton's method in the unknown laws. What comes out is the start of the plain iteration,
which then has nothing or one step left to do and decides alone whether the equations hold. A linear step needs slopes
only, so there tangents are exact.

| symbol   | meaning                                             | unit        |
|----------|-----------------------------------------------------|-------------|
| m, m_0   | mass flow of a branch, and where its tangent touches | kg/s       |
| dp, dp'  | pressure drop of an unknown law, and its slope      | Pa, Pa s/kg |

Range of validity: that of the laws.
"""

import logging
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from voltherm.coolant.global_gradient import Equations, Unknowns
from voltherm.coolant.law import AbstractBranchLaw, Series, Tangent, pressure_drop_and_slope
from voltherm.coolant.terms import has_terms

_LOG = logging.getLogger(__name__)
_MOST_PASSES = 12
STEPS_A_PASS = 4
"""Of the fused iteration between two sets of tangents: early tangents are not worth more."""


def unknown_laws(equations: Equations) -> dict[str, AbstractBranchLaw]:
    """The laws that the fused iteration does not know, by group."""
    pairs = zip(equations.network.group_names, equations.laws, strict=True)
    return {name: law for name, law in pairs if not has_terms(law)}


def tell(equations: Equations) -> None:
    """A warning in the log, where a network is traced, that names the unknown laws and what they cost."""
    unknown = unknown_laws(equations)
    groups = dict(zip(equations.network.group_names, equations.network.groups, strict=True))
    kinds = sorted({kind for law in unknown.values() for kind in _unknown_kinds(law)})
    names = [name for group in unknown for name in groups[group].names]
    shown = ", ".join(f"'{name}'" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    alone = len(unknown) == len(groups)
    _LOG.warning(
        "%s has no compiled form, so %s: branches %s. A Series of this package's laws is fastest",
        " and ".join(kinds),
        "the whole network is solved in plain JAX, several times slower" if alone else "its part is done in plain JAX",
        shown,
    )


def _unknown_kinds(law: AbstractBranchLaw) -> list[str]:
    if isinstance(law, Series):
        return [kind for part in law.laws for kind in _unknown_kinds(part)]
    return [] if has_terms(law) else [type(law).__name__]


def with_tangents(equations: Equations, mass_flow: Float[Array, " branch"]) -> Equations:
    """The equations with tangents, at these flows, kg/s, in place of the unknown laws."""
    return Equations(
        equations.network,
        tuple(
            _touching(law, mass_flow[part], equations.density[part], equations.viscosity[part])
            for law, part in zip(equations.laws, equations.network.group_slices, strict=True)
        ),
        equations.density,
        equations.viscosity,
        equations.drive,
        equations.demand,
    )


def _touching(
    law: AbstractBranchLaw,
    mass_flow: Float[Array, " branch"],
    density: Float[Array, " branch"],
    viscosity: Float[Array, " branch"],
) -> AbstractBranchLaw:
    if isinstance(law, Series):
        return Series(tuple(_touching(part, mass_flow, density, viscosity) for part in law.laws))
    if has_terms(law):
        return law
    drop, slope = pressure_drop_and_slope(law, mass_flow, density, viscosity)
    return Tangent(drop - slope * mass_flow, slope)


def approach(
    equations: Equations,
    start: Unknowns,
    solve: Callable[[Equations, Unknowns], tuple[Unknowns, Int[Array, ""]]],
    tolerance: float,
) -> tuple[Unknowns, Int[Array, ""]]:
    """Flows and pressures near the solution, and the iterations taken; `solve` gives both for a network of tangents.

    tolerance: of the tangents, against the largest drop of an unknown law or the largest drive, and at least 1 Pa.
    """
    parts = zip(equations.network.group_slices, equations.laws, strict=True)
    places = [index for index, (_, law) in enumerate(parts) if not has_terms(law)]
    drive = jnp.maximum(jnp.max(jnp.abs(equations.drive)), 1.0)

    def drops(laws: tuple[AbstractBranchLaw, ...], mass_flow: Float[Array, " branch"]) -> Float[Array, " unknown"]:
        found = []
        for place in places:
            part = equations.network.group_slices[place]
            found.append(laws[place].pressure_drop(mass_flow[part], equations.density[part], equations.viscosity[part]))
        return jnp.concatenate(found)

    def one_pass(state: tuple) -> tuple:
        unknowns, _, passes, iterations = state
        tangents = with_tangents(equations, unknowns[0])
        found, taken = solve(tangents, unknowns)
        true = drops(equations.laws, found[0])
        apart = jnp.max(jnp.abs(true - drops(tangents.laws, found[0])))
        error = apart / jnp.maximum(drive, jnp.max(jnp.abs(true)))
        return found, error, passes + 1, iterations + taken

    def goes_on(state: tuple) -> Array:
        _, error, passes, _ = state
        return (error > tolerance) & (passes < _MOST_PASSES)  # false once it is no number

    zero = jnp.zeros((), jnp.int32)
    unknown = jnp.full((), jnp.inf, start[0].dtype)
    found, error, _, iterations = jax.lax.while_loop(goes_on, one_pass, (start, unknown, zero, zero))
    usable = jnp.isfinite(error) & jnp.all(jnp.isfinite(found[0])) & jnp.all(jnp.isfinite(found[1]))
    return jax.tree.map(lambda near, far: jnp.where(usable, near, far), found, start), iterations
