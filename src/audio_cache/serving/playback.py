"""The answer to a play: a cached rendition, a live one, or the original."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote
from weakref import WeakValueDictionary

from werkzeug.wrappers import Request, Response

from ..encoding.launch import find_limits
from ..encoding.rendition import RENDITION_ID, Rendition
from ..encoding.standby import keep_ready
from ..encoding.survey import Damage
from ..errors import AudioCacheError, EncodeError, FFmpegNotFoundError, LiveUnavailableError
from ..live.encodes import Failures, Live
from ..quality import BEST_QUALITY, QualityLevel, bitrate_bps
from ..settings import AudioCacheSettings
from ..sources.sheet_tracks import is_sheet_track
from ..sources.source import FileVersion, media_type, require_same, stat_source, version_of
from ..store.cache import AudioCache
from ..store.entry import Verdict
from ..store.lookups import Found, foreign_etag
from .open_files import OpenFiles
from .ranges import (
    Evaluated,
    OpenRange,
    Representation,
    gets_little,
    is_play,
    listener_has_left,
    listener_of,
    respond,
)
from .shared import answer_shared, may_be_sent_elsewhere
from .traffic import LIVE, SHARED, Traffic

CACHE_NAME: Final = "audio-cache"
_Key = tuple[Path, str]
KNOWN_ENTRIES: Final = 4096


class Playback:
    """Answer plays; a listener never gets an error if the original can be sent."""

    def __init__(
        self,
        cache: AudioCache,
        settings: AudioCacheSettings,
        live: Live,
        response_class: type[Response] = Response,
        traffic: Traffic | None = None,
    ) -> None:
        self.cache = cache
        self.settings = settings
        self.live = live
        self._response_class = response_class
        self.traffic = Traffic() if traffic is None else traffic
        self._failures = Failures(settings.retry_after_failure_s)
        self._lock = threading.Lock()
        # A lock lasts for as long as somebody holds it or waits for it.
        self._asked: WeakValueDictionary[_Key, threading.Lock] = WeakValueDictionary()
        self._logger = cache.logger
        self._known: dict[tuple[str, str, FileVersion | None], Representation] = {}
        self.open_files = OpenFiles()

    def prepare(self) -> None:
        """Do now what the first listener would wait for: open the index, and ask ffmpeg its name.

        Without an ffmpeg originals are played, so that is no error here.
        """
        self.cache.ledger.tally("measured")
        with contextlib.suppress(FFmpegNotFoundError):
            self.cache.ffmpeg  # noqa: B018
            find_limits()
            keep_ready(self.settings.standby)

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
            source: what the file system says about the source, if that is known already.

        Raises:
            FileNotFoundError: the source doesn't exist, isn't a file, or is another by now.
            LiveUnavailableError: it is a track in a CUE sheet, and cannot be made now.
            OSError: the source can't be read.
        """
        source = source or stat_source(path)
        if not stat.S_ISREG(source.st_mode):
            raise FileNotFoundError(f"{path} is not a file")
        if quality == "original" and is_sheet_track(path):
            quality = BEST_QUALITY
        if not self.settings.enabled or quality == "original":
            return self._original(request, path, source, "fwd=bypass")
        cached = self._cached(request, path, quality, source)
        if cached is not None:
            self._note_play(request, cached[0], cached[0].etag)
            sender = None
            if self.settings.sendfile is not None:
                entry = self.cache.get_cache_path(path, quality)
                sender = sender_of(self.settings, self.cache.cache_dir, entry)
            return self._respond(request, *cached, "hit", source.st_size, sender)
        if not self.cache.should_transcode(path):
            return self._original(request, path, source, "fwd=bypass")
        return self._miss(request, path, quality, source)

    def _miss(
        self, request: Request, path: Path, quality: QualityLevel, source: os.stat_result
    ) -> Response:
        self.live.may_make()
        if request.method == "GET":
            self._logger.warning("cache miss: %r at %s", str(path), quality)
        try:
            rendition = self.get_rendition(path, quality, source)
            if self.cache.backing is not None:
                shared = self._shared(request, rendition, source)
                if shared is not None:
                    return shared
            damage = self._damage_of(path, source)
            if self.settings.on_miss == "live" or rendition.source.whole is not None:
                return self._play_live(request, rendition, source, damage)
            if request.method == "GET" and damage is None:
                self.live.start(rendition, nice=self.settings.nice)
        except (AudioCacheError, OSError) as error:
            self._logger.warning("%r is played as the original: %s", str(path), error)
        except Exception:
            # Not even a bug here, such as in reading tags, may leave a listener without sound.
            self._logger.exception("%r is played as the original", str(path))
        return self._original(request, path, source, "fwd=miss")

    def _shared(
        self, request: Request, rendition: Rendition, source: os.stat_result
    ) -> Response | None:
        """Return the answer with what another node has made; None where there is none."""
        rendition = self.cache.recall(rendition)
        what = Representation(
            length=rendition.length,
            etag=rendition.id,
            content_type="audio/mpeg",
            other_etag=rendition.token,
            headers=_headers(SHARED, rendition.quality, source.st_size),
        )
        answer = answer_shared(
            self.cache,
            self.settings,
            rendition,
            lambda read: self._respond(request, what, read, SHARED, source.st_size),
            may_go=may_be_sent_elsewhere(request),
        )
        if answer is not None:
            self._note_play(request, what, rendition.id)
        return answer

    def get_rendition(self, path: Path, quality: QualityLevel, source: os.stat_result) -> Rendition:
        """Return the rendition of a source, which many threads may ask for at once.

        A source whose sample count is doubtful is decoded once to count: ten listeners must not do
        that ten times, and one that cannot be decoded must not be tried anew with every request.

        Raises:
            LiveUnavailableError: it failed a while ago.
            OSError, EncodeError, FFmpegNotFoundError: as `AudioCache.get_rendition`.
        """
        key = (path, f"{quality} {source.st_size} {source.st_mtime_ns}")
        with self._lock:
            alone = self._asked.setdefault(key, threading.Lock())
        with alone:
            self._failures.check(key)
            try:
                with self.cache.damages.explained(path):
                    rendition = self.cache.get_rendition(path, quality)
            except EncodeError as error:
                self._failures.add(key, error)
                raise
        require_same(rendition.source.version, source, path)
        return rendition

    def _cached(
        self, request: Request, path: Path, quality: QualityLevel, source: os.stat_result
    ) -> tuple[Representation, OpenRange | int] | None:
        """Return the valid entry and its open file, which a purge from now on can't affect."""
        try:
            found = self.cache.find(path, quality, source)
            if isinstance(found, Verdict):
                return None
            open_entry = partial(self._open_entry, path, quality, source, found)
            if self.settings.sendfile is not None or not gets_little(request.environ):
                return open_entry()
            kept = self.open_files.find((path, quality, found), open_entry)
        except (AudioCacheError, OSError) as error:
            self._logger.warning("cannot look up %r in the cache: %s", str(path), error)
            return None
        return None if kept is None else (kept.what, kept.give)

    def _open_entry(
        self, path: Path, quality: QualityLevel, source: os.stat_result, found: Found
    ) -> tuple[Representation, int] | None:
        fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(fd).st_ino != found.inode:
            # Replaced in this moment: the next lookup knows it.
            os.close(fd)
            return None
        key = (found.etag, quality, found.version)
        what = self._known.get(key)
        if what is None:
            what = Representation(
                length=found.size_bytes,
                etag=found.etag,
                content_type="audio/mpeg",
                other_etag=self._first_etag(path, quality, found),
                headers=_headers("hit", quality, source.st_size),
            )
            if len(self._known) >= KNOWN_ENTRIES:
                self._known.clear()
            self._known[key] = what
        return what, fd

    def _first_etag(self, path: Path, quality: QualityLevel, found: Found) -> str:
        """Return the tag that the bytes of an entry had while their id was not known yet."""
        with contextlib.suppress(AudioCacheError, OSError):
            rendition = self.cache.recall(self.cache.get_rendition(path, quality))
            if rendition.id == found.etag:
                return rendition.token
        return ""

    def _play_live(
        self,
        request: Request,
        rendition: Rendition,
        source: os.stat_result,
        damage: Damage | None,
    ) -> Response:
        """Return the answer with a rendition as it is made, or with what can be made of it.

        Raises:
            LiveUnavailableError: nothing can be made of it now.
        """
        path = rendition.source.path
        if damage is None:
            try:
                live = self._live(request, self.cache.recall(rendition))
                answer = self._respond(request, *live, LIVE, source.st_size)
            except LiveUnavailableError:
                damage = self._damage_of(path, source)
                if damage is None:
                    raise
            else:
                name = self.cache.get_cache_path(path, rendition.quality).name
                known = rendition.id if rendition.source.audio else ""
                self._note_play(request, live[0], known, name)
                return answer
        if not damage.heard_s:
            raise LiveUnavailableError("nothing of it can be decoded")
        live = self._live(request, replace(rendition, is_best_effort=True), damage)
        return self._respond(request, *live, LIVE, source.st_size)

    def _live(
        self, request: Request, rendition: Rendition, damage: Damage | None = None
    ) -> tuple[Representation, OpenRange]:
        def open_range(start: int, stop: int) -> Iterable[bytes]:
            return self.live.play(
                rendition,
                start,
                stop,
                listener=listener_of(request),
                is_gone=listener_has_left(request.environ),
            )

        # What is made of a damaged source is no rendition of anything: parts of it go with no
        # other's, so no tag says that they do.
        tags = ("", "") if rendition.is_best_effort else (rendition.etag, rendition.token)
        what = Representation(
            length=rendition.length,
            etag=tags[0],
            other_etag=tags[1],
            content_type="audio/mpeg",
            # Once Chromium's cache has begun to store a response, it asks for each jump twice, one
            # after the other; a file is played live only once, so storing it is of no use.
            headers={
                **_headers(LIVE, rendition.quality, rendition.source.size_bytes, damage),
                "Cache-Control": "no-store",
            },
        )
        return what, open_range

    def _damage_of(self, path: Path, source: os.stat_result) -> Damage | None:
        return self.cache.damages.of(path, version_of(source))

    def _note_play(
        self, request: Request, what: Representation, object_id: str, name: str = ""
    ) -> None:
        """Count a play towards what is kept; a foreign file, which has no id, is kept anyway."""
        if request.method == "GET" and (name or RENDITION_ID.fullmatch(object_id)):
            self.cache.plays.note(object_id, what.length, listener_of(request), name)

    def _original(
        self, request: Request, path: Path, source: os.stat_result, status: str
    ) -> Response:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except NotADirectoryError as error:
            # Its file holds the whole album.
            raise LiveUnavailableError(
                f"{os.fspath(path)!r} is part of a file, which needs ffmpeg to be played"
            ) from error
        found = os.fstat(fd)
        try:
            require_same(version_of(found), source, path)
        except OSError:
            os.close(fd)
            raise
        what = Representation(
            length=found.st_size,
            etag=foreign_etag(found),
            content_type=media_type(path),
            headers=_headers(status, "original", found.st_size, self._damage_of(path, source)),
        )
        return self._respond(request, what, fd, status, found.st_size)

    def _respond(
        self,
        request: Request,
        what: Representation,
        body: OpenRange | int,
        status: str,
        source_size: int,
        sender: tuple[str, str] | None = None,
    ) -> Response:
        response, evaluated = respond(request, what, body, self._response_class, sender)
        if request.method == "GET":
            sent = sent_bytes(evaluated, response) if sender else response.content_length or 0
            original = round(sent * source_size / max(1, what.length))
            begins = is_play(*evaluated, what.length)
            self.traffic.count(status, sent, original, is_play=begins)
        return response


