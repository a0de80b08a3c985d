"""One-pass runs on data sets with a box a frame: sequences, processes, result files, records."""
