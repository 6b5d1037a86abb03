"""Turn lossless music into MP3 once, keep it, and serve it by ranges at the quality asked for."""

from .batch.background import BackgroundRun, BackgroundRuns
from .batch.estimate import encode_time_s, find_obstacle, free_bytes
from .batch.needs import find_outdated, is_valid, missing
from .cache_worker import CacheWorker, schedule_mixtape_caching
from .encoding.cancellation import Cancellation
from .encoding.ffmpeg import FFmpeg, find_ffmpeg, running_count
from .encoding.rendition import audio_size, is_encodable
from .encoding.survey import Damage
from .errors import (
    AudioCacheError,
    ConfigError,
    CueSheetError,
    DamagedSourceError,
    EncodeError,
    EncodeInterruptedError,
    EngineUnavailableError,
    FFmpegNotFoundError,
    LiveUnavailableError,
    QualityError,
)
from .progress.callback import ProgressCallback
from .progress.events import ProgressEvent, ProgressStatus
from .progress.tracker import ProgressTracker, get_progress_tracker
from .quality import (
    BEST_QUALITY,
    DEFAULT_QUALITY,
    QUALITY_LEVELS,
    QUALITY_SETTINGS,
    QualityLevel,
    QualitySetting,
    bitrate_bps,
    parse_quality,
)
from .serving.composer import Composer
from .serving.composition import Composition, JoinedTracks, TrackCrc, TrackFile, TrackTail
from .serving.traffic import TrafficCount
from .settings import AudioCacheSettings
from .sources.music_roots import MusicRoots, Roots, name_root, split_roots
from .sources.sheet_tracks import (
    SheetTrack,
    cut_files,
    file_of,
    is_sheet_name,
    is_sheet_track,
    own_track_mtime_ns,
)
from .sources.source import (
    Source,
    is_audio_name,
    is_lossless,
    may_be_lossless,
    media_type,
    open_inside,
    read_source,
    stat_source,
    suffix_of,
)
from .sources.source import normalise as normalise_tags
from .sources.source import rename as rename_tag
from .sources.suffixes import AUDIO_SUFFIXES, LOSSLESS_SUFFIXES
from .sources.tag_names import ID3_FRAMES, MP4_ATOMS
from .sources.watch import News, SourceWatch
from .store.cache import AudioCache
from .store.entry import Verdict
from .store.loudness_line import LoudnessLine, find_loudness
from .store.outlook import Outlook, look_ahead
from .store.room import Usage
from .store.stats import CacheStats, gather_stats
from .store.stock import Stock, take_stock
from .store.verify import Inspection, State, verify

__all__ = [
    "AUDIO_SUFFIXES",
    "BEST_QUALITY",
    "DEFAULT_QUALITY",
    "ID3_FRAMES",
    "LOSSLESS_SUFFIXES",
    "MP4_ATOMS",
    "QUALITY_LEVELS",
    "QUALITY_SETTINGS",
    "AudioCache",
    "AudioCacheError",
    "AudioCacheSettings",
    "BackgroundRun",
    "BackgroundRuns",
    "CacheStats",
    "CacheWorker",
    "Cancellation",
    "Composer",
    "Composition",
    "ConfigError",
    "CueSheetError",
    "Damage",
    "DamagedSourceError",
    "EncodeError",
    "EncodeInterruptedError",
    "EngineUnavailableError",
    "FFmpeg",
    "FFmpegNotFoundError",
    "Inspection",
    "JoinedTracks",
    "LiveUnavailableError",
    "LoudnessLine",
    "MusicRoots",
    "News",
    "Outlook",
    "ProgressCallback",
    "ProgressEvent",
    "ProgressStatus",
    "ProgressTracker",
    "QualityError",
    "QualityLevel",
    "QualitySetting",
    "Roots",
    "SheetTrack",
    "Source",
    "SourceWatch",
    "State",
    "Stock",
    "TrackCrc",
    "TrackFile",
    "TrackTail",
    "TrafficCount",
    "Usage",
    "Verdict",
    "audio_size",
    "bitrate_bps",
    "cut_files",
    "encode_time_s",
    "file_of",
    "find_ffmpeg",
    "find_loudness",
    "find_obstacle",
    "find_outdated",
    "free_bytes",
    "gather_stats",
    "get_progress_tracker",
    "is_audio_name",
    "is_encodable",
    "is_lossless",
    "is_sheet_name",
    "is_sheet_track",
    "is_valid",
    "look_ahead",
    "may_be_lossless",
    "media_type",
    "missing",
    "name_root",
    "normalise_tags",
    "open_inside",
    "own_track_mtime_ns",
    "parse_quality",
    "read_source",
    "rename_tag",
    "running_count",
    "schedule_mixtape_caching",
    "split_roots",
    "stat_source",
    "suffix_of",
    "take_stock",
    "verify",
]
