"""Networks of SiamFC+."""
