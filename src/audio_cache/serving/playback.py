"""What a listener gets for a track: a cached rendition, a live one, or the original."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from werkzeug.wrappers import Request, Response

from ..encoding.rendition import Rendition
from ..errors import AudioCacheError, EncodeError
from ..live.encodes import Failures, Live
from ..quality import QualityLevel, bitrate_bps
from ..settings import AudioCacheSettings
from ..sources.source import FileVersion, media_type
from ..store.cache import AudioCache
from ..store.entry import Verdict
from ..store.lookups import foreign_etag
from ..store.objects import is_object_id
from .ranges import OpenRange, Representation, listener_has_left, respond

_CACHE_NAME: Final = "audio-cache"
_LIVE: Final = "fwd=miss; detail=live"
_KINDS: Final = {"hit": "hits", _LIVE: "live", "fwd=miss": "misses"}
_Key = tuple[Path, str]
_KNOWN_ENTRIES: Final = 4096


class Playback:
    """Decide and answer plays; a listener never gets an error where the original can be sent."""

    def __init__(
        self,
        cache: AudioCache,
        settings: AudioCacheSettings,
        live: Live,
        response_class: type[Response] = Response,
    ) -> None:
        self.cache = cache
        self.settings = settings
        self.live = live
        self._response_class = response_class
        self.traffic = Traffic()
        self._renditions = Renditions(cache, settings.retry_after_failure_s)
        self._logger = cache.logger
        self._known: dict[tuple[str, str, int], Representation] = {}
        self._provisional: dict[tuple[Path, str, FileVersion | None], str] = {}

    def answer(
        self,
        request: Request,
        path: Path,
        quality: QualityLevel,
        source: os.stat_result | None = None,
    ) -> Response:
        """Return the answer to a GET or HEAD of a track.

        Args:
            request: the request.
            path: the source.
            quality: what was asked for.
            source: what the file system says of the source, where that is known already.

        Raises:
            FileNotFoundError: the source does not exist, or is no file.
            OSError: the source cannot be read.
        """
        source = source or os.stat(path)
        if not stat.S_ISREG(source.st_mode):
            raise FileNotFoundError(f"{path} is no file")
        if not self.settings.enabled or quality == "original":
            return self._original(request, path, "fwd=bypass")
        cached = self._cached(path, quality, source)
        if cached is not None:
            self._note_play(request, cached[0], cached[0].etag)
            return self._respond(request, *cached, "hit", source.st_size)
        if not self.cache.should_transcode(path):
            return self._original(request, path, "fwd=bypass")
        return self._miss(request, path, quality, source)

    def _miss(
        self, request: Request, path: Path, quality: QualityLevel, source: os.stat_result
    ) -> Response:
        if request.method == "GET":
            self._logger.warning("cache miss: %r at %s", str(path), quality)
        try:
            rendition = self._renditions.get(path, quality, source)
            if self.settings.on_miss == "live":
                live = self._live(request, rendition)
                name = self.cache.get_cache_path(path, quality).name
                known = rendition.id if rendition.source.audio else ""
                self._note_play(request, live[0], known, name)
                return self._respond(request, *live, _LIVE, source.st_size)
            if request.method == "GET":
                self.live.start(rendition, nice=self.settings.nice)
        except (AudioCacheError, OSError) as error:
            self._logger.warning("%r is played as the original: %s", str(path), error)
        except Exception:
            # A defect of ours, such as a file that trips the reading of tags, is no silence either.
            self._logger.exception("%r is played as the original", str(path))
        return self._original(request, path, "fwd=miss")

    def _cached(
        self, path: Path, quality: QualityLevel, source: os.stat_result
    ) -> tuple[Representation, int] | None:
        """Return the valid entry and its open file, so that a purge from now cannot touch it."""
        try:
            found = self.cache.find(path, quality, source)
            if isinstance(found, Verdict):
                return None
            fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        except (AudioCacheError, OSError) as error:
            self._logger.warning("cannot look up %r in the cache: %s", str(path), error)
            return None
        if os.fstat(fd).st_ino != found.inode:
            # Replaced in this moment: the next lookup knows it.
            os.close(fd)
            return None
        key = (found.etag, quality, source.st_size)
        if key not in self._known:
            if len(self._known) >= _KNOWN_ENTRIES:
                self._known.clear()
            self._known[key] = Representation(
                length=found.size_bytes,
                etag=found.etag,
                content_type="audio/mpeg",
                other_etag=self._provisional.get((path, quality, found.version), ""),
                headers=_headers("hit", quality, source.st_size),
            )
        return self._known[key], fd

    def _live(self, request: Request, rendition: Rendition) -> tuple[Representation, OpenRange]:
        def open_range(start: int, stop: int) -> Iterable[bytes]:
            return self.live.play(
                rendition,
                start,
                stop,
                listener=_listener(request),
                is_gone=listener_has_left(request.environ),
            )

        if not rendition.source.audio:
            # What is told the listener now is still good when the id of the same bytes is known.
            key = (rendition.source.path, rendition.quality, rendition.source.version)
            self._provisional[key] = rendition.etag
        what = Representation(
            length=rendition.length,
            etag=rendition.etag,
            content_type="audio/mpeg",
            # Chromium's cache asks for each jump twice, one after the other, where it has begun
            # to keep an answer; there is one live play of a file, and nothing to be kept for.
            headers={
                **_headers(_LIVE, rendition.quality, rendition.source.size_bytes),
                "Cache-Control": "no-store",
            },
        )
        return what, open_range

    def _note_play(
        self, request: Request, what: Representation, object_id: str, name: str = ""
    ) -> None:
        """Count a play towards what is kept; a foreign file, which has no id, is kept anyway."""
        if request.method == "GET" and (name or is_object_id(object_id)):
            self.cache.plays.note(object_id, what.length, _told_apart(request), name)

    def _original(self, request: Request, path: Path, status: str) -> Response:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(fd)
        what = Representation(
            length=found.st_size,
            etag=foreign_etag(found),
            content_type=media_type(path),
            headers=_headers(status, "original", found.st_size),
        )
        return self._respond(request, what, fd, status, found.st_size)

    def _respond(
        self,
        request: Request,
        what: Representation,
        body: OpenRange | int,
        status: str,
        source_size: int,
    ) -> Response:
        response = respond(request, what, body, self._response_class)
        if request.method == "GET":
            sent = response.content_length or 0
            self.traffic.count(status, sent, round(sent * source_size / max(1, what.length)))
        return response


def _listener(request: Request) -> str:
    """Return who asks, as well as one can tell: used for fairness, not for access."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return f"{request.remote_addr} {forwarded} {request.user_agent.string}"


