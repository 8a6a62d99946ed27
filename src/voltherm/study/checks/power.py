"""Power-flow and equipment checks against reference records; every error is absolute or relative as its name says."""

import json
import math
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import ResultCode
from voltherm.power import ConversionStage, Line, Load, Network, PowerParameters, PowerState, Transformer, steady
from voltherm.power.matpower import from_arrays

_MEGA = 1e6


def _largest(values: jax.Array | np.ndarray, reference: np.ndarray) -> float:
    return float(np.max(np.abs(np.asarray(values) - reference)))


def _relative(value: jax.Array | np.ndarray, reference: np.ndarray) -> float:
    """Largest difference over the largest reference value of the array."""
    return _largest(value, reference) / float(np.max(np.abs(reference)))


def _injected(state: PowerState) -> jax.Array:
    """Active power that branches and shunts consume [W]: the function whose gradients the reference stores."""
    return jnp.sum(state.active_loss) + jnp.sum(state.active_shunt)


@eqx.filter_jit
def _flow_and_gradient(network: Network, parameters: PowerParameters):
    def consumed(parameters):
        solution = steady(network, parameters)
        return _injected(solution.value), solution

    return jax.value_and_grad(consumed, has_aux=True)(parameters)


@eqx.filter_jit
def _outages(network: Network, parameters: PowerParameters, base: PowerState):
    count = parameters.branches.in_service.shape[0]
    status = parameters.branches.in_service[None] * (1.0 - jnp.eye(count, dtype=parameters.branches.in_service.dtype))

    def outage(in_service):
        changed = eqx.tree_at(lambda tree: tree.branches.in_service, parameters, in_service)
        return steady(network, changed, initial=base)

    # one scenario after another: a batch of all outages needs memory for all of their factors at once
    return jax.lax.map(outage, status, batch_size=16)


def balanced_case(folder: Path, case: str, outages: bool = False) -> dict[str, float]:
    """A MATPOWER case from its flat start: state, flows, losses, adjoint loss gradients, and all single outages."""
    with np.load(folder / case) as stored:
        reference = {name: stored[name] for name in stored}
    network, parameters = from_arrays(
        float(reference["baseMVA"]), reference["bus"], reference["gen"], reference["branch"]
    )
    (_, solution), gradient = _flow_and_gradient(network, parameters)
    state: PowerState = solution.value
    rows = {
        "voltage magnitude": _largest(state.voltage_magnitude, reference["Vm"]),
        "voltage angle": _largest(state.voltage_angle, np.deg2rad(reference["Va_deg"])),
        "branch power, relative": max(
            _relative(getattr(state, f"{kind}_power_{end}") / _MEGA, reference[f"{letter}{end[0]}"])
            for kind, letter in (("active", "P"), ("reactive", "Q"))
            for end in ("from", "to")
        ),
        "slack power, relative": max(
            _relative(state.active_source[reference["ref"]] / _MEGA, reference["slack_P"]),
            _relative(state.reactive_source[reference["ref"]] / _MEGA, reference["slack_Q"]),
        ),
        "total loss, relative": _relative(
            jnp.sum(state.active_loss)[None] / _MEGA, np.atleast_1d(reference["total_loss_P"])
        ),
        "loss gradient to active load, relative": _relative(
            gradient.load.active_constant_power, reference["grad_loss_Pd"]
        ),
        "loss gradient to reactive load, relative": _relative(
            gradient.load.reactive_constant_power, reference["grad_loss_Qd"]
        ),
        "loss gradient to voltage set point, relative": _relative(
            gradient.voltage_set_point / _MEGA, reference["grad_loss_Vset"]
        ),
        "power balance, relative": float(abs(state.active_balance) / jnp.sum(jnp.abs(state.active_load))),
    }
    if outages:
        after = _outages(network, parameters, state)
        solved = np.asarray(after.status.result) == ResultCode.CONVERGED
        known = np.isfinite(reference["n1_Vm"]).all(axis=1) & (reference["branch"][:, 10] > 0)
        rows["outages solved on one side only"] = float(np.sum((solved != known) & (reference["branch"][:, 10] > 0)))
        both = solved & known
        rows["voltage magnitude after outages"] = _largest(
            after.value.voltage_magnitude[both], reference["n1_Vm"][both]
        )
    return rows


