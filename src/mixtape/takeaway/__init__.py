"""Mixtapes to take along: as archives, as one MP3, as playlists and as podcasts, and back."""
