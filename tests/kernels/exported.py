"""Programs lowered for NVIDIA GPUs on machines that have none."""

import re
from collections.abc import Callable
from typing import Any

import jax

_TRITON = "__gpu$xla.gpu.triton"


def triton_calls(function: Callable[..., Any], *operands: Any) -> list[str]:
    """Names of the Triton kernels in the program, in its order."""
    unchecked = [jax.export.DisabledSafetyCheck.custom_call(_TRITON)]
    exported = jax.export.export(jax.jit(function), platforms=["cuda"], disabled_checks=unchecked)(*operands)
    calls = [line for line in exported.mlir_module().splitlines() if f"@{_TRITON}" in line]
    return [name for line in calls for name in re.findall(r', name = "(\w+)"', line)[-1:]]
