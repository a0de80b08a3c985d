"""Numeric parity with the official implementation, on recorded fixtures."""
