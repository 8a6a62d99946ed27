"""MATPOWER case arrays as a network and its parameters (no file access here).

    r, x, b in per unit on baseMVA; Pd, Qd, Gs, Bs, Pg, Qg in MW, MVAr; angles in degrees; baseKV line-to-line
    ratio 0 means 1; the tap is at the from end; shift positive = the to end lags

| column of | used |
| --- | --- |
| bus | number, type, Pd, Qd, Gs, Bs, Va (slack), baseKV |
| gen | bus, Pg, Qg, Vg, status |
| branch | from, to, r, x, b, rateA, ratio, shift, status |

Source: MATPOWER User's Manual, appendix B (case format version 2). A type-2 bus without a generator in service is
solved as a load bus; the last generator in service at a bus gives its set point; a rating of 0 means unrated. A bus of
type 4 is isolated: it is left out, and with it its loads, generators and branches, as in MATPOWER.
"""

from collections import Counter

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from voltherm.power.branch import Branches, in_place
from voltherm.power.load import Load
from voltherm.power.network import Network
from voltherm.power.parameters import PowerParameters
from voltherm.power.state import BusVoltages

_LOAD_BUS, _CONTROLLED_BUS, _SLACK_BUS, _ISOLATED_BUS = 1, 2, 3, 4
_USED = {"bus": (0, 1, 2, 3, 4, 5, 8, 9), "gen": (0, 1, 2, 5, 7), "branch": (0, 1, 2, 3, 4, 5, 8, 9, 10)}
_MOST_NAMED = 5


def isolated_buses(bus: Float[np.ndarray, "bus bus_column"]) -> tuple[str, ...]:
    """Numbers of the buses of type 4, which `from_arrays` leaves out."""
    return tuple(f"{int(row[0])}" for row in bus if row[1] == _ISOLATED_BUS)


def initial_voltages(bus: Float[np.ndarray, "bus bus_column"], dtype: jnp.dtype | type | None = None) -> BusVoltages:
    """The voltages that case arrays hold (columns Vm, Va), as `voltherm.power.steady` takes them as `initial`.

    In the order of the network that `from_arrays` makes. A magnitude that is not above zero is read as 1 p.u.
    """
    connected = bus[bus[:, 1] != _ISOLATED_BUS]
    magnitude, angle = connected[:, 7], np.deg2rad(connected[:, 8])
    kind = dtype or jnp.zeros(()).dtype
    return BusVoltages(jnp.asarray(np.where(magnitude > 0.0, magnitude, 1.0), kind), jnp.asarray(angle, kind))


def _mistakes(bus: np.ndarray, gen: np.ndarray, branch: np.ndarray) -> list[str]:
    """What is wrong with the numbers themselves."""
    found = []
    tables = (("bus", bus), ("gen", gen), ("branch", branch))
    for name, table in tables:
        if table.ndim != 2 or table.shape[1] <= _USED[name][-1]:
            found.append(f"table {name}: {_USED[name][-1] + 1} columns needed, its shape is {table.shape}")
    if found:
        return found
    for name, table in tables:
        wrong = np.flatnonzero(~np.isfinite(table[:, _USED[name]]).all(axis=1))
        found += [f"row {row + 1} of {name} holds a number that is not finite" for row in wrong]
    if found:
        return found
    numbers = bus[:, 0]
    found += [f"bus {number:.10g}: a bus is named by a whole number" for number in numbers if number % 1 or number < 1]
    repeated = [number for number, count in Counter(numbers.tolist()).items() if count > 1]
    found += [f"bus {number:g} is defined twice" for number in repeated]
    kinds = (_LOAD_BUS, _CONTROLLED_BUS, _SLACK_BUS, _ISOLATED_BUS)
    found += [f"bus {row[0]:.10g}: there is no type {row[1]:g}" for row in bus if row[1] not in kinds]
    known = set(numbers.tolist())
    for row, number in enumerate(gen[:, 0], start=1):
        if number not in known:
            found.append(f"row {row} of gen: there is no bus {number:.10g}")
    for row, ends in enumerate(branch[:, :2], start=1):
        found += [f"row {row} of branch: there is no bus {end:.10g}" for end in ends if end not in known]
    generating = set(gen[gen[:, 7] > 0, 0].tolist())
    found += [
        f"bus {number:.10g} is the slack and no generator in service fixes its voltage: switch one on, or choose "
        "another slack"
        for number in numbers[bus[:, 1] == _SLACK_BUS]
        if number not in generating
    ]
    return found


