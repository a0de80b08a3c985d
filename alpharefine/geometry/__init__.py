"""Pixel conventions: boxes, crops and the way back to the image."""
