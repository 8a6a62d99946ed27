r"""Valves: control and balancing valves by flow coefficient, and check valves.

    dp = 1e5 Pa (rho / 1000) (3600 m / (rho Kv phi(y)))^2
    linear trim:            phi = l + (1 - l) y
    equal-percentage trim:  phi = R^(y-1) for y >= y_s; below, a straight line from l at y = 0, as that trim does not
    close

| symbol | meaning                                                         | unit   |
|--------|-----------------------------------------------------------------|--------|
| Kv     | flow coefficient of the open valve (Kv = 0.865 Cv)              | m3/h at 1 bar, 1000 kg/m3 |
| y      | opening, 0 closed to 1 open                                     | -      |
| R      | rangeability                                                    | -      |
| l      | leakage, share of Kv that a closed valve still passes           | -      |

Source: IEC 60534-2-1 (2011), eq. 1 without choking, and IEC 60534-2-4 for the trims. A balancing valve is a
`ControlValve` whose opening is set once. y_s is 1/10. The closed valve leaks (default 1e-4 of Kv, class III of IEC
60534-4 is 1e-3, class IV 1e-4), which keeps a network with every valve shut solvable; a leakage below 1e-7, about class
V, counts as that. Below dp = 1e-3 Pa the law turns linear. The derivative at y_s is that of the open side, and at y = 0
and y = 1 that of the side between them.
"""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from voltherm.coolant.law import AbstractBranchLaw, OfBranches
from voltherm.numerics import signed_power
from voltherm.numerics.bounds import bounded

_SHUT_BELOW = 0.1
_LEAST_LEAKAGE = 1e-7
LINEAR_FRACTION = 1e-4  # of the flow at 1 bar, that is below 1e-3 Pa
BAR = 1e5
_USUAL_SHARE_OF_ONE_BAR = 0.5


def _held(value: Float[Array, "..."] | float, end: float, *, above: bool) -> Float[Array, "..."] | float:
    """The value, or the end where it is beyond it; at the end itself the derivative is the value's."""
    if isinstance(value, float | int):
        return max(value, end) if above else min(value, end)
    # a GPU kernel mistakes the kind of a plain number in `where`
    return jax.lax.select(value < end if above else value > end, jnp.full_like(value, end), value)


class ControlValve(AbstractBranchLaw):
    """Control or balancing valves.

    flow_coefficient (branch,), Kv, m3/h; opening (branch,), 0 to 1; rangeability (branch,) or scalar, used by the
    equal-percentage trim; leakage (branch,) or scalar, share of Kv when closed.
    """

    rises_by_its_form: ClassVar[bool] = True

    flow_coefficient: OfBranches = eqx.field(metadata=bounded("m3/h", above=0.0))
    opening: OfBranches
    rangeability: Float[Array, "..."] | float = eqx.field(default=50.0, metadata=bounded("", above=1.0))
    leakage: Float[Array, "..."] | float = eqx.field(default=1e-4, metadata=bounded("", least=0.0, most=1.0))
    trim: Literal["linear", "equal_percentage"] = eqx.field(static=True, default="equal_percentage")

    def relative_flow_coefficient(self) -> OfBranches:
        """Share of the full flow coefficient at this opening (branch,), -; openings outside 0 to 1 count as 0 or 1."""
        # minimum and maximum would halve the derivative where an opening stands at its end
        opening = _held(_held(self.opening, 0.0, above=True), 1.0, above=False)
        leakage = _held(self.leakage, _LEAST_LEAKAGE, above=True)
        if self.trim == "linear":
            return leakage + (1.0 - leakage) * opening
        exponential = self.rangeability ** (_held(opening, _SHUT_BELOW, above=True) - 1.0)
        at_seat = self.rangeability ** (_SHUT_BELOW - 1.0)
        seat = leakage + (at_seat - leakage) * opening / _SHUT_BELOW
        return jnp.where(jnp.asarray(opening < _SHUT_BELOW), seat, exponential)

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        at_one_bar = self.mass_flow_at_one_bar(density)
        return BAR * signed_power(mass_flow / at_one_bar, 2.0, LINEAR_FRACTION)

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return _USUAL_SHARE_OF_ONE_BAR * self.mass_flow_at_one_bar(density)

    def mass_flow_at_one_bar(self, density: Float[Array, "..."]) -> Float[Array, "..."]:
        """Mass flow (branch,), kg/s, that 1 bar drives through the valve at this opening."""
        flow_coefficient = self.flow_coefficient * self.relative_flow_coefficient()
        return flow_coefficient * density / 3600.0 * jnp.sqrt(1000.0 / density)


class CheckValve(AbstractBranchLaw):
    """Check valves: quadratic forwards, nearly shut backwards.

    Forwards dp = dp0 (m/m0)^2; backwards the slope rises within `width` m0 (once continuously differentiable) to
    dp0/(leakage m0). nominal_mass_flow (branch,), kg/s; nominal_pressure_drop (branch,), Pa, when open at that flow;
    leakage: share of the nominal flow that dp0 pushes backwards.
    """

    rises_by_its_form: ClassVar[bool] = True

    nominal_mass_flow: OfBranches = eqx.field(metadata=bounded("kg/s", above=0.0))
    nominal_pressure_drop: OfBranches = eqx.field(metadata=bounded("Pa", above=0.0))
    leakage: Float[Array, "..."] | float = eqx.field(default=1e-5, metadata=bounded("", above=0.0))
    width: Float[Array, "..."] | float = eqx.field(default=1e-6, metadata=bounded("", above=0.0))

    def pressure_drop(
        self, mass_flow: Float[Array, " branch"], density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        ratio = mass_flow / self.nominal_mass_flow
        inside = -(jnp.clip(-ratio, 0.0, self.width) ** 2) / (2.0 * self.width)
        backwards = inside + jnp.minimum(ratio + self.width, 0.0)
        forwards = signed_power(ratio, 2.0, LINEAR_FRACTION)
        return self.nominal_pressure_drop * (forwards + backwards / self.leakage)

    def starting_mass_flow(
        self, density: Float[Array, " branch"], viscosity: Float[Array, " branch"]
    ) -> Float[Array, " branch"]:
        return self.nominal_mass_flow * jnp.ones_like(density)
