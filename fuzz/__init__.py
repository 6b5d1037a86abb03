"""Fuzzers: bytes and requests that nobody would think of, for whoever reads what strangers send."""
