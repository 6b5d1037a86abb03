"""The command audio-cache."""
