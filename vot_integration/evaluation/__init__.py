"""The official toolkit at work: processes, shards, result files and scores."""
