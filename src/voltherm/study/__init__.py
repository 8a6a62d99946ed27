"""Studies: design variables, sweeps, tuning, sensitivities and validation."""
