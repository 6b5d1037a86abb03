"""The import path `audio_cache.audio_cache`, kept for programs that use it."""

from .quality import QUALITY_SETTINGS, QualityLevel
from .store.cache import AudioCache

__all__ = ["QUALITY_SETTINGS", "AudioCache", "QualityLevel"]
