import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.coolant.cases import NETWORK, loop_laws, pump, solve_loop
from voltherm.coolant import (
    AbstractBranchLaw,
    BranchGroup,
    ControlValve,
    DelayLine,
    HazenWilliamsPipe,
    MixedTank,
    Network,
    Pipe,
    Pump,
    PumpCurve,
    QuadraticLoss,
    Series,
    check_laws,
    flow,
)

NAMED = Network.build(
    NETWORK.nodes, dict(zip(("pump", "pipes", "valves", "plates"), NETWORK.groups, strict=True)), "R0"
)
LAWS = dict(zip(NAMED.group_names, loop_laws(), strict=True))


def _flow(laws, network=NAMED, **options):
    given = {"density": jnp.asarray(1000.0), "viscosity": jnp.asarray(7e-4), "reference_pressure": jnp.asarray(3e5)}
    return flow(network, laws, **{**given, **options})


def test_laws_by_name_in_any_order_give_what_laws_in_order_give():
    backwards = dict(reversed(LAWS.items()))
    named, ordered = jax.jit(_flow)(backwards), jax.jit(solve_loop)(loop_laws())
    np.testing.assert_array_equal(named.value.mass_flow, ordered.value.mass_flow)
    by_branch, by_group = NAMED.by_branch(named.value.mass_flow), NAMED.by_group(named.value.mass_flow)
    assert by_branch["plate 1"] == by_group["plates"][1] == named.value.mass_flow[NAMED.branch_index("plate 1")]
    assert NAMED.by_node(named.value.pressure)["R0"] == 3e5


def _without(name: str) -> dict[str, AbstractBranchLaw]:
    return {other: law for other, law in LAWS.items() if other != name}


ONE = jnp.ones(1)


