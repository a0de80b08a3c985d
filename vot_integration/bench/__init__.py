"""How fast a tracker is: the parts of `arvot bench`."""
