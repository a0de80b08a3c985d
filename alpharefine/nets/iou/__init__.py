"""ATOM's IoU network, that DiMP-super shares: a value for any box, ascended to refine it."""
