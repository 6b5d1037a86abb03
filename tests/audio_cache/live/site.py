"""A server that plays what is still being made, and tracks that nobody else asks for."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audio_cache.store.cache import AudioCache
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server
from tests.helpers.renditions import partial_of

LIVE = "audio-cache; fwd=miss; detail=live"

HIT = "audio-cache; hit"

ORIGINAL = "audio-cache; fwd=miss"


@dataclass
class Site:
    """A server with an ffmpeg that logs, and one track that nobody else asks for."""

    server: Server
    ffmpeg: StubFFmpeg
    track: Path
    whole: bytes

    @property
    def entry(self) -> Path:
        return AudioCache(self.server.cache_dir).get_cache_path(self.track, "low")

    @property
    def part(self) -> Path:
        """Return where the entry grows."""
        return partial_of(AudioCache(self.server.cache_dir), self.track)

    def encodes_of(self, name: str) -> list[bool]:
        """Return of each encode of a track whether it began at the start."""
        return [each.is_whole for each in self.ffmpeg.encodes() if f"/{name} " in each.arguments]


def reference(track: Path, directory: Path) -> bytes:
    """Return what a plain encode of the track makes in a directory of its own."""
    return AudioCache(directory).transcode_file(track, "low").read_bytes()


@contextlib.contextmanager
def own_site(
    root: Path, track: Path, *, speed: float | None = None, **config: object
) -> Iterator[Site]:
    """Start a server for one test."""
    ffmpeg = StubFFmpeg(root, speed=speed)
    with Server(root, AUDIO_CACHE_FFMPEG=ffmpeg.path, **config) as server:
        copy = server.music / "track.flac"
        shutil.copyfile(track, copy)
        yield Site(server, ffmpeg, copy, reference(copy, root / "reference"))
