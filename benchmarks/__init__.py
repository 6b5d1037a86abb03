"""Benchmarks: what the project promises in figures, measured on the machine they run on."""
