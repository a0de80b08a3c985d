"""Training of base trackers."""