def from_arrays(
    base_mva: float,
    bus: Float[np.ndarray, "bus bus_column"],
    gen: Float[np.ndarray, "generator gen_column"],
    branch: Float[np.ndarray, "branch branch_column"],
    dtype: jnp.dtype | type | None = None,
) -> tuple[Network, PowerParameters]:
    """Network and parameters in the row order of the arrays; buses are named by their numbers, branches `from-to`
    (`#2`, `#3` for further parallel ones). Raises ValueError that names the bus or row of what cannot be solved."""
    mistakes = _mistakes(bus, gen, branch)
    if mistakes:
        more = f"; and {len(mistakes) - _MOST_NAMED:,} more" if len(mistakes) > _MOST_NAMED else ""
        raise ValueError("; ".join(mistakes[:_MOST_NAMED]) + more)
    isolated = bus[bus[:, 1] == _ISOLATED_BUS, 0]
    bus = bus[~np.isin(bus[:, 0], isolated)]
    gen = gen[~np.isin(gen[:, 0], isolated)]
    branch = branch[~np.isin(branch[:, :2], isolated).any(axis=1)]
    numbers = [f"{int(number)}" for number in bus[:, 0]]
    position = {name: index for index, name in enumerate(numbers)}
    on = gen[gen[:, 7] > 0]
    generator_bus = np.array([position[f"{int(number)}"] for number in on[:, 0]], dtype=int)
    count = len(bus)
    active, reactive, set_point = np.zeros(count), np.zeros(count), np.ones(count)
    np.add.at(active, generator_bus, on[:, 1])
    np.add.at(reactive, generator_bus, on[:, 2])
    set_point[generator_bus] = on[:, 5]
    generating = np.zeros(count, dtype=bool)
    generating[generator_bus] = True
    slack = bus[:, 1] == _SLACK_BUS
    ends = [(f"{int(row[0])}", f"{int(row[1])}") for row in branch]
    seen: dict[str, int] = {}
    names = []
    for end in ends:
        name = "-".join(end)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    network = Network.build(
        numbers,
        # a base voltage of 0 means unknown: 1 kV keeps currents finite, per-unit results do not use it
        [1e3 * (voltage or 1.0) for voltage in bus[:, 9]],
        [(name, *end) for name, end in zip(names, ends, strict=True)],
        [name for name, chosen in zip(numbers, slack, strict=True) if chosen],
        [
            name
            for name, kind, chosen in zip(numbers, bus[:, 1], generating, strict=True)
            if kind == _CONTROLLED_BUS and chosen
        ],
        base_power=1e6 * float(base_mva),
    )

    def array(values: np.ndarray) -> jnp.ndarray:
        return jnp.asarray(values, dtype or jnp.zeros(()).dtype)

    zeros = np.zeros(len(branch))
    parameters = PowerParameters(
        branches=in_place(
            network,
            Branches(
                resistance=array(branch[:, 2]),
                reactance=array(branch[:, 3]),
                conductance=array(zeros),
                susceptance=array(branch[:, 4]),
                tap_ratio=array(np.where(branch[:, 8] == 0, 1.0, branch[:, 8])),
                phase_shift=array(np.deg2rad(branch[:, 9])),
                in_service=array(branch[:, 10] > 0),
                rating=array(np.where(branch[:, 5] == 0, np.inf, 1e6 * branch[:, 5])),
                names=network.branches,
            ),
        ),
        load=Load.from_fractions(array(1e6 * bus[:, 2]), array(1e6 * bus[:, 3])),
        active_generation=array(1e6 * active),
        reactive_generation=array(1e6 * reactive),
        voltage_set_point=array(set_point),
        angle_set_point=array(np.deg2rad(np.where(slack, bus[:, 8], 0.0))),
        shunt_conductance=array(1e6 * bus[:, 4]),
        shunt_susceptance=array(1e6 * bus[:, 5]),
    )
    return network, parameters
