"""A tracker as a TraX server: protected descriptors, the session, regions in and out."""
