"""``voltherm describe``: what a case amounts to, without solving it."""

import operator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voltherm.cli.options import Case, Json, Overrides
from voltherm.cli.output import print_json, result_console, simple_table

if TYPE_CHECKING:
    from rich.table import Table

    from voltherm.formats.loader import Document, Value


def describe(
    case: Case,
    overrides: Overrides = None,
    every: Annotated[bool, typer.Option("--all", help="Every value, with the file and line it comes from.")] = False,
    json: Json = False,
) -> None:
    """Show what a case or study amounts to, without solving it."""
    from voltherm.formats.loader import configuration, kind_of, study
    from voltherm.formats.schema_site import FIELDS

    if kind_of(case) == "site":
        configured, document = configuration(case, overrides or ())
        figures = _figures(configured, document)
    else:
        found = study(case, overrides or ())
        document, figures = found.document, {}
        for variable in found.variables:
            field = FIELDS[variable["path"]]
            if "values" in variable:
                figures[variable["path"]] = ", ".join(field.shown(value) for value in variable["values"])
            else:
                figures[variable["path"]] = f"{field.shown(variable['minimum'])} to {field.shown(variable['maximum'])}"
    if json:
        values = {v.path: _as_json(v) for v in document.values}
        print_json({"name": document.name, "kind": document.kind, "figures": figures, "values": values})
        return
    console = result_console(whole_lines=True)
    if figures:
        console.print(simple_table(document.name, ("", ""), list(figures.items())))
    if document.tolerances:
        console.print(_tolerances(document))
    if every or document.kind != "site":
        console.print(_values(document))


def _as_json(value: "Value") -> dict[str, Any]:
    plain = {"value": value.value, "text": value.text, "file": value.file, "line": value.line}
    return plain | ({"tolerance": value.tolerance} if value.tolerance else {})


def _tolerances(document: "Document") -> "Table":
    rows = []
    for value in document.values:
        if value.tolerance:
            ends = (value.field.shown(value.value + side * value.tolerance) for side in (-1.0, 1.0))
            rows.append((value.path, value.text, " to ".join(ends), f"{value.file}:{value.line}"))
    return simple_table(
        "Numbers with a tolerance", ("path", "value", "which holds it with 95 %", "written in"), rows, left=4
    )


def _values(document: "Document") -> "Table":
    rows = [(value.path, value.text, f"{value.file}:{value.line}", value.field.meaning) for value in document.values]
    return simple_table("Values", ("path", "value", "written in", "meaning"), rows, left=4)


def _figures(site: Any, document: "Document") -> dict[str, str]:
    from voltherm.formats.rack_power import LOAD, rack_heat
    from voltherm.formats.units import quantity

    building, rack, electrical = site.building, site.rack, site.electrical
    racks = building.halls * building.rows_per_hall * building.racks_per_row
    gpus = racks * rack.compute_trays * rack.gpu.per_tray
    each = rack_heat(*(operator.attrgetter(path)(site) for path in LOAD))
    rows = building.halls * building.rows_per_hall
    transformers = electrical.main_transformers
    supply = quantity(site.secondary.supply_temperature, "temperature", digits=4)
    row = building.racks_per_row * each.liquid
    intake, short_circuit = electrical.intake_voltage, electrical.intake_short_circuit
    return {
        "buildings": str(building.count),
        "halls, rows, racks of a building": f"{building.halls}, {rows}, {racks:,}",
        "GPUs of a building": f"{gpus:,}",
        "heat of a rack to liquid and air": f"{each.liquid / 1e3:.4g} kW, {each.air / 1e3:.4g} kW",
        "racks of a building": f"{racks * each.power / 1e6:.4g} MW",
        "racks of the site": f"{building.count * racks * each.power / 1e6:.4g} MW",
        "CDU": f"{site.cdu.rated_heat / 1e6:.4g} MW at rating, {row / 1e6:.4g} MW of racks",
        "secondary coolant": f"{site.secondary.fluid}, {supply}",
        "facility water": f"{site.facility.fluid}, {site.facility.volume:,.0f} m3",
        "dry coolers": f"{site.dry_coolers.count:g} of {site.dry_coolers.rated_heat / 1e6:.4g} MW",
        "trim chillers": f"{site.chillers.count:g} of {site.chillers.capacity / 1e6:.4g} MW",
        "main transformers": f"{transformers} of {electrical.main_transformer.rating / 1e6:g} MVA a building",
        "intake, short circuit": f"{intake / 1e3:g} kV, {short_circuit / 1e9:g} GVA",
        "hot day": quantity(site.climate.dry_bulb, "temperature", digits=4),
    }
