"""An estimate of the time and space that caching would take."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..encoding.mp3 import FRAME_SAMPLES, SAMPLE_RATE_HZ
from ..encoding.rendition import audio_size, require_encodable
from ..encoding.together import encode_together
from ..errors import AudioCacheError, EncodeError
from ..quality import QualityLevel
from ..sources.source import Source, read_source
from ..store.cache import AudioCache
from ..text import bytes_in_words
from .batch import Wanted
from .needs import look_up, outdated
from .outcome import explain_error

_PROBE_S: Final = 20
# In shorter ones, starting ffmpeg would take most of the time.
_MEASURABLE_S: Final = 5.0
_PROBES: Final = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """How many seconds of audio an encoder handles per second, and whether that was measured."""

    factor: float
    is_measured: bool


# What one core of an ordinary machine manages; only used as a guess.
ASSUMED_SPEED: Final = Speed(60.0, False)


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """A track that would be encoded; its figures are 0 if its length is unknown."""

    path: Path
    qualities: tuple[QualityLevel, ...]
    audio_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Args:
        tracks: the tracks to encode.
        skipped: how many would be skipped, by reason.
        failures: the files that could not be read, and why.
    """

    tracks: tuple[PlannedTrack, ...]
    skipped: dict[str, int]
    failures: dict[Path, str]

    @property
    def audio_s(self) -> float:
        """Return the seconds of audio to encode."""
        return sum(track.audio_s for track in self.tracks)

    @property
    def size_bytes(self) -> int:
        """Return the size of the new files, exact except for their tags."""
        return sum(track.size_bytes for track in self.tracks)

    @property
    def unknown(self) -> int:
        """Return for how many tracks the length is unknown until they are decoded."""
        return sum(not track.size_bytes for track in self.tracks)

    def time_s(self, speed: Speed, jobs: int) -> float:
        """Return the approximate time in seconds with a number of encoders at once."""
        return encode_time_s(self.audio_s, jobs, speed)


def encode_time_s(audio_s: float, jobs: int, speed: Speed = ASSUMED_SPEED) -> float:
    """Return the approximate seconds that some seconds of audio take, with encoders at once."""
    cores = len(os.sched_getaffinity(0))
    return audio_s / (speed.factor * max(1, min(jobs, cores)))


def make_plan(
    cache: AudioCache, wanted: Wanted, on_track: Callable[[], None] = lambda: None
) -> Plan:
    """Return what caching would do, reading only headers.

    Args:
        cache: where the files would go.
        wanted: the qualities wanted for each source.
        on_track: is called when another one has been looked at.
    """
    tracks: list[PlannedTrack] = []
    skipped: Counter[str] = Counter()
    failures: dict[Path, str] = {}
    for path, qualities in wanted.items():
        on_track()
        outcome = look_up(cache, path, qualities, cache.logger)
        if outcome is not None:
            skipped[outcome.reason] += 1
            continue
        lacks = outdated(cache, path, qualities)
        try:
            tracks.append(_plan_track(path, read_source(path), lacks))
        except (OSError, EncodeError) as error:
            failures[path] = explain_error(error, path)
    return Plan(tuple(tracks), dict(skipped), failures)


def measure_speed(cache: AudioCache, plan: Plan) -> Speed:
    """Encode the start of a long track to see how fast this machine is; nothing is stored."""
    long = [track for track in plan.tracks if track.audio_s >= _MEASURABLE_S]
    for track in sorted(long, key=lambda each: -each.audio_s)[:_PROBES]:
        try:
            renditions = [cache.get_rendition(track.path, each) for each in track.qualities]
            frames = min(renditions[0].frames, _PROBE_S * SAMPLE_RATE_HZ // FRAME_SAMPLES)
            started = time.perf_counter()
            for _ in encode_together(renditions, 0, frames, nice=cache.nice):
                pass
            took_s = time.perf_counter() - started
            return Speed(frames * FRAME_SAMPLES / SAMPLE_RATE_HZ / took_s, True)
        except (AudioCacheError, OSError):
            continue  # the next one may be intact
    return ASSUMED_SPEED


def free_bytes(cache: AudioCache) -> int:
    """Return the free space on the cache's disk."""
    return shutil.disk_usage(cache.cache_dir).free


def find_obstacle(cache: AudioCache, size_bytes: int) -> str | None:
    """Return why the cache cannot take so many bytes more, in words; None where it can.

    Whoever is about to make much asks this before anything of it is made.
    """
    cure = "choose fewer tracks or a lower quality, or only their beginnings (`warm --heads`)"
    takes, free = f"this takes {bytes_in_words(size_bytes)}, and", free_bytes(cache)
    if size_bytes > free:
        return f"{takes} the cache's disk has {bytes_in_words(free)} left: free some space, {cure}"
    usage = cache.room.usage()
    room_bytes = max(0, cache.room.batch_bytes(usage, size_bytes))
    if size_bytes <= room_bytes:
        return None
    room = bytes_in_words(room_bytes)
    if usage.is_capped:
        return f"{takes} the cache has room for {room} (AUDIO_CACHE_MAX_SIZE): raise that, {cure}"
    return (
        f"{takes} the cache's disk has {room} left above what is to stay free "
        f"(AUDIO_CACHE_MIN_FREE): free some space, {cure}"
    )


def _plan_track(path: Path, source: Source, qualities: Sequence[QualityLevel]) -> PlannedTrack:
    if not source.samples or not source.rate_hz:
        return PlannedTrack(path, tuple(qualities), 0.0, 0)
    for quality in qualities:
        require_encodable(source, quality)
    size = sum(audio_size(source.samples, source.rate_hz, quality) for quality in qualities)
    return PlannedTrack(path, tuple(qualities), source.duration_s, size)
