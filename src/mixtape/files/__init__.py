"""The music folder on disk: names, tags, pictures."""
