"""Turn lossless music into MP3 once, keep it, and serve it by ranges at the quality asked for."""

from .audio_cache import AudioCache
from .cache_worker import CacheWorker, schedule_mixtape_caching
from .progress_tracker import (
    ProgressCallback,
    ProgressEvent,
    ProgressStatus,
    ProgressTracker,
    get_progress_tracker,
)
from .quality import QUALITY_SETTINGS, QualityLevel

__all__ = [
    "QUALITY_SETTINGS",
    "AudioCache",
    "CacheWorker",
    "ProgressCallback",
    "ProgressEvent",
    "ProgressStatus",
    "ProgressTracker",
    "QualityLevel",
    "get_progress_tracker",
    "schedule_mixtape_caching",
]
