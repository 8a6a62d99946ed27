"""EPANET networks: the hydraulics of an `.inp` file at its first instant, as a coolant network with its laws.

    pipe    Hazen-Williams or Darcy-Weisbach with Swamee-Jain's friction, minor loss 0.02517 K q^2 / d^4 (ft, ft3/s)
    pump    h = w^2 (A - B (q/w)^C) through one point (0, 4/3 H), (q, H), (2 q, 0), or through three
    valve   a throttle control valve by its loss coefficient, others as open

| symbol  | meaning                                    | unit     |
|---------|--------------------------------------------|----------|
| h, q    | head over a pump, volume flow              | m, m3/s  |
| w       | speed over rated speed                     | -        |
| K, d    | loss coefficient, inner diameter           | -, ft    |

Source: Rossman et al., EPANET 2.2 User Manual (2020), chapters 3 and 12, with the engine's own rounded constants: the
two agree to round-off. Reservoirs and tanks hold their heads; demands are those of the patterns at the start, and
controls by tank levels are applied as they stand there. What the file has beyond that is told, in a sentence each.
"""

import dataclasses
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voltherm.formats.errors import EnvironmentFaultError, FileFormatError

if TYPE_CHECKING:
    from voltherm.coolant import AbstractBranchLaw, Network, NetworkState

_FOOT = 0.3048
GRAVITY = 32.2 * _FOOT
_VISCOSITY = 1.1e-5 * _FOOT**2  # m2/s, of water in the engine
_DENSITY = 1000.0
_MINOR_LOSS = 0.02517 * math.pi**2 * 32.2 / 8.0  # the engine's rounded constant over the exact one
_ATMOSPHERE = 101325.0
_ONE_POINT_SHUT_OFF = 1.33334
_CLOSED = 1e12  # Pa s/kg: some 1e-7 kg/s leak at 1 bar, so that a node behind closed links has a pressure
_CHECK_DROP, _CHECK_LEAKAGE = 1e-2, 1e-12  # Pa at the usual flow, and the share of it that this drives backwards
_USUAL_SPEED = 0.5  # m/s
_STATUS_CLOSED, _STATUS_OPEN = 0, 1  # of wntr, which has a plain number where a control has acted
_BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
"""What wntr raises at files with mistakes, apart from its own exceptions."""
_AS_OPEN = {
    "PRV": "holds no pressure",
    "PSV": "holds no pressure",
    "PBV": "breaks no pressure",
    "FCV": "limits no flow",
}


@dataclasses.dataclass(frozen=True)
class WaterNetwork:
    """A file's network: laws by group, demand and elevation (node,), reference pressure (reference,), SI, absolute.

    approximations: what of the file the network does not have, a sentence each.
    """

    network: "Network"
    laws: "dict[str, AbstractBranchLaw]"
    density: float
    viscosity: float
    demand: np.ndarray
    elevation: np.ndarray
    reference_pressure: np.ndarray
    approximations: tuple[str, ...]

    def problem(self) -> dict[str, Any]:
        """Arguments of `voltherm.coolant.flow`: `flow(**water.problem())`."""
        import jax.numpy as jnp

        return {
            "network": self.network,
            "laws": self.laws,
            "density": jnp.asarray(self.density),
            "viscosity": jnp.asarray(self.viscosity),
            "reference_pressure": jnp.asarray(self.reference_pressure),
            "demand": jnp.asarray(self.demand),
            "elevation": jnp.asarray(self.elevation),
            "gravity": GRAVITY,
        }

    def head(self, state: "NetworkState") -> np.ndarray:
        """Heads of the nodes (..., node), m, of a solved state."""
        return (np.asarray(state.pressure) - _ATMOSPHERE) / (self.density * GRAVITY) + self.elevation


def read_inp(path: str | Path, *, approximate: bool = False) -> WaterNetwork:
    """The network of an `.inp` file at its first instant (needs the extra `formats`).

    approximate: take what has no model here as its sentence says. Raises `FileFormatError` with all those sentences
    otherwise, for a file that wntr cannot read, and for one without a reservoir or tank.
    """
    path = Path(path)
    water = _parse(path)
    approximations = (*_approximations(water), *_controls(water))
    if approximations and not approximate:
        listed = "\n".join(f"{path}: {sentence}" for sentence in approximations)
        raise FileFormatError(f"{listed}\n{path}: approximate=True takes the network as these sentences say")
    if water.options.hydraulic.headloss not in ("H-W", "D-W"):
        raise FileFormatError(f"{path}: head loss by {water.options.hydraulic.headloss} has no model: only H-W and D-W")
    try:
        return _convert(water, approximations)
    except ValueError as error:
        raise FileFormatError(f"{path}: {error}") from error
    except _BROKEN as error:
        raise FileFormatError(f"{path}: not a network that EPANET solves: {error}") from error


