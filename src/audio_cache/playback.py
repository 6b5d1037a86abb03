"""What a listener gets for a track: a cached rendition, a live one, or the original."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from werkzeug.wrappers import Request, Response

from .audio_cache import AudioCache
from .config import AudioCacheSettings
from .entry import entry_etag, judge, read_open_entry
from .errors import AudioCacheError
from .live import Live
from .quality import QualityLevel, bitrate_bps
from .rendition import Rendition
from .serving import Representation, listener_has_left, respond
from .traffic import Traffic

_CACHE_NAME: Final = "audio-cache"
_MEDIA_TYPES: Final = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aifc": "audio/aiff",
    ".aiff": "audio/aiff",
    ".ape": "audio/x-ape",
    ".dff": "audio/x-dff",
    ".dsf": "audio/x-dsf",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".alac": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".tta": "audio/x-tta",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
    ".wma": "audio/x-ms-wma",
    ".wv": "audio/x-wavpack",
}


class Playback:
    """Decide and answer plays; a listener never gets an error where the original can be sent."""

    def __init__(self, cache: AudioCache, settings: AudioCacheSettings, live: Live) -> None:
        self.cache = cache
        self.settings = settings
        self.live = live
        self.traffic = Traffic()
        self._logger = cache.logger

    def answer(self, request: Request, path: Path, quality: QualityLevel) -> Response:
        """Return the answer to a GET or HEAD of a track.

        Raises:
            FileNotFoundError: the source does not exist, or is no file.
            OSError: the source cannot be read.
        """
        source = os.stat(path)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"{path} is no file")
        if not self.settings.enabled or quality == "original":
            return self._original(request, path, "fwd=bypass")
        cached = self._cached(path, quality, source)
        if cached is not None:
            return self._respond(request, cached, "hit", source.st_size)
        if not self.cache.should_transcode(path):
            return self._original(request, path, "fwd=bypass")
        return self._miss(request, path, quality, source.st_size)

    def _miss(
        self, request: Request, path: Path, quality: QualityLevel, source_size: int
    ) -> Response:
        self._logger.warning("cache miss: %r at %s", str(path), quality)
        try:
            rendition = self.cache.get_rendition(path, quality)
            if self.settings.on_miss == "live":
                live = self._live(request, rendition)
                return self._respond(request, live, "fwd=miss; detail=live", source_size)
            if request.method == "GET":
                self.live.start(rendition, nice=self.settings.nice)
        except (AudioCacheError, OSError) as error:
            self._logger.warning("%r is played as the original: %s", str(path), error)
        return self._original(request, path, "fwd=miss")

    def _cached(
        self, path: Path, quality: QualityLevel, source: os.stat_result
    ) -> Representation | None:
        """Return the valid entry as open file, so that a purge from now on cannot touch it."""
        try:
            fd = os.open(self.cache.get_cache_path(path, quality), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._logger.warning("cannot look up %r in the cache: %s", str(path), error)
            return None
        try:
            entry = read_open_entry(fd)
            if not judge(entry, source):
                os.close(fd)
                return None
            made_from = entry.identity.mtime_ns if entry.identity else entry.mtime_ns
            return Representation(
                length=entry.size_bytes,
                etag=entry_etag(fd, entry),
                mtime_s=made_from / 1e9,
                content_type="audio/mpeg",
                fd=fd,
                headers=_rendition_header(quality, source.st_size),
            )
        except OSError:
            os.close(fd)
            return None

    def _live(self, request: Request, rendition: Rendition) -> Representation:
        def open_range(start: int, stop: int) -> Iterable[bytes]:
            return self.live.play(
                rendition,
                start,
                stop,
                listener=_listener(request),
                is_gone=listener_has_left(request.environ),
            )

        return Representation(
            length=rendition.length,
            etag=rendition.etag,
            mtime_s=rendition.mtime_s,
            content_type="audio/mpeg",
            open_range=open_range,
            headers=_rendition_header(rendition.quality, rendition.source.size_bytes),
        )

    def _original(self, request: Request, path: Path, status: str) -> Response:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(fd)
        what = Representation(
            length=found.st_size,
            etag=f"{found.st_size:x}-{found.st_mtime_ns:x}",
            mtime_s=found.st_mtime_ns / 1e9,
            content_type=media_type(path),
            fd=fd,
            headers={"Audio-Cache-Rendition": f"quality=original, source-length={found.st_size}"},
        )
        return self._respond(request, what, status, found.st_size)

    def _respond(
        self, request: Request, what: Representation, status: str, source_size: int
    ) -> Response:
        response = respond(request, what)
        response.headers["Cache-Status"] = f"{_CACHE_NAME}; {status}"
        if request.method == "GET":
            sent = response.content_length or 0
            self.traffic.count(status, sent, round(sent * source_size / max(1, what.length)))
        return response


def media_type(path: Path) -> str:
    """Return the media type of an original, by its suffix."""
    return _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def _listener(request: Request) -> str:
    """Return who asks, as well as one can tell: used for fairness, not for access."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return f"{request.remote_addr} {forwarded} {request.user_agent.string}"


def _rendition_header(quality: QualityLevel, source_size: int) -> dict[str, str]:
    bitrate_kbps = bitrate_bps(quality) // 1000
    value = f"quality={quality}, bitrate={bitrate_kbps}, source-length={source_size}"
    return {"Audio-Cache-Rendition": value}
