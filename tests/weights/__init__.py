"""Weights: official files, conversion, and what a user may ask for."""