@pytest.mark.parametrize(
    ("solve", "message"),
    [
        (lambda: _flow(_without("pump")), "no law for 'pump'; the groups are 'pump', 'pipes', 'valves', 'plates'"),
        (lambda: _flow({**LAWS, "valve": LAWS["valves"]}), "'valve' is no group"),
        (lambda: _flow(loop_laws()[:3]), "3 laws for 4 groups of branches"),
        (lambda: _flow(tuple(reversed(loop_laws()))), r"group 'pump': .* has shape \(3,\); the group has 1 branch"),
        (
            lambda: _flow({**LAWS, "valves": ControlValve(12.0 * ONE, ONE)}),
            r"group 'valves': flow_coefficient of ControlValve has shape \(1,\); the group has 3 branches",
        ),
        (
            lambda: _flow({**LAWS, "plates": Series((LAWS["plates"], QuadraticLoss(ONE, ONE)))}),
            r"group 'plates': nominal_mass_flow of QuadraticLoss has shape \(1,\)",
        ),
        (
            lambda: _flow(LAWS, density=jnp.ones(3)),
            r"density has shape \(3,\) and needs \(\) or \(14,\): one number, or",
        ),
        (lambda: _flow(LAWS, reference_pressure=jnp.ones(2)), r"reference_pressure has shape \(2,\)"),
        (
            lambda: _flow(LAWS, demand=jnp.zeros(1)),
            r"demand has shape \(1,\) and needs \(12,\): one number for each node",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(solve, message: str):
    with pytest.raises(ValueError, match=message):
        solve()


def test_shapes_are_said_inside_a_trace_as_well():
    with pytest.raises(ValueError, match="the group has 3 branches"):
        jax.jit(lambda opening: _flow({**LAWS, "valves": ControlValve(12.0, opening)}).value)(ONE)


def test_numbers_that_no_part_can_have_are_told_by_branch():
    thin = eqx.tree_at(lambda law: law.diameter, LAWS["pipes"], LAWS["pipes"].diameter.at[2].set(-0.1))
    wrong = check_laws(NAMED, {**LAWS, "pipes": thin})
    assert wrong == ["'supply 2', Pipe: diameter is -0.1 m and has to be above 0 m"]
    with pytest.raises(ValueError, match=r"'supply 2', Pipe: diameter is -0\.1 m"):
        _flow({**LAWS, "pipes": thin})
    assert check_laws(NAMED, LAWS) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pipe(10.0, -0.1, 1e-5, 0.0), "Pipe: diameter is -0.1 m"),
        (lambda: Pipe(-10.0, 0.1, 1e-5, 0.0), "Pipe: length is -10 m"),
        (lambda: HazenWilliamsPipe(10.0, 0.1, -100.0), "coefficient is -100"),
        (lambda: QuadraticLoss(ONE, -ONE), "nominal_pressure_drop is -1 Pa"),
        (lambda: QuadraticLoss(ONE, ONE, 0.5), "exponent is 0.5"),
        (lambda: ControlValve(-ONE, ONE), "flow_coefficient is -1 m3/h"),
        (lambda: ControlValve(ONE, ONE, rangeability=1.0), "rangeability is 1 and has to be above 1"),
        (lambda: Pump(pump().curve, -ONE), "speed is -1"),
        (lambda: PumpCurve.through_duty_point(1e5, 10.0, 2e5, 1000.0), "power is 1e"),
        (lambda: MixedTank(jnp.asarray(-1.0), jnp.asarray(4e3)), "mass is -1 kg"),
    ],
)
def test_constructors_refuse_what_no_part_can_have(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_python_numbers_are_numbers():
    """One branch a name, and every constructor with plain numbers, against the same in arrays."""
    network = Network.build(["a", "b", "c"], {"pump": ("a", "b"), "pipe": ("b", "c"), "valve": ("c", "a")}, "a")

    def laws(number):
        curve = PumpCurve.through_duty_point(number(2.5e5), number(10.0), number(2e5), number(1000.0))
        pipe = Series(
            (Pipe(number(10.0), number(0.05), number(1e-5), number(0.5)), QuadraticLoss(number(5.0), number(1e4)))
        )
        return {"valve": ControlValve(number(40.0), number(0.8)), "pipe": pipe, "pump": Pump(curve, number(1.0))}

    plain = flow(network, laws(float), 1000.0, 1e-3, reference_pressure=3e5)
    arrays = flow(network, laws(lambda value: jnp.full(1, value)), 1000.0, 1e-3, reference_pressure=3e5)
    np.testing.assert_allclose(plain.value.mass_flow, arrays.value.mass_flow, rtol=1e-12)
    line = DelayLine.filled(10.0, 300.0, parcels=4, wall_conductance=1.0, heat_capacity=4e3, ambient_temperature=290.0)
    assert line.step(jnp.asarray(310.0), jnp.asarray(1.0), jnp.asarray(1.0))[1] < 300.0
    with pytest.raises(ValueError, match="a pipe of 0 kg holds no liquid"):
        DelayLine.filled(0.0, 300.0, parcels=4, wall_conductance=1.0, heat_capacity=4e3, ambient_temperature=290.0)


def test_numbers_by_name():
    np.testing.assert_array_equal(NAMED.at_nodes({"M1": 2.0, "R0": 1.0}), np.eye(12)[9] * 2.0 + np.eye(12)[4])
    heat = jax.jit(lambda x: NAMED.at_branches({"plate 0": x, "plate 2": 3}, rest=1.0))(jnp.asarray(2.0))
    assert NAMED.by_branch(heat)["plate 0"] == 2.0
    assert NAMED.by_group(heat)["plates"].tolist() == [2.0, 1.0, 3.0]
    assert NAMED.at_nodes({}).tolist() == [0.0] * 12
    with pytest.raises(KeyError, match=r"no branch is called 'plat 0'; is 'plate 0' meant\?"):
        NAMED.at_branches({"plat 0": 1.0})
    assert NAMED != NETWORK
    assert NETWORK.group_names == ("1", "2", "3", "4")


class _Falling(AbstractBranchLaw):
    """Rises to 1 kg/s and falls beyond."""

    top: jax.Array

    def pressure_drop(self, mass_flow, density, viscosity):
        return 1e4 * mass_flow / (1.0 + (mass_flow / self.top) ** 2)

    def starting_mass_flow(self, density, viscosity):
        return jnp.ones_like(density)


def test_a_law_that_falls_is_refused_where_it_is_made():
    with pytest.raises(ValueError, match=r"_Falling: the pressure drop of entry 2 falls from -\S+ Pa at -\S+ kg/s to "):
        _Falling(jnp.asarray([1e6, 1.0]))
    _Falling(jnp.asarray([1e6, 1e6]))

    @jax.jit
    def traced(top):
        return _Falling(top).pressure_drop(jnp.ones(1), jnp.ones(1), jnp.ones(1))

    np.testing.assert_allclose(traced(ONE), 5e3)

    @jax.jit
    def known_within_a_trace(flow):
        return _Falling(np.ones(1)).pressure_drop(flow, jnp.ones(1), jnp.ones(1))

    with pytest.raises(ValueError, match="has to rise with the flow"):
        known_within_a_trace(ONE)


def test_a_law_that_gives_one_number_for_many_branches_is_told():
    class Mean(AbstractBranchLaw):
        stiffness: float

        def pressure_drop(self, mass_flow, density, viscosity):
            return self.stiffness * jnp.sum(mass_flow, keepdims=True)

        def starting_mass_flow(self, density, viscosity):
            return jnp.ones_like(density)

    with pytest.raises(
        ValueError, match=r"group 'plates': Mean gives pressure drops of shape \(1,\) for flows of shape"
    ):
        _flow({**LAWS, "plates": Mean(1e4)})


def test_names_of_single_branches():
    network = Network.build(["a", "b"], {"pair": BranchGroup(["x", "y"], ["a"] * 2, ["b"] * 2), "z": ("b", "a")}, "a")
    assert network.branches == ("x", "y", "z")
    assert network.group_names == ("pair", "z")
