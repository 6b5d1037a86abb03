"""A play by id: the same bytes for ever, kept or made again, for listeners and for proxies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from werkzeug.wrappers import Request, Response

from ..encoding.rendition import Rendition
from ..live.encodes import Live
from ..quality import QualityLevel, bitrate_bps, parse_quality
from ..settings import AudioCacheSettings
from ..store.cache import AudioCache
from ..store.comparison import find_rendition
from ..store.entry import entry_name, judge_alone, read_open_entry
from .playback import CACHE_NAME, LIVE, Traffic, listener_of
from .ranges import OpenRange, Representation, listener_has_left, respond

_YEAR_S: Final = 31_536_000
_FOREVER: Final = f"max-age={_YEAR_S}, immutable"
_KEPT_STATUSES: Final = (200, 206, 304)
# What is kept by proxies alone: nginx obeys the first, and before it sees Cache-Control; CDNs obey
# the second (RFC 9213).
_FOR_PROXIES: Final = {
    "X-Accel-Expires": str(_YEAR_S),
    "CDN-Cache-Control": f"public, {_FOREVER}",
}


def know(cache: AudioCache, path: Path, quality: QualityLevel) -> Rendition:
    """Return a rendition with its id, and remember for the id what gives it.

    Raises:
        OSError, EncodeError, FFmpegNotFoundError: as `AudioCache.get_rendition`.
    """
    rendition = cache.identify(path, quality)
    source = rendition.source
    name = entry_name(os.fspath(source.path), quality)
    if cache.facts.id_of(name) != rendition.id:
        source_path = os.fspath(source.path)
        cache.facts.note_entry(name, source_path, quality, source.version, rendition.id)
    return rendition


class PermanentPlayback:
    """Answers plays of renditions by id.

    Args:
        cache: where they are.
        settings: of the cache.
        live: makes those that are known and not stored.
        traffic: counts the answers.
        response_class: of the answers.
    """

    def __init__(
        self,
        cache: AudioCache,
        settings: AudioCacheSettings,
        live: Live,
        traffic: Traffic,
        response_class: type[Response] = Response,
    ) -> None:
        self._cache = cache
        self._settings = settings
        self._live = live
        self._traffic = traffic
        self._response_class = response_class

    def answer(self, request: Request, object_id: str, *, is_shared: bool) -> Response:
        """Return the answer to a GET or HEAD of a rendition.

        Args:
            request: the request.
            object_id: of the rendition.
            is_shared: whether proxies may keep it.

        Raises:
            FileNotFoundError: it is neither stored, nor what a known source gives now.
            LiveUnavailableError: it could be made, and cannot be at the moment.
        """
        stored = self._find_stored(object_id, is_shared)
        if stored is not None:
            return self._respond(request, *stored, "hit")
        rendition = find_rendition(self._cache, object_id) if self._settings.enabled else None
        if rendition is None:
            raise FileNotFoundError(f"there is no rendition {object_id}")
        return self._respond(request, *self._make(request, rendition, is_shared), LIVE)

    def _find_stored(self, object_id: str, is_shared: bool) -> tuple[Representation, int] | None:
        """Return an object and its open file, so that nothing from now on can touch it."""
        try:
            fd = os.open(self._cache.objects.path(object_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            entry = read_open_entry(fd)
            if entry.identity is not None and judge_alone(entry, None):
                kept = {"Cache-Control": f"{'public' if is_shared else 'private'}, {_FOREVER}"}
                quality = parse_quality(entry.identity.quality)
                found = _describe(object_id, entry.size_bytes, quality, "hit", kept), fd
                fd = -1  # the answer's now
                return found
            return None
        finally:
            if fd >= 0:
                os.close(fd)

    def _make(
        self, request: Request, rendition: Rendition, is_shared: bool
    ) -> tuple[Representation, OpenRange]:
        def open_range(start: int, stop: int) -> Iterable[bytes]:
            return self._live.play(
                rendition,
                start,
                stop,
                listener=listener_of(request),
                is_gone=listener_has_left(request.environ),
            )

        source = rendition.source
        # What was not checked to the end may turn out to be no such audio, and never be stored.
        is_sure = self._cache.facts.is_checked(os.fspath(source.path), source.version)
        # Once Chromium keeps an answer it asks for every jump twice, one after the other: live that
        # is two encoders. Proxies do not, and keep what they get.
        kept = {**(_FOR_PROXIES if is_shared and is_sure else {}), "Cache-Control": "no-store"}
        what = _describe(rendition.id, rendition.length, rendition.quality, LIVE, kept)
        return what, open_range

    def _respond(
        self, request: Request, what: Representation, body: OpenRange | int, status: str
    ) -> Response:
        response = respond(request, what, body, self._response_class)
        if response.status_code not in _KEPT_STATUSES:
            # A proxy that kept a refusal would refuse it to everybody.
            for name in _FOR_PROXIES:
                response.headers.pop(name, None)
            response.headers["Cache-Control"] = "no-store"
        if request.method == "GET":
            sent = response.content_length or 0
            self._traffic.count(status, sent, sent)
            self._cache.plays.note(what.etag, what.length, listener_of(request), "")
        return response


def _describe(
    object_id: str, length: int, quality: QualityLevel, status: str, kept: dict[str, str]
) -> Representation:
    return Representation(
        length=length,
        etag=object_id,
        content_type="audio/mpeg",
        headers={
            **kept,
            "Audio-Cache-Rendition": f"quality={quality}, bitrate={bitrate_bps(quality) // 1000}",
            "Cache-Status": f"{CACHE_NAME}; {status}",
        },
    )
