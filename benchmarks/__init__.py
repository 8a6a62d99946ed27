"""Times of the main jobs; `python -m benchmarks` runs them all."""
