"""Telling listeners how long work is going."""
