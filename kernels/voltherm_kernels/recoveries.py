"""How often elimination in a fixed order was not enough."""

from . import host_pivoting, native
from .host_pivoting import Recoveries


def recoveries() -> Recoveries:
    """Systems pivoted since the process began, by the compiled kernels and by the host; see `Recoveries`.

    What `xla` and `pallas` solve by dense LU, up to `xla.DENSE_LIMIT` rows, is part of their program and not counted.
    """
    each = [host_pivoting.recoveries()] + ([] if native.why_not() else [native.recoveries()])
    return Recoveries(*map(sum, zip(*each, strict=True)))
