"""Weights: what exists, where it comes from, and how it is read without running foreign code."""
