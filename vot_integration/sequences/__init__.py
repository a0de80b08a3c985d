"""Sequences in VOT format: read, written, and those that are built in."""
