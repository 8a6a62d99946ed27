"""Programs lowered for NVIDIA GPUs on machines that have none."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
from jax.sharding import AbstractDevice, AbstractMesh
from voltherm_kernels.pallas import calls

_TRITON = "__gpu$xla.gpu.triton"


def named_gpu() -> AbstractContextManager:
    """Where programs are lowered for an H100: jax 0.12 has to know the device, and none stands here."""
    device = AbstractDevice("NVIDIA H100", num_cores=None, platform="gpu")
    return jax.sharding.use_abstract_mesh(AbstractMesh((), (), abstract_device=device))


def _calls(function: Callable[..., Any], operands: tuple[Any, ...]) -> list[str]:
    unchecked = [jax.export.DisabledSafetyCheck.custom_call(_TRITON)]
    with named_gpu():
        exported = jax.export.export(jax.jit(function), platforms=["cuda"], disabled_checks=unchecked)(*operands)
    return [line for line in exported.mlir_module().splitlines() if f"@{_TRITON}" in line]


def triton_calls(function: Callable[..., Any], *operands: Any) -> list[str]:
    """Names of the Triton kernels in the program, in its order."""
    return [name for line in _calls(function, operands) for name in re.findall(r', name = "(\w+)"', line)[-1:]]


def check_scratch(function: Callable[..., Any], operands: Any, lanes: int, memory: float) -> None:
    """The one kernel of a program takes as many programs as fit into its share of the memory, and not one more."""
    program = jax.make_jaxpr(function)(operands)
    (kernel,) = [equation for equation in program.eqns if equation.primitive.name == "pallas_call"]
    scratch = [result.aval for result in kernel.outvars if result.aval.shape[-1] != lanes]
    (width,) = {array.shape[-1] for array in scratch}
    programs, taken = width // calls.WIDTH, sum(array.size * array.dtype.itemsize for array in scratch)
    assert programs > 1
    assert taken <= calls.MEMORY_SHARE * memory < taken * (programs + 1) / programs


def triton_code_sizes(function: Callable[..., Any], *operands: Any) -> list[int]:
    """Characters of each Triton kernel's code."""
    codes = [re.search(r' ir = "((?:[^"\\]|\\.)*)"', line) for line in _calls(function, operands)]
    return [len(code.group(1)) for code in codes if code]
