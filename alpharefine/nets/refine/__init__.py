"""Alpha-Refine networks of any configuration."""
