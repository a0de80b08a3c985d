"""`arvot sequences convert`: videos and data sets of other formats become VOT sequences."""
