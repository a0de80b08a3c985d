"""Defaults that the help of commands names, too."""

RAY_CORES = 2
"""Processor cores for each part of an evaluation on a cluster."""
