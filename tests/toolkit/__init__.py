"""The official toolkit, run end to end."""
