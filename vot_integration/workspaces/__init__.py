"""Workspaces of the toolkit: stacks, trackers.ini, and what results were made with."""
