"""Evaluation on several machines: parts of a workspace as tasks of a Ray cluster."""
