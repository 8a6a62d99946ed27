"""Studies: design variables, sweeps, tuning, sensitivities and validation."""

from voltherm.study.design import DesignVariable as DesignVariable
from voltherm.study.design import DesignVariables as DesignVariables
from voltherm.study.design import sample as sample
from voltherm.study.sweep import SweepResult as SweepResult
from voltherm.study.sweep import sweep as sweep
