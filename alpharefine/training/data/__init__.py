"""Readers of training data: every data set becomes a `VideoSource`."""
