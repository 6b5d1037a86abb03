"""A cache with live encodes, for the tests of what its listeners get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audio_cache.encoding.rendition import Rendition
from audio_cache.live.encodes import Live
from audio_cache.live.growing_file import FollowedBytes
from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import partial_path
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import files_under

SECONDS = 30


class House:
    """A cache with its live encodes, which must all be gone when a test is over."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lives: list[Live] = []

    def live(self, ffmpeg: StubFFmpeg, **given: object) -> Live:
        cache = AudioCache(self.directory, ffmpeg=ffmpeg.path)
        self.lives.append(Live(cache, **given))  # type: ignore[arg-type]
        return self.lives[-1]

    def entry(self, rendition: Rendition) -> Path:
        return AudioCache(self.directory).get_cache_path(rendition.source.path, rendition.quality)

    def part(self, rendition: Rendition) -> Path:
        return partial_path(self.entry(rendition), rendition)

    def files(self) -> set[str]:
        """Return what lies in the cache, but for its index."""
        return files_under(self.directory)


def low(live: Live, track: Path) -> Rendition:
    return live.cache.get_rendition(track, "low")


def read(answer: FollowedBytes) -> bytes:
    try:
        return b"".join(answer)
    finally:
        answer.close()


def is_idle(live: Live) -> Callable[[], bool]:
    return lambda: live.busy_encoders == 0 and not live.growing()
