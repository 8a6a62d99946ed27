"""Names of everything in a site, in the order of the arrays: halls, rows, racks, trays, devices, buses, feeders.

Host code: tuples of strings made from the counts of the `Building` section, used by summaries, reports and files.
"""

import dataclasses

from voltherm.site.sections import Site


@dataclasses.dataclass(frozen=True)
class Layout:
    """Names by position. Rows, racks and halls are named within a building; `buildings` prefixes them.

    `rows` has one entry a row (its CDU is the row's name with "-CDU"), `racks[row][rack]` one a rack.
    """

    buildings: tuple[str, ...]
    halls: tuple[str, ...]
    rows: tuple[str, ...]
    racks: tuple[tuple[str, ...], ...]
    compute_trays: tuple[str, ...]
    switch_trays: tuple[str, ...]

    def rack(self, building: int, row: int, rack: int) -> str:
        """The name of one rack, with its building where there are several."""
        return self.within(building, self.racks[row][rack])

    def cdu(self, building: int, row: int) -> str:
        """The name of the CDU of one row."""
        return self.within(building, f"{self.rows[row]}-CDU")

    def device(self, kind: str, building: int, row: int, rack: int, tray: int, device: int) -> str:
        """The name of one chip, such as ``H2-R16-K11 tray 18 GPU 1``."""
        trays = self.switch_trays if kind == "switch" else self.compute_trays
        return (
            f"{self.rack(building, row, rack)} {trays[tray]} {kind.upper() if kind != 'switch' else kind} {device + 1}"
        )

    def within(self, building: int, name: str) -> str:
        """A name of one building, with that of the building where there are several."""
        return name if len(self.buildings) == 1 else f"{self.buildings[building]}-{name}"


def layout(site: Site) -> Layout:
    """The names of everything in `site`."""
    building = site.building
    halls = tuple(f"H{hall + 1}" for hall in range(building.halls))
    rows = tuple(f"{hall}-R{row + 1:02d}" for hall in halls for row in range(building.rows_per_hall))
    return Layout(
        buildings=tuple(f"B{number + 1}" for number in range(building.count)),
        halls=halls,
        rows=rows,
        racks=tuple(tuple(f"{row}-K{rack + 1:02d}" for rack in range(building.racks_per_row)) for row in rows),
        compute_trays=tuple(f"tray {tray + 1:02d}" for tray in range(site.rack.compute_trays)),
        switch_trays=tuple(f"switch tray {tray + 1}" for tray in range(site.rack.switch_trays)),
    )
