"""Tuning: trials of a tracker's settings on sequences, studies that keep them; optuna's room."""
