"""The small registered weights of the weights' tests."""

from tests.weights.conftest import cache, tiny_kinds

__all__ = ["cache", "tiny_kinds"]
