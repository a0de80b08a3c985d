"""Tests of the TraX server against the toolkit's own runtime."""
