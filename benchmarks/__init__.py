"""Benchmarks: speed and memory, measured as whole processes and printed as ratios of one run."""