def _parse(path: Path) -> Any:
    try:
        from wntr.epanet.exceptions import EpanetException
        from wntr.network import WaterNetworkModel
    except ImportError as error:
        raise EnvironmentFaultError(
            f"{path}: reading .inp files needs the extra: pip install 'voltherm[formats]'"
        ) from error
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            # roughness is read in the units of the formula that the file has
            warnings.filterwarnings("ignore", "Changing the headloss formula", UserWarning)
            water = WaterNetworkModel(str(path))
        fixed = [*water.reservoir_name_list, *water.tank_name_list]
    except (EpanetException, *_BROKEN) as error:
        raise FileFormatError(f"{path}: not a network that EPANET reads: {error}") from error
    if not fixed:
        raise FileFormatError(f"{path}: no reservoir and no tank: nothing fixes the heads")
    return water


def _approximations(water: Any) -> Iterator[str]:
    for name, pump in water.pumps():
        if pump.pump_type == "POWER":
            yield f"pump '{name}' has a constant power instead of a curve: it stands still"
        elif len(pump.get_pump_curve().points) not in (1, 3):
            yield f"pump '{name}' has a curve of other than one or three points: a power law is fitted to them"
    for name, valve in water.valves():
        if valve.valve_type in _AS_OPEN and valve.status != _STATUS_OPEN:
            yield f"valve '{name}' is a {valve.valve_type}: it {_AS_OPEN[valve.valve_type]}, and stands open"
        elif valve.valve_type == "GPV":
            yield f"valve '{name}' has a curve of its own: it stands open"
    for name, junction in water.junctions():
        if junction.emitter_coefficient:
            yield f"junction '{name}' has an emitter: it lets nothing out"
    if str(water.options.hydraulic.demand_model).upper() in ("PDA", "PDD"):
        yield "demands depend on pressure in this file: they are met in full"


def _controls(water: Any) -> Iterator[str]:
    """Applies controls by tank levels, as they stand at the start; the sentences tell of the others that act then."""
    from wntr.network.controls import SimTimeCondition, TankLevelCondition

    for name, control in water.controls():
        condition = control.condition
        if isinstance(condition, SimTimeCondition):
            acts = condition._threshold == 0.0  # its evaluation is for a simulation that runs
        elif isinstance(condition, TankLevelCondition):
            acts = condition.evaluate()
        else:
            acts = False
            yield f"'{name}' ({control}) is not applied: only tank levels and times since the start are looked at"
        if acts:
            for action in control.actions():
                action.run_control_action()


def _minor(coefficient: float, diameter: float, density: float) -> float:
    """Pressure drop, Pa, at 1 kg/s."""
    return _MINOR_LOSS * coefficient / (2.0 * density * (math.pi / 4.0 * diameter**2) ** 2)


def _power_curve(pump: Any) -> tuple[float, float, float]:
    """A, m, B, C of a pump's head curve."""
    points = pump.get_pump_curve().points
    if len(points) == 1:
        flow, head = points[0]
        points = [(0.0, _ONE_POINT_SHUT_OFF * head), (flow, head), (2.0 * flow, 0.0)]
    if len(points) == 3 and points[0][0] == 0.0:
        (_, top), (first, upper), (second, lower) = points
        exponent = math.log((top - lower) / (top - upper)) / math.log(second / first)
        return top, (top - upper) / first**exponent, exponent
    top, slope, exponent = pump.get_head_curve_coefficients()
    return float(top), float(slope), float(exponent)


def _is_open(link: Any) -> bool:
    return link.status != _STATUS_CLOSED and getattr(link, "pump_type", "HEAD") == "HEAD"


