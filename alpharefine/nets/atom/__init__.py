"""ATOM's network."""
