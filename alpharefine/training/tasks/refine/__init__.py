"""Training of Alpha-Refine."""
