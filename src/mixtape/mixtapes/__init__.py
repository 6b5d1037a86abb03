"""Mixtapes: stored, drafted, linked, cached."""
