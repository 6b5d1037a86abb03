"""Playing renditions that are still being encoded."""
