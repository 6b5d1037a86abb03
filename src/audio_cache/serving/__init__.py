"""HTTP without a web framework: playback and ranges."""
