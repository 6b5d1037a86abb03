"""Everything the cache keeps: entries, partial files, and their upkeep."""
