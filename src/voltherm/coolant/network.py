"""Topology of a coolant network: nodes, groups of branches with one law each, and the patterns that solves need.

    continuity    sum of flows out of a node - sum of flows into it + demand = 0      at every node but the reference
    nodes incidence     A[k, i] = +1 where branch k starts at node i, -1 where it ends there

Topology is static and hashable: it never enters a trace, and every number of the branches lives in the laws. The node
graph without reference nodes carries the hydraulic linear step (Todini and Pilati, 1988), the whole graph the heat
transport.
"""

import difflib
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from voltherm_kernels import Schedule, analyse


@dataclass(frozen=True)
class BranchGroup:
    """Branches that share a law: names, and the names of the nodes where each starts and ends, all of one length."""

    names: Sequence[str]
    from_nodes: Sequence[str]
    to_nodes: Sequence[str]

    def __post_init__(self) -> None:
        for field in ("names", "from_nodes", "to_nodes"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        if not len(self.names) == len(self.from_nodes) == len(self.to_nodes):
            raise ValueError(
                f"a group of {len(self.names)} branches has {len(self.from_nodes)} from-nodes "
                f"and {len(self.to_nodes)} to-nodes"
            )


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A coolant network's topology. Build it with `Network.build`; equal and hashable by content.

    nodes, groups and reference_nodes as given; from_node, to_node (branch,) node numbers; branches in the order of the
    groups. group_names: as given, or "1", "2" and so on.
    """

    nodes: tuple[str, ...]
    groups: tuple[BranchGroup, ...]
    reference_nodes: tuple[str, ...]
    from_node: np.ndarray
    to_node: np.ndarray
    digest: str
    group_names: tuple[str, ...]

    @classmethod
    def build(
        cls,
        nodes: Sequence[str],
        branches: Sequence[BranchGroup] | Mapping[str, BranchGroup | tuple[str, str]],
        reference_node: str | Sequence[str],
    ) -> "Network":
        """Check and number a network.

        branches: groups, in the order of the laws, or by name; `{"pump": ("return", "supply")}` is a group of one
        branch of that name, from the first node to the second. reference_node: the node, or nodes, whose pressure is
        given (expansion vessel, reservoir). Raises ValueError that names the element for a repeated or unknown name, a
        branch from a node to itself, and nodes with no path to a reference node.
        """
        groups, group_names = _named_groups(branches)
        reference_nodes = (reference_node,) if isinstance(reference_node, str) else tuple(reference_node)
        names = tuple(nodes)
        number = {name: index for index, name in enumerate(names)}
        branch_names = [name for group in groups for name in group.names]
        _refuse_repeated("node", names)
        _refuse_repeated("branch", branch_names)
        starts = [name for group in groups for name in group.from_nodes]
        ends = [name for group in groups for name in group.to_nodes]
        for branch, start, end in zip(branch_names, starts, ends, strict=True):
            for name in (start, end):
                if name not in number:
                    raise ValueError(f"branch '{branch}' is connected to '{name}', which is not a node")
            if start == end:
                raise ValueError(f"branch '{branch}' starts and ends at node '{start}'")
        for name in reference_nodes:
            if name not in number:
                raise ValueError(f"reference node '{name}' is not a node")
        from_node = np.asarray([number[name] for name in starts], dtype=np.int32)
        to_node = np.asarray([number[name] for name in ends], dtype=np.int32)
        _refuse_unconnected(names, from_node, to_node, [number[name] for name in reference_nodes])
        content = hashlib.sha256(repr((names, groups, reference_nodes, group_names)).encode()).hexdigest()
        return cls(names, groups, reference_nodes, from_node, to_node, content, group_names)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.digest == other.digest

    def __repr__(self) -> str:
        return f"Network({len(self.nodes)} nodes, {len(self.from_node)} branches, digest={self.digest[:8]})"

    @cached_property
    def branches(self) -> tuple[str, ...]:
        """Names of all branches in the order of the flows."""
        return tuple(name for group in self.groups for name in group.names)

    @cached_property
    def group_slices(self) -> tuple[slice, ...]:
        """Where each group's branches stand among all."""
        ends = np.cumsum([0] + [len(group.names) for group in self.groups]).tolist()
        return tuple(slice(start, end) for start, end in itertools.pairwise(ends))

    def node_index(self, name: str) -> int:
        """Number of a node; KeyError tells that there is none of that name."""
        return _number(self._node_numbers, name, "node")

    def branch_index(self, name: str) -> int:
        """Number of a branch; KeyError tells that there is none of that name."""
        return _number(self._branch_numbers, name, "branch")

    def at_nodes(self, values: Mapping[str, Float[ArrayLike, ""]], rest: float = 0.0) -> Float[Array, " node"]:
        """Numbers given by the names of nodes, such as demands, as (node,); `rest` at all others."""
        places = np.asarray([self.node_index(name) for name in values], dtype=np.int32)
        return _spread(len(self.nodes), places, list(values.values()), rest)

    def at_branches(self, values: Mapping[str, Float[ArrayLike, ""]], rest: float = 0.0) -> Float[Array, " branch"]:
        """Numbers given by the names of branches, such as heat flows, as (branch,); `rest` in all others."""
        places = np.asarray([self.branch_index(name) for name in values], dtype=np.int32)
        return _spread(len(self.from_node), places, list(values.values()), rest)

    def by_node(self, values: Float[Array, "*lanes node"]) -> dict[str, Float[Array, "*lanes"]]:
        """A result of the nodes by their names."""
        return {name: values[..., number] for number, name in enumerate(self.nodes)}

    def by_branch(self, values: Float[Array, "*lanes branch"]) -> dict[str, Float[Array, "*lanes"]]:
        """A result of the branches by their names."""
        return {name: values[..., number] for number, name in enumerate(self.branches)}

    def by_group(self, values: Float[Array, "*lanes branch"]) -> dict[str, Float[Array, "*lanes part"]]:
        """A result of the branches by the names of their groups, in each group's order."""
        return {name: values[..., part] for name, part in zip(self.group_names, self.group_slices, strict=True)}

    @cached_property
    def _node_numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.nodes)}

    @cached_property
    def _branch_numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.branches)}

    @cached_property
    def reference_index(self) -> np.ndarray:
        """Numbers of the reference nodes, (reference,)."""
        return np.asarray([self.node_index(name) for name in self.reference_nodes], dtype=np.int32)

    @cached_property
    def free_index(self) -> np.ndarray:
        """Numbers of the nodes whose pressure is unknown, (free,)."""
        return np.setdiff1d(np.arange(len(self.nodes), dtype=np.int32), self.reference_index)

    @cached_property
    def connected_parts(self) -> np.ndarray:
        """Number of the connected part that each node belongs to, (node,)."""
        ones, count = np.ones(len(self.from_node)), len(self.nodes)
        return connected_components(csr_array((ones, (self.from_node, self.to_node)), (count, count)))[1]

    @cached_property
    def free_slot(self) -> np.ndarray:
        """Place of each node among the free ones, (node,); reference nodes have the place behind the last."""
        slot = np.full(len(self.nodes), len(self.free_index), dtype=np.int32)
        slot[self.free_index] = np.arange(len(self.free_index))
        return slot

    @cached_property
    def free_ends(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where every branch starts and ends among the free nodes; their number stands for any reference node."""
        start, end = (tuple(self.free_slot[nodes].tolist()) for nodes in (self.from_node, self.to_node))
        return start, end

    @cached_property
    def _inner(self) -> np.ndarray:
        """Branches (inner,) between two free nodes: they couple unknowns."""
        free = np.zeros(len(self.nodes), dtype=bool)
        free[self.free_index] = True
        return np.flatnonzero(free[self.from_node] & free[self.to_node])

    @cached_property
    def flow_schedule(self) -> Schedule:
        """Elimination of the free nodes; entries: the diagonal, then inner branches from-to, then to-from."""
        start, end = self.free_slot[self.from_node[self._inner]], self.free_slot[self.to_node[self._inner]]
        diagonal = np.arange(len(self.free_index))
        return analyse(np.r_[diagonal, start, end], np.r_[diagonal, end, start], len(diagonal))

    @cached_property
    def heat_schedule(self) -> Schedule:
        """Elimination of all nodes; entries: the diagonal, then every branch from-to, then to-from."""
        diagonal = np.arange(len(self.nodes))
        rows = np.r_[diagonal, self.from_node, self.to_node]
        return analyse(rows, np.r_[diagonal, self.to_node, self.from_node], len(diagonal))

    def conductance_entries(self, conductance: Float[Array, " branch"]) -> Float[Array, " entry"]:
        """Values of A^T diag(conductance) A over the free nodes, in the order of `flow_schedule`."""
        coupling = -conductance[self._inner]
        return jnp.concatenate([self.gather_at_nodes(conductance, conductance)[self.free_index], coupling, coupling])

    def gather_at_nodes(
        self, at_start: Float[Array, " branch"], at_end: Float[Array, " branch"]
    ) -> Float[Array, " node"]:
        """Sum at every node of `at_start` over branches that start there and of `at_end` over those that end there."""
        total = jnp.zeros(len(self.nodes), at_start.dtype)
        return total.at[self.from_node].add(at_start).at[self.to_node].add(at_end)

    def difference(self, at_nodes: Float[Array, " node"]) -> Float[Array, " branch"]:
        """Value at each branch's start minus the value at its end."""
        return at_nodes[self.from_node] - at_nodes[self.to_node]


def _named_groups(
    branches: Sequence[BranchGroup] | Mapping[str, BranchGroup | tuple[str, str]],
) -> tuple[tuple[BranchGroup, ...], tuple[str, ...]]:
    if not isinstance(branches, Mapping):
        groups = tuple(branches)
        return groups, tuple(str(number + 1) for number in range(len(groups)))
    named = (
        group if isinstance(group, BranchGroup) else BranchGroup([name], [group[0]], [group[1]])
        for name, group in branches.items()
    )
    return tuple(named), tuple(branches)


def _number(numbers: Mapping[str, int], name: str, kind: str) -> int:
    if name not in numbers:
        near = difflib.get_close_matches(name, numbers, n=1)
        raise KeyError(f"no {kind} is called '{name}'" + (f"; is '{near[0]}' meant?" if near else ""))
    return numbers[name]


def _spread(count: int, places: np.ndarray, values: list, rest: float) -> Array:
    if not values:
        return jnp.full(count, rest)
    given = jnp.stack([jnp.asarray(value) for value in values])
    dtype = given.dtype if jnp.issubdtype(given.dtype, jnp.inexact) else jnp.result_type(float)
    return jnp.full(count, rest, dtype).at[places].set(given.astype(dtype))


def _refuse_repeated(kind: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {'branches' if kind == 'branch' else kind + 's'} are called '{name}'")
        seen.add(name)


def _refuse_unconnected(
    names: tuple[str, ...], from_node: np.ndarray, to_node: np.ndarray, reference: Sequence[int]
) -> None:
    neighbours: list[list[int]] = [[] for _ in names]
    for start, end in zip(from_node.tolist(), to_node.tolist(), strict=True):
        neighbours[start].append(end)
        neighbours[end].append(start)
    reached = set(reference)
    waiting = list(reference)
    while waiting:
        found = [node for node in neighbours[waiting.pop()] if node not in reached]
        reached.update(found)
        waiting.extend(found)
    lost = [name for index, name in enumerate(names) if index not in reached]
    if lost:
        shown = ", ".join(f"'{name}'" for name in lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise ValueError(f"no path to a reference node from {shown}: nothing fixes the pressure there")
