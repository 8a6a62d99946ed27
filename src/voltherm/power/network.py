"""Static topology of a balanced alternating-current network.

    rows    = [0 .. n)   + from_bus + to_bus
    columns = [0 .. n)   + to_bus   + from_bus

is the block pattern of the nodal admittance matrix and of the power-flow Jacobian (one 2x2 block per entry). It is
analysed once, on the host; every number (admittances, loads, taps, outages) stays traced, so that an outage or a
changed bus type is a value change inside the same pattern and never a new compilation.

| symbol | meaning | unit |
| --- | --- | --- |
| n, b | number of buses, of branches | - |
| base_voltage | nominal line-to-line voltage of a bus | V |
| base_power | three-phase base of the per-unit system | VA |

Source: MATPOWER User's Manual, chapter 3 (bus and branch conventions); per-unit impedance base = V_base^2 / S_base.
Valid for balanced three-phase operation (positive sequence) and any connected or meshed topology.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import equinox as eqx
import numpy as np
from voltherm_kernels import Schedule, analyse


def _duplicates(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


class Topology:
    """Names, incidence and schedule of a network; compared and hashed by content, so usable as a static field."""

    def __init__(
        self,
        buses: tuple[str, ...],
        base_voltages: np.ndarray,
        branches: tuple[str, ...],
        from_bus: np.ndarray,
        to_bus: np.ndarray,
        slack: np.ndarray,
        voltage_controlled: np.ndarray,
        base_power: float,
    ):
        self.buses = buses
        self.base_voltages = base_voltages
        self.branches = branches
        self.from_bus = from_bus
        self.to_bus = to_bus
        self.slack = slack
        self.voltage_controlled = voltage_controlled
        self.base_power = base_power
        digest = hashlib.sha256(repr((buses, branches, base_power)).encode())
        for array in (base_voltages, from_bus, to_bus, slack, voltage_controlled):
            digest.update(array.tobytes())
        self._digest = digest.hexdigest()
        diagonal = np.arange(len(buses))
        self.schedule: Schedule = analyse(
            np.concatenate([diagonal, from_bus, to_bus]),
            np.concatenate([diagonal, to_bus, from_bus]),
            len(buses),
            block_size=2,
        )

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topology) and self._digest == other._digest

    def __repr__(self) -> str:
        return f"Topology({len(self.buses)} buses, {len(self.branches)} branches, {self._digest[:8]})"


class Network(eqx.Module):
    """A network without its numbers: a pytree without leaves, the same for every scenario of a batch."""

    topology: Topology = eqx.field(static=True)

    @classmethod
    def build(
        cls,
        buses: Sequence[str],
        base_voltages: Sequence[float],
        branches: Sequence[tuple[str, str, str]],
        slack: Sequence[str],
        voltage_controlled: Sequence[str] = (),
        *,
        base_power: float = 100e6,
    ) -> "Network":
        """Builds the topology on the host.

        `buses`: names; `base_voltages`: nominal line-to-line voltages [V], one per bus; `branches`: (name, from bus,
        to bus); `slack`: buses that fix voltage and angle; `voltage_controlled`: buses that fix voltage magnitude and
        active power; `base_power` [VA]. Raises ValueError that lists every mistake by name.
        """
        names = tuple(buses)
        branch_names = tuple(branch[0] for branch in branches)
        position = {name: index for index, name in enumerate(names)}
        mistakes = [f"bus {name!r} is defined twice" for name in _duplicates(names)]
        mistakes += [f"branch {name!r} is defined twice" for name in _duplicates(branch_names)]
        if len(base_voltages) != len(names):
            mistakes.append(f"{len(names)} buses but {len(base_voltages)} base voltages")
        mistakes += [
            f"bus {name!r}: base voltage {voltage!r} V must be positive"
            for name, voltage in zip(names, base_voltages, strict=False)
            if not voltage > 0
        ]
        for name, *ends in branches:
            mistakes += [f"branch {name!r}: unknown bus {end!r}" for end in ends if end not in position]
            if ends[0] == ends[1]:
                mistakes.append(f"branch {name!r} connects bus {ends[0]!r} to itself")
        mistakes += [f"unknown slack bus {name!r}" for name in slack if name not in position]
        mistakes += [f"unknown voltage-controlled bus {name!r}" for name in voltage_controlled if name not in position]
        mistakes += [
            f"bus {name!r} is both slack and voltage controlled" for name in sorted({*slack} & {*voltage_controlled})
        ]
        if not slack:
            mistakes.append("no slack bus: name at least one bus that fixes voltage and angle")
        if not base_power > 0:
            mistakes.append(f"base power {base_power!r} VA must be positive")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        is_slack = np.zeros(len(names), dtype=bool)
        is_slack[[position[name] for name in slack]] = True
        is_controlled = np.zeros(len(names), dtype=bool)
        is_controlled[[position[name] for name in voltage_controlled]] = True
        return cls(
            Topology(
                names,
                np.asarray(base_voltages, dtype=np.float64),
                branch_names,
                np.array([position[branch[1]] for branch in branches], dtype=np.int32),
                np.array([position[branch[2]] for branch in branches], dtype=np.int32),
                is_slack,
                is_controlled,
                float(base_power),
            )
        )

    @property
    def buses(self) -> tuple[str, ...]:
        """Bus names, in the order of every array over buses."""
        return self.topology.buses

    @property
    def branches(self) -> tuple[str, ...]:
        """Branch names, in the order of every array over branches."""
        return self.topology.branches

    @property
    def base_power(self) -> float:
        """Three-phase base of the per-unit system [VA]."""
        return self.topology.base_power

    @property
    def base_voltages(self) -> np.ndarray:
        """Nominal line-to-line voltages (bus,) [V]."""
        return self.topology.base_voltages

    @property
    def from_bus(self) -> np.ndarray:
        """Index of every branch's from bus (branch,)."""
        return self.topology.from_bus

    @property
    def to_bus(self) -> np.ndarray:
        """Index of every branch's to bus (branch,)."""
        return self.topology.to_bus

    @property
    def slack(self) -> np.ndarray:
        """True where a bus fixes voltage and angle (bus,)."""
        return self.topology.slack

    @property
    def voltage_controlled(self) -> np.ndarray:
        """True where a bus fixes voltage magnitude and active power (bus,)."""
        return self.topology.voltage_controlled

    def bus_index(self, name: str) -> int:
        """Position of a bus by name; KeyError names it."""
        return _position(self.topology.buses, name, "bus")

    def branch_index(self, name: str) -> int:
        """Position of a branch by name; KeyError names it."""
        return _position(self.topology.branches, name, "branch")


def _position(names: tuple[str, ...], name: str, kind: str) -> int:
    if name not in names:
        raise KeyError(f"no {kind} {name!r}")
    return names.index(name)
