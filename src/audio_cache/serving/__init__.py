"""HTTP without a framework's application: ranges, playback, paths, event streams."""
