"""Conversion stage with a constant and a proportional loss.

    P_in = (P_out + c) / eta          loss = P_in - P_out

| symbol | meaning | unit |
| --- | --- | --- |
| P_in, P_out | input and output power of one converter | W |
| c | constant loss of one converter | W |
| eta | efficiency of the proportional part | - |

Source: W. Brewer et al., SC24 (arXiv 2410.05133) and the ExaDigiT RAPS configuration of Frontier. Valid from no load to
the rated load of one converter; c and eta are fits, not nameplate values.
"""

import equinox as eqx
from jaxtyping import Array, Float


class ConversionStage(eqx.Module):
    """`count` equal converters that share their load evenly; fields are scalars or broadcast against the load.

    `loss_constant` [W] of one converter, and the `efficiency` [-] of the proportional part.
    """

    loss_constant: Float[Array, "..."]
    efficiency: Float[Array, "..."]
    count: Float[Array, "..."]

    def input_power(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Power drawn by all converters [W] when together they deliver `output_power` [W]."""
        return (output_power + self.count * self.loss_constant) / self.efficiency

    def loss(self, output_power: Float[Array, "..."]) -> Float[Array, "..."]:
        """Heat released by all converters [W]."""
        return self.input_power(output_power) - output_power
