"""Closed coolant loops: pipes, valves, pumps, exchangers, CDUs, dry coolers and chillers, solved for flow and heat."""

from voltherm.coolant.exchanger import ARRANGEMENTS as ARRANGEMENTS
from voltherm.coolant.exchanger import ConductanceLaw as ConductanceLaw
from voltherm.coolant.exchanger import conductance_for_duty as conductance_for_duty
from voltherm.coolant.exchanger import effectiveness as effectiveness
from voltherm.coolant.exchanger import exchange_conductance as exchange_conductance
from voltherm.coolant.flow import NetworkState as NetworkState
from voltherm.coolant.flow import flow as flow
from voltherm.coolant.friction import colebrook as colebrook
from voltherm.coolant.law import AbstractBranchLaw as AbstractBranchLaw
from voltherm.coolant.law import Series as Series
from voltherm.coolant.losses import QuadraticLoss as QuadraticLoss
from voltherm.coolant.network import BranchGroup as BranchGroup
from voltherm.coolant.network import Network as Network
from voltherm.coolant.pipe import HazenWilliamsPipe as HazenWilliamsPipe
from voltherm.coolant.pipe import Pipe as Pipe
from voltherm.coolant.pump import PressureControlledPump as PressureControlledPump
from voltherm.coolant.pump import Pump as Pump
from voltherm.coolant.pump_curve import PumpCurve as PumpCurve
from voltherm.coolant.pump_power import PumpEfficiency as PumpEfficiency
from voltherm.coolant.pump_power import PumpPower as PumpPower
from voltherm.coolant.valve import CheckValve as CheckValve
from voltherm.coolant.valve import ControlValve as ControlValve
