"""SiamFC+."""
