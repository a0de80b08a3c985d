"""Training of SiamFC+."""
