"""The campus: the three domains coupled, its weather, controls, limits, indicators and its behaviour in time."""

from voltherm.site.build import build as build
from voltherm.site.build import parameter as parameter
from voltherm.site.build import parameter_paths as parameter_paths
from voltherm.site.build import with_parameters as with_parameters
from voltherm.site.climate import dry_bulb_year as dry_bulb_year
from voltherm.site.coupling import attach_derivatives as attach_derivatives
from voltherm.site.coupling import steady as steady
from voltherm.site.findings import Finding as Finding
from voltherm.site.findings import findings as findings
from voltherm.site.layout import Layout as Layout
from voltherm.site.layout import layout as layout
from voltherm.site.outputs import FIGURES as FIGURES
from voltherm.site.outputs import outputs as outputs
from voltherm.site.ride_through import RideThrough as RideThrough
from voltherm.site.sections import Site as Site
from voltherm.site.states import SiteState as SiteState
from voltherm.site.supply_temperature import allowed_supply_temperature as allowed_supply_temperature
from voltherm.site.transient import simulate as simulate
