"""Real-time MDNet."""
