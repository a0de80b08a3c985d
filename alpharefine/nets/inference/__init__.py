"""Inference forms of the networks: the same functions in fewer passes over memory."""
