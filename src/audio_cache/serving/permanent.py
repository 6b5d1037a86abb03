"""A play by id: the same bytes for ever, kept or made again, for listeners and for proxies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from ..encoding.rendition import RENDITION_ID, Rendition
from ..errors import AudioCacheError
from ..live.encodes import Live
from ..quality import QualityLevel, bitrate_bps, parse_quality
from ..settings import AudioCacheSettings
from ..store.cache import AudioCache
from ..store.comparison import find_rendition
from ..store.entry import entry_name, judge_alone, read_open_entry
from .addresses import Grant, Signer
from .open_files import OpenFiles
from .playback import (
    CACHE_NAME,
    KNOWN_ENTRIES,
    sender_of,
    sent_bytes,
)
from .ranges import (
    CONDITIONS,
    OpenRange,
    Representation,
    asks_for_little,
    fields_of,
    file_body,
    is_play,
    listener_has_left,
    listener_in,
    listener_of,
    requested_span,
    respond,
)
from .shared import answer_shared, may_be_sent_elsewhere
from .traffic import LIVE, SHARED, Traffic

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Of an answer: what it is of, which bytes of it where they are not all, and these bytes.
_Body = tuple[Representation, tuple[int, int] | None, Iterable[bytes]]
_YEAR_S: Final = 31_536_000
_FOREVER: Final = f"max-age={_YEAR_S}, immutable"
_ADDRESS: Final = re.compile(rf"/r/({RENDITION_ID.pattern})\.mp3")
_QUERY: Final = re.compile(r"e=([0-9]+)&s=([A-Za-z0-9_-]+)")
_REMEMBERED_S: Final = 60
_NOT_PLAIN: Final = frozenset({*CONDITIONS, "HTTP_IF_RANGE"})
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
        self._known: dict[tuple[str, bool, int, int, int], Representation] = {}
        self.open_files = OpenFiles()

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
        stored = self.find_stored(object_id, is_shared)
        rendition: Rendition | None = None
        if stored is None:
            rendition = find_rendition(self._cache, object_id) if self._settings.enabled else None
            if rendition is not None:
                kept = {"Cache-Control": "no-store"}
                what = _describe(object_id, rendition.length, rendition.quality, SHARED, kept)
                shared = answer_shared(
                    self._cache,
                    self._settings,
                    rendition,
                    lambda read: self._respond(request, what, read, SHARED),
                    may_go=may_be_sent_elsewhere(request),
                )
                if shared is not None:
                    return shared
            elif self._bring(object_id):
                stored = self.find_stored(object_id, is_shared)
        if stored is not None:
            path = Path(self._cache.objects.path(object_id))
            sender = sender_of(self._settings, self._cache.cache_dir, path)
            return self._respond(request, *stored, "hit", sender)
        self._live.may_make()
        if rendition is None:
            raise FileNotFoundError(f"there is no rendition {object_id}")
        return self._respond(request, *self._make(request, rendition, is_shared), LIVE)

    def _bring(self, object_id: str) -> bool:
        """Fetch what no source of this node gives from the store behind it; say whether it is here.

        So a node need not have the music to send what others have made of it.
        """
        backing = self._cache.backing
        return backing is not None and self._settings.enabled and backing.bring(object_id)

    @property
    def sends_by_server(self) -> bool:
        """Say whether the web server in front sends what is stored."""
        return self._settings.sendfile is not None

    def grant(self, object_id: str, granted: Grant, left_s: int) -> dict[str, str]:
        """Return what a web server that sends objects by itself has to know of an address.

        `Audio-Cache-Object` is where the object is below the cache directory, `-` if it is not
        stored; `Audio-Cache-Grant` is `shared` or `private`; `X-Accel-Expires` is for how long
        both may be remembered.

        Args:
            object_id: of the rendition.
            granted: what the address grants.
            left_s: for how long it does.
        """
        grant = "shared" if granted.is_shared else "private"
        stored = self.find_stored(object_id, granted.is_shared)
        # What is not stored may be any moment. nginx obeys this where it comes before the others.
        kept_s = min(_REMEMBERED_S if stored else 1, left_s)
        fields = {"X-Accel-Expires": str(kept_s), "Audio-Cache-Grant": grant}
        if stored is None:
            return {**fields, "Audio-Cache-Object": "-"}
        what, descriptor = stored
        os.close(descriptor)
        below = os.path.relpath(self._cache.objects.path(object_id), self._cache.cache_dir)
        kept = {name: what.fields[name] for name in ("Audio-Cache-Rendition", "Cache-Control")}
        return {**fields, **kept, "Audio-Cache-Object": below}

    def find_stored(self, object_id: str, is_shared: bool) -> tuple[Representation, int] | None:
        """Return an object and its open file, so that nothing from now on can touch it."""
        try:
            fd = os.open(self._cache.objects.path(object_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            what = self._describe_stored(fd, object_id, is_shared)
        except BaseException:
            os.close(fd)
            raise
        if what is None:
            os.close(fd)
            return None
        return what, fd

    def _describe_stored(self, fd: int, object_id: str, is_shared: bool) -> Representation | None:
        status = os.fstat(fd)
        key = (object_id, is_shared, status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(key)
        if known is not None:
            return known
        entry = read_open_entry(fd)
        if entry.identity is None or not judge_alone(entry, None):
            return None
        kept = {"Cache-Control": f"{'public' if is_shared else 'private'}, {_FOREVER}"}
        quality = parse_quality(entry.identity.quality)
        if len(self._known) >= KNOWN_ENTRIES:
            self._known.clear()
        what = _describe(object_id, entry.size_bytes, quality, "hit", kept)
        self._known[key] = what
        return what

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
        self,
        request: Request,
        what: Representation,
        body: OpenRange | int,
        status: str,
        sender: tuple[str, str] | None = None,
    ) -> Response:
        response, evaluated = respond(request, what, body, self._response_class, sender)
        if response.status_code not in _KEPT_STATUSES:
            # A proxy that kept a refusal would refuse it to everybody.
            for name in _FOR_PROXIES:
                response.headers.pop(name, None)
            response.headers["Cache-Control"] = "no-store"
        if request.method == "GET":
            sent = sent_bytes(evaluated, response) if sender else response.content_length or 0
            begins = is_play(*evaluated, what.length)
            self.note(what, sent, status, listener_of(request), begins=begins)
        return response

    def note(
        self, what: Representation, sent_bytes: int, status: str, listener: str, *, begins: bool
    ) -> None:
        """Count an answer, and as a play where it begins one."""
        self._traffic.count(status, sent_bytes, sent_bytes, is_play=begins)
        self._cache.plays.note(what.etag, what.length, listener)


class StoredPlays:
    """Answers of plays of what is stored, by permanent address, without the help of a framework.

    A whole framework takes twice as long as the answer. Everything that is not simply that, a
    condition or a HEAD for one, is left to the application.

    Args:
        permanent: knows what is stored.
        get_signer: gives what signs addresses.
    """

    def __init__(self, permanent: PermanentPlayback, get_signer: Callable[[], Signer]) -> None:
        self._permanent = permanent
        self._get_signer = get_signer

    def answer(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Answer as a WSGI application does; return None to let the application do so."""
        address = _ADDRESS.fullmatch(environ["PATH_INFO"])
        query = _QUERY.fullmatch(environ.get("QUERY_STRING", ""))
        is_plain = environ["REQUEST_METHOD"] == "GET" and _NOT_PLAIN.isdisjoint(environ)
        if address is None or query is None or not is_plain:
            return None
        try:
            return self._answer(environ, start_response, address[1], query[1], query[2])
        except (AudioCacheError, OSError):
            return None

    def _answer(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        object_id: str,
        expires_at: str,
        signature: str,
    ) -> Iterable[bytes] | None:
        if self._permanent.sends_by_server:
            return None
        grant = self._get_signer().find_grant(object_id, expires_at, signature)
        if grant is None:
            return None
        asked = environ.get("HTTP_RANGE", "")
        open_body = self._read_part if asks_for_little(asked) else self._open_span
        found = open_body(environ, object_id, asked, is_shared=grant.is_shared)
        if found is None:
            return None
        what, span, body = found
        start, stop = span or (0, what.length)
        begins = is_play(206 if span else 200, (start, stop), what.length)
        self._permanent.note(what, stop - start, "hit", listener_in(environ), begins=begins)
        fields = fields_of(what, (start, stop), is_part=span is not None)
        start_response("206 PARTIAL CONTENT" if span else "200 OK", list(fields.items()))
        return body

    def _read_part(
        self, _: WSGIEnvironment, object_id: str, asked: str, *, is_shared: bool
    ) -> _Body | None:
        found = self._permanent.open_files.find(
            (object_id, is_shared), partial(self._permanent.find_stored, object_id, is_shared)
        )
        span = requested_span(asked, found.what.length) if found else None
        data = found.read(*span) if found and span else None
        return None if found is None or data is None else (found.what, span, [data])

    def _open_span(
        self, environ: WSGIEnvironment, object_id: str, asked: str, *, is_shared: bool
    ) -> _Body | None:
        stored = self._permanent.find_stored(object_id, is_shared)
        if stored is None:
            return None
        what, fd = stored
        span = requested_span(asked, what.length) if asked else (0, 0)
        if span is None:
            os.close(fd)
            return None
        is_part = span != (0, 0)
        start, stop = span if is_part else (0, what.length)
        return what, (span if is_part else None), file_body(environ, fd, start, stop)


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
