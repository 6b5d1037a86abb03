"""mixtape: a small web player for your own music, built on audio_cache."""
