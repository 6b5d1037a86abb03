"""The caching of many tracks, in the foreground and in the background."""
