"""Features of crops that nothing is learned for."""
