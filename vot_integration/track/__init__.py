"""`arvot track`: a tracker on any video, with its answers drawn into it."""
