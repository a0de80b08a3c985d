"""Tensor operations that torch lacks."""
