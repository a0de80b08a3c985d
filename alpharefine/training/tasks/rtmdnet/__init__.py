"""Training of RT-MDNet."""