def _convert(water: Any, approximations: tuple[str, ...]) -> WaterNetwork:
    from voltherm.coolant import BranchGroup, Network

    hydraulic, start = water.options.hydraulic, water.options.time.pattern_start
    density = _DENSITY * hydraulic.specific_gravity
    groups: dict[str, list[Any]] = {"pipes": [], "check valves": [], "pumps": [], "valves": [], "closed": []}
    for links, group in ((water.pipes(), "pipes"), (water.pumps(), "pumps"), (water.valves(), "valves")):
        for _, link in links:
            checked = "check valves" if getattr(link, "check_valve", False) else group
            groups[checked if _is_open(link) else "closed"].append(link)
    groups = {name: links for name, links in groups.items() if links}
    fixed = [*water.reservoir_name_list, *water.tank_name_list]
    nodes = [*water.junction_name_list, *fixed]
    branches = {
        name: BranchGroup(
            [link.name for link in links],
            [link.start_node_name for link in links],
            [link.end_node_name for link in links],
        )
        for name, links in groups.items()
    }
    network = Network.build(nodes, branches, fixed)
    junctions = [water.get_node(name) for name in water.junction_name_list]
    tanks = [water.get_node(name) for name in water.tank_name_list]
    head = [water.get_node(name).head_timeseries.at(start) for name in water.reservoir_name_list]
    # a reservoir's elevation is its head, as in the engine
    elevation = np.array([*(node.elevation for node in junctions), *head, *(tank.elevation for tank in tanks)])
    above = np.array([*np.zeros(len(head)), *(tank.init_level for tank in tanks)])
    demand = [node.demand_timeseries_list.at(start, multiplier=hydraulic.demand_multiplier) for node in junctions]
    return WaterNetwork(
        network=network,
        laws={name: _law(name, links, hydraulic.headloss, density, start) for name, links in groups.items()},
        density=density,
        viscosity=density * _VISCOSITY * hydraulic.viscosity,
        demand=density * np.array([*demand, *np.zeros(len(fixed))]),
        elevation=elevation,
        reference_pressure=_ATMOSPHERE + density * GRAVITY * above,
        approximations=approximations,
    )


def _law(name: str, links: list[Any], headloss: str, density: float, start: float) -> "AbstractBranchLaw":
    import jax.numpy as jnp

    from voltherm.coolant import CheckValve, Pump, PumpCurve, QuadraticLoss, Series

    def array(values: Any) -> Any:
        return jnp.asarray(np.array(list(values), dtype=float))

    def check_valve(usual_volume_flow: Any) -> CheckValve:
        usual = array(density * value for value in usual_volume_flow)
        return CheckValve(usual, jnp.full(len(links), _CHECK_DROP), leakage=_CHECK_LEAKAGE)

    if name == "closed":
        return QuadraticLoss(jnp.ones(len(links)), jnp.full(len(links), _CLOSED), exponent=1.0)
    if name == "pumps":
        top, slope, exponent = zip(*(_power_curve(pump) for pump in links), strict=True)
        weight, ones = density * GRAVITY, jnp.ones(len(links))
        curve = PumpCurve(weight * array(top), 0.0 * ones, -weight * array(slope), density * ones, array(exponent))
        speed = array(pump.initial_setting or pump.speed_timeseries.at(start) for pump in links)
        usual = ((a / b) ** (1.0 / c) / 2.0 for a, b, c in zip(top, slope, exponent, strict=True))
        return Series((Pump(curve, speed), check_valve(usual)))
    if name == "valves":
        loss = (
            max(valve.minor_loss, float(valve.initial_setting) if valve.valve_type == "TCV" else 0.0) for valve in links
        )
        drops = (_minor(k, valve.diameter, density) for k, valve in zip(loss, links, strict=True))
        least = (_minor(1e-4, valve.diameter, density) for valve in links)
        return QuadraticLoss(jnp.ones(len(links)), jnp.maximum(array(drops), array(least)))
    laws = _pipes(links, headloss, density)
    if name == "check valves":
        laws.append(check_valve(_USUAL_SPEED * math.pi / 4.0 * pipe.diameter**2 for pipe in links))
    return laws[0] if len(laws) == 1 else Series(tuple(laws))


def _pipes(links: list[Any], headloss: str, density: float) -> "list[AbstractBranchLaw]":
    import jax.numpy as jnp

    from voltherm.coolant import HazenWilliamsPipe, Pipe, QuadraticLoss

    length, diameter, roughness, loss = (
        jnp.asarray([float(getattr(pipe, field)) for pipe in links])
        for field in ("length", "diameter", "roughness", "minor_loss")
    )
    if headloss == "D-W":
        return [Pipe(length, diameter, roughness, _MINOR_LOSS * loss, "epanet")]
    laws: list[AbstractBranchLaw] = [HazenWilliamsPipe(length, diameter, roughness, GRAVITY)]
    if float(jnp.max(loss)) > 0.0:
        drops = [_minor(pipe.minor_loss, pipe.diameter, density) for pipe in links]
        laws.append(QuadraticLoss(jnp.ones(len(links)), jnp.asarray(drops)))
    return laws
