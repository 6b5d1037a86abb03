"""The import path `audio_cache.progress_tracker`, kept for programs that use it."""

from .progress.callback import ProgressCallback
from .progress.events import ProgressEvent, ProgressStatus
from .progress.tracker import ProgressTracker, get_progress_tracker

__all__ = [
    "ProgressCallback",
    "ProgressEvent",
    "ProgressStatus",
    "ProgressTracker",
    "get_progress_tracker",
]
