"""One-pass evaluation: what trackers score on data sets with a box a frame. Without torch."""
