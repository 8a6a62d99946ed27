"""Balanced alternating-current power flow and the components between the utility and the rack."""

from voltherm.power.branch import Branches as Branches
from voltherm.power.branch import concatenate as concatenate
from voltherm.power.branch import two_port as two_port
from voltherm.power.conversion import ConversionStage as ConversionStage
from voltherm.power.flow import steady as steady
from voltherm.power.line import Line as Line
from voltherm.power.load import Load as Load
from voltherm.power.load import reactive_power_of as reactive_power_of
from voltherm.power.loss_curve import LossCurve as LossCurve
from voltherm.power.motor_drive import MotorDrive as MotorDrive
from voltherm.power.network import Network as Network
from voltherm.power.parameters import PowerParameters as PowerParameters
from voltherm.power.power_shelf import PowerShelf as PowerShelf
from voltherm.power.state import BusVoltages as BusVoltages
from voltherm.power.state import PowerState as PowerState
from voltherm.power.transformer import Transformer as Transformer
from voltherm.power.ups import UninterruptiblePowerSupply as UninterruptiblePowerSupply
