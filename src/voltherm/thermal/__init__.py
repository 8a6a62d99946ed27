"""Heat from the junction to the coolant and the air: chips, packages, cold plates, trays, racks and layered stacks."""

from voltherm.thermal.air_side import ASHRAE_INLET_LIMIT as ASHRAE_INLET_LIMIT
from voltherm.thermal.air_side import AirSide as AirSide
from voltherm.thermal.cold_plate import LITRE_PER_MINUTE as LITRE_PER_MINUTE
from voltherm.thermal.cold_plate import ColdPlate as ColdPlate
from voltherm.thermal.cold_plate import out_of_range as out_of_range
from voltherm.thermal.coolant_properties import CoolantProperties as CoolantProperties
from voltherm.thermal.device import junction_temperature as junction_temperature
from voltherm.thermal.device import scaled_leakage_rise as scaled_leakage_rise
from voltherm.thermal.device import solve_device as solve_device
from voltherm.thermal.interface_material import InterfaceMaterial as InterfaceMaterial
from voltherm.thermal.leakage import LeakagePower as LeakagePower
from voltherm.thermal.package import Package as Package
from voltherm.thermal.rack import RackModel as RackModel
from voltherm.thermal.rack import RackState as RackState
from voltherm.thermal.rack import plate_flows as plate_flows
from voltherm.thermal.rack import steady as steady
from voltherm.thermal.rack_transient import RackStep as RackStep
from voltherm.thermal.rack_transient import RackThermalState as RackThermalState
from voltherm.thermal.rack_transient import steady_thermal_state as steady_thermal_state
from voltherm.thermal.rack_transient import transient_step as transient_step
from voltherm.thermal.tray import DeviceGroup as DeviceGroup
from voltherm.thermal.tray import Tray as Tray
from voltherm.thermal.tray import tray_flow_at_pressure_drop as tray_flow_at_pressure_drop
from voltherm.thermal.tray import tray_flow_coefficient as tray_flow_coefficient
from voltherm.thermal.tray import tray_pressure_drop as tray_pressure_drop
