"""The library: scanned, browsed, with covers."""
