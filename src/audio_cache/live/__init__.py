"""Live playing of renditions that are still being encoded."""
