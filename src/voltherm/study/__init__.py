"""Studies: design variables, sweeps, tuning, calibration, sensitivities and validation."""

from voltherm.study.calibration import Calibration as Calibration
from voltherm.study.calibration import calibrate as calibrate
from voltherm.study.calibration import calibrate_cold_plate as calibrate_cold_plate
from voltherm.study.design import DesignVariable as DesignVariable
from voltherm.study.design import DesignVariables as DesignVariables
from voltherm.study.design import sample as sample
from voltherm.study.sensitivity import Sensitivity as Sensitivity
from voltherm.study.sensitivity import sensitivities as sensitivities
from voltherm.study.sensitivity import site_sensitivities as site_sensitivities
from voltherm.study.sweep import SweepResult as SweepResult
from voltherm.study.sweep import sweep as sweep
from voltherm.study.tune import TuneResult as TuneResult
from voltherm.study.tune import tune as tune
from voltherm.study.yearly_cost import yearly_cost as yearly_cost
