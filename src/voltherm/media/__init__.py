"""Properties of liquids and air as differentiable, elementwise functions of temperature in K and pressure in Pa."""

from voltherm.media import dry_air as dry_air
from voltherm.media import moist_air as moist_air
from voltherm.media.build import LIQUID_NAMES as LIQUID_NAMES
from voltherm.media.build import ethylene_glycol_from_mass_fraction as ethylene_glycol_from_mass_fraction
from voltherm.media.build import ethylene_glycol_from_volume_fraction as ethylene_glycol_from_volume_fraction
from voltherm.media.build import liquid as liquid
from voltherm.media.build import propylene_glycol_from_mass_fraction as propylene_glycol_from_mass_fraction
from voltherm.media.build import propylene_glycol_from_volume_fraction as propylene_glycol_from_volume_fraction
from voltherm.media.ethylene_glycol import EthyleneGlycolWater as EthyleneGlycolWater
from voltherm.media.fraction import mass_fraction_from_volume_fraction as mass_fraction_from_volume_fraction
from voltherm.media.fraction import volume_fraction_from_mass_fraction as volume_fraction_from_mass_fraction
from voltherm.media.hydrofluoroether import HFE7100 as HFE7100
from voltherm.media.inhibited_ethylene_glycol import InhibitedEthyleneGlycolWater as InhibitedEthyleneGlycolWater
from voltherm.media.inhibited_propylene_glycol import InhibitedPropyleneGlycolWater as InhibitedPropyleneGlycolWater
from voltherm.media.liquid import AbstractLiquid as AbstractLiquid
from voltherm.media.propylene_glycol import PropyleneGlycolWater as PropyleneGlycolWater
from voltherm.media.validity import OutsideRange as OutsideRange
from voltherm.media.validity import check_range as check_range
from voltherm.media.validity import outside_range as outside_range
from voltherm.media.vapour_pressure import vapour_pressure as vapour_pressure
from voltherm.media.water import Water as Water
