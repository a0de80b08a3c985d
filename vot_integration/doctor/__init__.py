"""`arvot doctor`: what could go wrong on this machine, before it does."""
