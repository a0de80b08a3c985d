"""Training of ATOM's box regressor."""
