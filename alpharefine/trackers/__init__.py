"""Base trackers."""
