"""The features of ECO."""
