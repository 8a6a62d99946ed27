r"""Mixed tank: one well-stirred volume, stepped exactly.

    M c_p dT/dt = m c_p (T_in - T) + UA (T_amb - T) + Q
    over a step with constant inputs:  T' = T + D dt phi1(k dt) / (M c_p),   mean T = T + D dt phi2(k dt) / (M c_p)
    D = the right-hand side at the start,   k = (m c_p + UA) / (M c_p)

| symbol | meaning                                      | unit     |
|--------|----------------------------------------------|----------|
| M      | mass of liquid in the tank                   | kg       |
| m      | mass flow through it                         | kg/s     |
| UA, Q  | conductance to the ambient, heat put in      | W/K, W   |

Source: the closed solution of the linear balance; phi1, phi2 in `decay.py`. Exact for any step; zero flow and a tank
without losses need no special case.
"""

import equinox as eqx
from jaxtyping import Array, Float

from voltherm.coolant.decay import mean_decay, mean_rise
from voltherm.numerics.bounds import bounded, refuse_out_of_bounds


class MixedTank(eqx.Module):
    """Tanks: mass of liquid, kg, heat capacity, J/(kg K), conductance to the ambient, W/K; elementwise, one shape."""

    mass: Float[Array, "..."] = eqx.field(metadata=bounded("kg", above=0.0))
    heat_capacity: Float[Array, "..."] = eqx.field(metadata=bounded("J/(kg K)", above=0.0))
    wall_conductance: Float[Array, "..."] | float = eqx.field(default=0.0, metadata=bounded("W/K", least=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    def step(
        self,
        temperature: Float[Array, "..."],
        inlet_temperature: Float[Array, "..."],
        mass_flow: Float[Array, "..."],
        ambient_temperature: Float[Array, "..."],
        duration: Float[Array, "..."] | float,
        heat_flow: Float[Array, "..."] | float = 0.0,
    ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Temperature, K, after `duration`, s, and its mean over the step, which is what leaves the tank.

        mass_flow, kg/s, >= 0, temperatures, K, heat_flow, W, all constant over the step.
        """
        capacity = self.mass * self.heat_capacity
        rate = mass_flow * self.heat_capacity
        drive = rate * (inlet_temperature - temperature) + self.wall_conductance * (ambient_temperature - temperature)
        change = (drive + heat_flow) * duration / capacity
        steps = (rate + self.wall_conductance) * duration / capacity
        return temperature + change * mean_decay(steps), temperature + change * mean_rise(steps)