def sender_of(settings: AudioCacheSettings, cache_dir: Path, path: Path) -> tuple[str, str] | None:
    """Return the header that makes the web server in front send a file of the cache.

    Args:
        settings: of the cache.
        cache_dir: the cache's directory.
        path: of the file.
    """
    if settings.sendfile is None:
        return None
    header, address = settings.sendfile
    real = os.path.realpath(path)
    if not address:
        return header, real
    below = os.path.relpath(real, os.path.realpath(cache_dir))
    return header, address + quote(os.fsencode(below))


def sent_bytes(evaluated: Evaluated, response: Response) -> int:
    """Return how much the web server in front sends of what was handed over to it."""
    if response.status_code != 200:
        return 0
    start, stop = evaluated[1]
    return stop - start


def _headers(
    status: str, quality: QualityLevel, source_size: int, damage: Damage | None = None
) -> dict[str, str]:
    """Return the headers that say what is sent and where it came from (RFC 9211)."""
    bitrate = "" if quality == "original" else f", bitrate={bitrate_bps(quality) // 1000}"
    headers = {
        "Audio-Cache-Rendition": f"quality={quality}{bitrate}, source-length={source_size}",
        "Cache-Status": f"{CACHE_NAME}; {status}",
    }
    if damage is not None:
        place = "" if damage.at_s is None else f"at={damage.at_s:.3f}, "
        left = f"until={damage.until_s:.3f}, lost={damage.lost_s:.3f}, heard={damage.heard_s:.3f}"
        headers["Audio-Cache-Damage"] = place + left
    return headers
