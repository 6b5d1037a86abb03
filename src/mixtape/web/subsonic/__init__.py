"""The OpenSubsonic API at /rest: music players that people already have on their phones."""
