"""Training: data sets, sampling, losses and loops."""
