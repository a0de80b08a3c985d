"""ECO on deep features."""
