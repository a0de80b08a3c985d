"""Regions: targets to boxes, estimates to the shapes that are answered, and pictures of both."""