def _frontier_total(record: dict, level: str) -> tuple[float, float]:
    """Total power and conversion loss [MW] of the chain with every node at `level` (idle or max)."""
    inputs = record["inputs"]
    node = inputs["node_W"]
    node_power = (
        node["cpu"]["count"] * node["cpu"][level]
        + node["gpu"]["count"] * node["gpu"][level]
        + node["memory"]
        + node["nic"]["count"] * node["nic"]["each"]
        + node["nvme"]
    )

    def stage(key: str, count: float) -> ConversionStage:
        return ConversionStage(
            jnp.asarray(float(inputs[key]["loss_constant_W"])),
            jnp.asarray(inputs[key]["efficiency"]),
            jnp.asarray(count),
        )

    nodes = float(inputs["nodes_per_chassis"])
    node_output = jnp.asarray(nodes * node_power)
    node_input = stage("node_dc_stage", nodes).input_power(node_output)
    chassis_output = node_input + inputs["switches_per_chassis"] * inputs["switch_W"]
    chassis_input = stage("rectifier_stage", float(inputs["rectifiers_per_chassis"])).input_power(chassis_output)
    chassis = inputs["racks"] * inputs["chassis_per_rack"]
    loss = chassis * ((node_input - node_output) + (chassis_input - chassis_output))
    total = chassis * chassis_input + inputs["cdus"] * inputs["cdu_pump_W"]
    return float(total) / _MEGA, float(loss) / _MEGA


def conversion_chain(folder: Path, record: str) -> dict[str, float]:
    """The two-stage conversion chain of the Frontier supercomputer, idle and all-out."""
    reference = json.loads((folder / record).read_text())
    expected = reference["expected"]
    rows = {}
    for name, level in (("idle", "idle"), ("peak", "max")):
        total, loss = _frontier_total(reference, level)
        rows[f"{name} total power, relative"] = total / expected[f"{name}_total_MW"] - 1.0
        rows[f"{name} conversion loss, relative"] = loss / expected[f"{name}_loss_MW"] - 1.0
    return rows


def _substation_current(rated_power: float, voltage: float) -> float:
    """Secondary current [A] of a solved unit substation behind a stiff bus, loaded with its rated current."""
    one, zero = jnp.ones(1), jnp.zeros(1)
    transformer = Transformer(rated_power * one, 0.0575 * one, 0.01 * one, zero, zero, one, zero, one)
    network = Network.build(
        ["primary", "secondary"],
        [34.5e3, voltage],
        [("substation", "primary", "secondary")],
        ["primary"],
        base_power=1e6,
    )
    power_factor = 0.95
    apparent = jnp.array([0.0, rated_power])
    load = Load.from_fractions(power_factor * apparent, math.sqrt(1.0 - power_factor**2) * apparent, 0.0, 1.0)
    parameters = PowerParameters.passive(network, transformer.branches(network.base_power), load)
    return float(steady(network, parameters).value.current_to[0])


def site_equipment(folder: Path, record: str) -> dict[str, float]:
    """Solved currents of fully loaded unit substations and the capacity of feeders, against planning figures."""
    reference = json.loads((folder / record).read_text())
    rows = {
        item["quantity"]: _substation_current(item["rated_power_VA"], item["voltage_V"]) - item["current_A"]
        for item in reference["rated_current"]
    }
    for item in reference["feeder_capacity"]:
        one = jnp.ones(1)
        line = Line(1e-4 * one, 1e-4 * one, 0.0 * one, 1e3 * one, one, item["current_A"] * one)
        capacity = float(line.branches(item["voltage_V"] * one, 1e8).rating[0])
        rows[item["quantity"]] = capacity / item["capacity_VA"] - 1.0
    return rows
