"""Why a site has no steady state: one pass at its starting point, and a sentence for the part that fails."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from voltherm.numerics import ResultCode, sentence
from voltherm.power import steady as power_flow
from voltherm.site.building import solve_building, starting_point
from voltherm.site.electrical import one_line, power_parameters
from voltherm.site.equipment import build_equipment
from voltherm.site.layout import layout
from voltherm.site.sections import Site


@eqx.filter_jit
def _parts(site: Site):
    equipment = build_equipment(site)
    one = jax.tree.map(lambda part: part[0], starting_point(site))
    working = jnp.ones((), site.climate.dry_bulb.dtype)
    _, state, result, _ = solve_building(site, equipment, one, jnp.zeros_like(working), working)
    repeated = jax.tree.map(lambda part: jnp.broadcast_to(part, (site.building.count, *part.shape)), state)
    parameters = power_parameters(site, repeated.row_power, repeated.row_reactive_power, repeated.mechanical_power)
    return state, result, power_flow(one_line(site).network, parameters).status


def diagnose(site: Site, code: int) -> str:
    """Why `site` has no steady state: the part that fails by name, and what to try. `code`: of the solve."""
    names = layout(site)
    state, result, power = jax.tree.map(np.asarray, _parts(site))
    racks = state.racks
    for kind, temperature in (
        ("gpu", racks.gpu_temperature),
        ("cpu", racks.cpu_temperature),
        ("switch", racks.switch_temperature),
    ):
        lost = np.argwhere(~np.isfinite(temperature))
        if lost.size and np.all(np.isfinite(state.rows.tray_mass_flow)):
            chip = names.device(kind, 0, *lost[0].tolist())
            return (
                f"{chip} has no steady temperature: its leakage grows faster than its cold plate takes the heat "
                f"away ({len(lost)} chips of this kind). Lower secondary.supply_temperature or rack.{kind}.power, or "
                "raise the flow with secondary.differential_pressure."
            )
    if int(result) != ResultCode.CONVERGED:
        where = "the secondary loop of a row" if not np.all(np.isfinite(state.rows.mass_flow)) else "the facility loop"
        return sentence(ResultCode(int(result)), where)
    if int(power.result) != ResultCode.CONVERGED:
        bus = one_line(site).network.buses[int(power.worst)]
        if int(power.result) == ResultCode.INOPERABLE:
            return "the power flow: " + sentence(ResultCode.INOPERABLE, f"bus '{bus}'")
        return (
            f"the power flow has no solution; the largest mismatch is at bus '{bus}'. The load is beyond what "
            "feeders and transformers can carry at any voltage: raise their ratings, or share the rows over more "
            "feeders."
        )
    coupling = sentence(ResultCode(code), "the coupling of the domains")
    if code == ResultCode.OUT_OF_RANGE:
        return coupling + (
            " Its unknowns settle, but its balances do not close: some coil, cooler or exchanger is asked for far more "
            "heat than it can carry. Compare rack.air_flow and the ratings of the air handlers' coils with the heat "
            "that the racks give to the air."
        )
    return coupling + (
        " Heat rejection may be exhausted while the heat still grows with temperature: look at the load, the number "
        "of dry coolers and the capacity of the chillers at this dry bulb."
    )
