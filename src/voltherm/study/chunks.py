"""A study cut into chunks of one shape, and the compiled function that evaluates them.

    chunk k = designs k B to (k + 1) B - 1,   the last one filled up with repetitions of its last design

Which designs share a chunk follows from their numbers alone, every device evaluates one whole chunk of B lanes, and
nothing is handed from chunk to chunk. The numbers of a chunk therefore depend neither on how many devices there are nor
on which chunks were done before: that is what makes a resumed sweep equal to an undisturbed one, bit for bit.

On a GPU the designs of a chunk are the lanes of one batch. On a CPU they follow one another: a single site already
fills the vector units, and a batch would wait in every loop for its slowest design (measured: half the time).

Where a device runs out of memory the chunk is evaluated in halves, quarters and so on (`lanes` designs at a time). A
program for another number of lanes may round differently in the last bit, so the width in use is kept in the sweep's
manifest and holds from then on. Out of memory strikes the first chunk or none, as all have one
shape; should it strike later, chunks before and after agree to rounding only, and a notice tells of it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int

from voltherm.numerics import ResultCode, over_lanes

DesignFunction = Callable[[Float[Array, "variable"], Any], tuple[dict[str, Array], Int[Array, ""]]]
"""`(values, arguments) -> (named scalar outputs, result code)`: one design, pure
and traceable; the outputs are floating-point numbers."""

_AXIS = "device"


@dataclasses.dataclass(frozen=True)
class ChunkPlan:
    """`designs` designs in chunks of `size`."""

    designs: int
    size: int

    def __post_init__(self) -> None:
        if self.designs < 1 or self.size < 1:
            raise ValueError(
                f"a plan needs designs and a chunk size of at least one, not {self.designs} and {self.size}"
            )

    @property
    def count(self) -> int:
        """How many chunks."""
        return -(-self.designs // self.size)

    def rows(self, chunk: int) -> slice:
        """The designs of a chunk, without the filling."""
        return slice(chunk * self.size, min((chunk + 1) * self.size, self.designs))

    def padded(self, chunk: int, points: Float[np.ndarray, "design variable"]) -> Float[np.ndarray, "lane variable"]:
        """The points of a chunk, filled up to its size."""
        return pad(points[self.rows(chunk)], self.size)


def pad(points: Float[np.ndarray, "design variable"], size: int) -> Float[np.ndarray, "lane variable"]:
    """`points` filled up to `size` with repetitions of the last one."""
    return np.concatenate([points, np.repeat(points[-1:], size - len(points), axis=0)])


class Evaluator:
    """Evaluates chunks with one compiled program, one chunk on each device at a time.

    **Arguments**

    - `function`: a `DesignFunction`
    - `arguments`: pytree handed to it unchanged, copied to every device
    - `lanes`: designs a device evaluates at a time
    - `devices`: default all local devices
    - `notice`: called with a sentence when the width had to be halved
    """

    def __init__(
        self,
        function: DesignFunction,
        arguments: Any,
        *,
        lanes: int,
        devices: Sequence[jax.Device] | None = None,
        notice: Callable[[str], None] | None = None,
    ):
        self.lanes = lanes
        self.devices = tuple(devices or jax.local_devices())
        self._notice = notice
        wide = self.devices[0].platform != "cpu"
        mesh = Mesh(np.array(self.devices), (_AXIS,))
        traced, fixed = eqx.partition(arguments, eqx.is_array)

        def on_device(values: Array, traced: Any) -> Any:
            return over_lanes(lambda one: function(one, eqx.combine(traced, fixed)), values, together=wide)

        # every device runs its own loops to its own end: no step of a solver waits for another device
        self._compiled = jax.jit(
            jax.shard_map(
                on_device,
                mesh=mesh,
                in_specs=(PartitionSpec(_AXIS), PartitionSpec()),
                out_specs=PartitionSpec(_AXIS),
                check_vma=False,
            )
        )
        self._sharding = NamedSharding(mesh, PartitionSpec(_AXIS))
        self._arguments = jax.device_put(traced, NamedSharding(mesh, PartitionSpec()))

    def __call__(self, chunks: Sequence[Float[np.ndarray, "lane variable"]]) -> list[dict[str, np.ndarray]]:
        """Columns of every chunk: the outputs by name, and ``result``.

        At most as many chunks as devices, all of one size. A design that failed, or whose outputs are not all finite
        numbers, has NaN in every output; the latter gets the code `NOT_FINITE`.
        """
        while True:
            try:
                return self._evaluate(chunks)
            except (jax.errors.JaxRuntimeError, MemoryError) as error:
                exhausted = isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
                if not exhausted or self.lanes == 1:
                    raise
                self.lanes = -(-self.lanes // 2)
                if self._notice is not None:
                    self._notice(f"out of memory: from here on {self.lanes} designs at a time on a device")

    def _evaluate(self, chunks: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
        size = len(chunks[0])
        # devices without a chunk of their own repeat the last one: the program has one shape
        filled = [*chunks, *[chunks[-1]] * (len(self.devices) - len(chunks))]
        parts = []
        for first in range(0, size, self.lanes):
            together = np.concatenate([pad(chunk[first : first + self.lanes], self.lanes) for chunk in filled])
            values = jax.device_put(together.astype(jnp.result_type(float)), self._sharding)
            outputs, result = self._compiled(values, self._arguments)
            columns = {name: np.asarray(column) for name, column in outputs.items()} | {"result": np.asarray(result)}
            parts.append({name: column.reshape(len(filled), self.lanes) for name, column in columns.items()})
        joined = {name: np.concatenate([part[name] for part in parts], axis=1)[:, :size] for name in parts[0]}
        return [_judged({name: column[number] for name, column in joined.items()}) for number in range(len(chunks))]


def _judged(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    result = columns.pop("result").astype(np.int32)
    finite = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    result[~finite & (result == ResultCode.CONVERGED)] = ResultCode.NOT_FINITE
    failed = result != ResultCode.CONVERGED
    return {name: np.where(failed, np.asarray(np.nan, column.dtype), column) for name, column in columns.items()} | {
        "result": result
    }
