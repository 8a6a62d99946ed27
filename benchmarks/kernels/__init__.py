"""The network solvers and their peers, side by side in one run: microseconds per scenario of a batch."""
