"""Fixed-pattern sparse kernels."""
