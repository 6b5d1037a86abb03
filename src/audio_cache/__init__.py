"""Turn lossless music into MP3 once, keep it, and serve it by ranges at the quality asked for."""

from .audio_cache import AudioCache
from .quality import QUALITY_SETTINGS, QualityLevel

__all__ = ["QUALITY_SETTINGS", "AudioCache", "QualityLevel"]
