"""Several objects in one video: what their trackers share, and which of them are there."""
