"""The progress of long work, as its listeners are told."""
