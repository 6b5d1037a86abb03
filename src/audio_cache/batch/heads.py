"""Heads of many tracks, for a library that is larger than its cache."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..encoding.cancellation import Cancellation
from ..encoding.ffmpeg import FFmpegRun
from ..encoding.mp3 import FRAME_SAMPLES, SAMPLE_RATE_HZ, frames_size
from ..errors import AudioCacheError
from ..quality import QualityLevel, bitrate_bps
from ..store.cache import AudioCache
from ..store.heads import HEAD_FRAMES, head_size
from .batch import Wanted
from .estimate import Plan, PlannedTrack, make_plan
from .outcome import explain_error

_HEAD_S: Final = HEAD_FRAMES * FRAME_SAMPLES / SAMPLE_RATE_HZ
# To check what a source states, all of it is decoded: about ten times as fast as encoding it.
_CHECKED_AS_FAST_AS: Final = 0.1


@dataclass(frozen=True, slots=True)
class MadeHeads:
    """What became of a track: how many heads were made, or why it has none."""

    path: Path
    made: int
    problem: str = ""


def plan_heads(
    cache: AudioCache, wanted: Wanted, on_track: Callable[[], None] = lambda: None
) -> Plan:
    """Return what making heads would do, as `make_plan`; its seconds are those of encoding."""
    plan = make_plan(cache, wanted, on_track)
    return replace(plan, tracks=tuple(map(_head_of, plan.tracks)))


def make_heads(
    cache: AudioCache, plan: Plan, jobs: int, on_track: Callable[[MadeHeads], None]
) -> None:
    """Make the heads of the tracks of a plan; those that are there are left alone.

    Args:
        cache: where they go.
        plan: of `plan_heads`.
        jobs: how many tracks at once.
        on_track: is told of each track when it is done, in the thread of the caller.

    Raises:
        KeyboardInterrupt: the user ended it; what was made stays.
    """
    cancellation = Cancellation()

    def make(track: PlannedTrack) -> MadeHeads:
        try:
            cancellation.pause(0)
            made = [
                make_head(cache, track.path, quality, cancellation.hold)
                for quality in track.qualities
            ]
        except (AudioCacheError, OSError) as error:
            return MadeHeads(track.path, 0, explain_error(error, track.path))
        return MadeHeads(track.path, sum(made))

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            for each in as_completed([pool.submit(make, track) for track in plan.tracks]):
                on_track(each.result())
        except BaseException:
            cancellation.set()
            pool.shutdown(cancel_futures=True)
            raise


def make_head(
    cache: AudioCache,
    path: Path,
    quality: QualityLevel,
    on_start: Callable[[FFmpegRun], None] = lambda run: None,
) -> bool:
    """Make the head of a rendition, unless that is too short or there is more; say whether.

    Whether the audio is what the source states is checked first, which reads all of it.

    Raises:
        NoRoomError: the cache has none.
        EncodeError, OSError: as `AudioCache.transcode_file`.
    """
    rendition = cache.identify(path, quality)
    size = head_size(rendition)
    if not size or cache.heads.has(rendition.id) or cache.is_cached(path, quality):
        return False
    cache.room.require_short(rendition)
    with cache.damages.explained(path, on_start, cache.nice):
        cache.checks.complete(rendition, cache.checks.begin(rendition.source), on_start)
    frames = rendition.encode(0, HEAD_FRAMES, nice=cache.nice, on_start=on_start)
    beginning = rendition.header + b"".join(frames)
    cache.room.take_for_head(rendition.id, size)
    cache.heads.keep(rendition.id, beginning)
    return True


def _head_of(track: PlannedTrack) -> PlannedTrack:
    sizes = [_size(quality) for quality in track.qualities if track.size_bytes]
    encoded_s = min(track.audio_s, _HEAD_S) * len(sizes)
    audio_s = encoded_s + track.audio_s * _CHECKED_AS_FAST_AS
    return replace(track, audio_s=audio_s, size_bytes=sum(sizes))


def _size(quality: QualityLevel) -> int:
    return frames_size(bitrate_bps(quality), HEAD_FRAMES)
