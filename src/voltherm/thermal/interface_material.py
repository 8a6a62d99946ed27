r"""Thermal interface material between two flat faces: grease, phase-change film, indium, liquid metal, gap pad.

    R = r / A,    r = b / k + r_contact

| symbol    | meaning                                                              | unit   |
|-----------|----------------------------------------------------------------------|--------|
| R         | thermal resistance of the joint, absolute form                       | K/W    |
| r         | its area form (10 mm2K/W = 1e-5 m2K/W)                               | m2K/W  |
| A         | wetted area                                                          | m2     |
| b         | bond-line thickness                                                  | m      |
| k         | conductivity of the material                                         | W/(mK) |
| r_contact | both boundary resistances together                                   | m2K/W  |

Source: R. S. Prasher, Proc. IEEE 94(8), 2006, eq. 1. Usual r in mm2K/W: grease and phase change 5 to 15, indium 2 to
5, liquid metal 1 to 4, gap pad 50 to 200. Range: thin films, one-dimensional heat flow.
"""

import equinox as eqx

from voltherm.numerics.bounds import bounded, refuse_out_of_bounds
from voltherm.thermal.arguments import refuse_not_positive
from voltherm.thermal.leakage import OfChips


class InterfaceMaterial(eqx.Module):
    """A joint by its area resistance [m2K/W] and area [m2], scalars or the shape of the chips."""

    area_resistance: OfChips = eqx.field(metadata=bounded("m2K/W", least=0.0))
    area: OfChips = eqx.field(metadata=bounded("m2", above=0.0))

    def __check_init__(self) -> None:
        refuse_out_of_bounds(self)

    @classmethod
    def from_bond_line(
        cls,
        thickness: OfChips,
        conductivity: OfChips,
        contact_resistance: OfChips,
        area: OfChips,
    ) -> "InterfaceMaterial":
        """A joint from its bond line [m], conductivity [W/(mK)], contact resistance [m2K/W] and area [m2].

        **Raises**: `ValueError` where bond line or conductivity are not above zero.
        """
        refuse_not_positive("bond line", thickness=thickness, conductivity=conductivity)
        return cls(thickness / conductivity + contact_resistance, area)

    @classmethod
    def from_resistance(cls, resistance: OfChips, area: OfChips) -> "InterfaceMaterial":
        """A joint from its absolute resistance [K/W] on an area [m2]."""
        return cls(resistance * area, area)

    def resistance(self) -> OfChips:
        """Absolute thermal resistance [K/W]."""
        return self.area_resistance / self.area