def _told_apart(request: Request) -> tuple[object, ...]:
    """Return what tells listeners apart, without parsing any of it."""
    environ = request.environ
    return tuple(map(environ.get, ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_USER_AGENT")))


def _headers(status: str, quality: QualityLevel, source_size: int) -> dict[str, str]:
    """Return the headers that say what is served and where it came from (RFC 9211)."""
    bitrate = "" if quality == "original" else f", bitrate={bitrate_bps(quality) // 1000}"
    return {
        "Audio-Cache-Rendition": f"quality={quality}{bitrate}, source-length={source_size}",
        "Cache-Status": f"{_CACHE_NAME}; {status}",
    }


class Renditions:
    """What `AudioCache.get_rendition` knows, asked for by many threads.

    A source whose sample count is doubtful is decoded once to count: ten listeners must not do that
    ten times, and one that cannot be decoded must not be tried anew with every request.

    Args:
        cache: gives the renditions.
        retry_after_s: how long a source that failed is not tried again.
    """

    def __init__(self, cache: AudioCache, retry_after_s: float) -> None:
        self._cache = cache
        self._failures = Failures(retry_after_s)
        self._lock = threading.Lock()
        self._asked: dict[_Key, tuple[threading.Lock, int]] = {}

    def get(self, path: Path, quality: QualityLevel, status: os.stat_result) -> Rendition:
        """Return the rendition of a source.

        Args:
            path: the source.
            quality: the quality level.
            status: what the file system says of the source.

        Raises:
            LiveUnavailableError: it failed a while ago.
            OSError, EncodeError, FFmpegNotFoundError: as `AudioCache.get_rendition`.
        """
        key = (path, f"{quality} {status.st_size} {status.st_mtime_ns}")
        with self._alone(key):
            self._failures.check(key)
            try:
                return self._cache.get_rendition(path, quality)
            except EncodeError as error:
                self._failures.add(key, error)
                raise

    @contextlib.contextmanager
    def _alone(self, key: _Key) -> Iterator[None]:
        with self._lock:
            lock, users = self._asked.get(key, (threading.Lock(), 0))
            self._asked[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                _, users = self._asked[key]
                if users == 1:
                    del self._asked[key]
                else:
                    self._asked[key] = lock, users - 1


@dataclass(frozen=True, slots=True)
class TrafficCount:
    """Plays answered by kind, and bytes: those of the answers, and those of the same originals."""

    hits: int = 0
    live: int = 0
    misses: int = 0
    bypasses: int = 0
    sent_bytes: int = 0
    original_bytes: int = 0


class Traffic:
    """Thread-safe counters of plays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = asdict(TrafficCount())

    def count(self, cache_status: str, sent_bytes: int, original_bytes: int) -> None:
        """Count one answer.

        Args:
            cache_status: what the Cache-Status header says behind the cache's name.
            sent_bytes: the size of the body.
            original_bytes: what the same stretch of the original would have taken.
        """
        kind = _KINDS.get(cache_status, "bypasses")
        with self._lock:
            self._counts[kind] += 1
            self._counts["sent_bytes"] += sent_bytes
            self._counts["original_bytes"] += original_bytes

    def snapshot(self) -> TrafficCount:
        """Return the counts so far."""
        with self._lock:
            return TrafficCount(**self._counts)
