"""Parts of trackers that learn a filter online."""
