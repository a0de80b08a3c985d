"""Images, videos and annotations, and the layouts of data sets."""
