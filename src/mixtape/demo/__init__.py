"""A small library of music to try mixtape with."""
