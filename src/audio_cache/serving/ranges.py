"""HTTP semantics of one representation: ranges, validators, preconditions, sendfile (RFC 9110)."""

from __future__ import annotations

import io
import os
import re
import select
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from werkzeug.http import parse_range_header
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import FileWrapper

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import WSGIEnvironment

# Safari asks for so many bytes before it plays, and our player for as many of what comes next.
_PROBE_BYTES: Final = 2
_READ_BYTES: Final = 1 << 15
_AT_ONCE_BYTES: Final = 1 << 16
# These honour a file that was sought to an offset together with a Content-Length.
_SENDFILE_SERVERS: Final = ("gunicorn",)


@dataclass(frozen=True)
class Representation:
    """What a URL stands for right now: bytes of a known length, with validators.

    Args:
        length: size in bytes.
        etag: strong entity tag, unquoted; "" where the same bytes may never be sent again.
        content_type: media type.
        other_etag: another tag that the same bytes had before; it is accepted, not sent.
        headers: further headers for every response.
    """

    length: int
    etag: str
    content_type: str
    other_etag: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def etags(self) -> tuple[str, ...]:
        """Return the entity tags that stand for these bytes."""
        return tuple(tag for tag in (self.etag, self.other_etag) if tag)

    @cached_property
    def fields(self) -> dict[str, str]:
        """Return the headers of every response; made once, since they are most of the work."""
        return {
            **({"ETag": f'"{self.etag}"'} if self.etag else {}),
            "Accept-Ranges": "bytes",
            **({} if "Cache-Control" in self.headers else {"Cache-Control": "no-cache"}),
            **self.headers,
        }


Evaluated = tuple[int, tuple[int, int]]
OpenRange = Callable[[int, int], Iterable[bytes]]
"""Returns the bytes [start, stop) of a representation; may raise before the response begins."""


def respond(
    request: Request,
    what: Representation,
    body: OpenRange | int,
    response_class: type[Response] = Response,
    sender: tuple[str, str] | None = None,
) -> tuple[Response, Evaluated]:
    """Return the response to a GET or HEAD: 200, 206, 304, 412 or 416; and what `evaluate` says.

    Args:
        request: the request.
        what: what its URL stands for.
        body: where the bytes come from; an open file's descriptor allows sendfile. It belongs to
            the response, which closes it.
        response_class: the class of responses with a body; their headers are complete.
        sender: a header that makes the web server in front send the file, range and all.

    One range is answered with 206, several with the whole (RFC 9110 section 14.2 lets a server
    ignore Range): no player asks for several, and they are a way to overload a server.

    Raises:
        Exception: whatever `body` raises, before anything was sent.
    """
    is_body_used = False
    try:
        status, span = evaluated = evaluate(request, what)
        if status not in (200, 206):
            unmet = {"Content-Range": f"bytes */{what.length}"} if status == 416 else {}
            return _empty(status, {**what.fields, **unmet}), evaluated
        fields = fields_of(what, span, is_part=status == 206)
        if request.method == "HEAD":
            return response_class(None, status, fields), evaluated
        # A range that does not hold is not left to a server with other ideas of tags.
        if sender is not None and (status == 206) == ("Range" in request.headers):
            for name in ("Content-Range", "Content-Length"):
                fields.pop(name, None)
            return response_class(b"", 200, {**fields, sender[0]: sender[1]}), evaluated
        is_body_used = True
        chunks = body(*span) if callable(body) else file_body(request.environ, body, *span)
        return response_class(chunks, status, fields, direct_passthrough=True), evaluated
    finally:
        if not (is_body_used or callable(body)):
            os.close(body)


def fields_of(what: Representation, span: tuple[int, int], *, is_part: bool) -> dict[str, str]:
    """Return the headers of an answer with the bytes [start, stop)."""
    start, stop = span
    fields = {**what.fields, "Content-Type": what.content_type, "Content-Length": str(stop - start)}
    if is_part:
        fields["Content-Range"] = f"bytes {start}-{stop - 1}/{what.length}"
    return fields


def is_play(status: int, span: tuple[int, int], length: int) -> bool:
    """Say whether an answer is a play: of the many that one takes, that which has the beginning.

    Players ask for a new part with every seek, and Safari does for every few seconds.

    Args:
        status: of the answer.
        span: the bytes [start, stop) that it holds.
        length: of the whole.
    """
    if status != 206:
        return status in (200, 304)
    start, stop = span
    return start == 0 and stop > min(_PROBE_BYTES, length - 1)


def evaluate(request: Request, what: Representation) -> Evaluated:
    """Return the status of the response, and the bytes [start, stop) that it holds."""
    whole = (0, what.length)
    status = _precondition_status(request, what)
    if status is not None:
        return status, whole
    # Not by Werkzeug's headers, which look up each name anew: every hit passes here.
    asked = request.environ.get("HTTP_RANGE")
    if request.method != "GET" or asked is None:
        return 200, whole
    if not _range_applies(request, what):
        return 200, whole
    span = requested_span(asked, what.length)
    if span is None:
        return 416, whole
    return (200, whole) if span == (0, 0) else (206, span)


def requested_span(header: str, length: int) -> tuple[int, int] | None:
    """Return the bytes [start, stop) that a Range header asks for.

    (0, 0) if the header is to be ignored: another unit, bad syntax, several ranges. None if the
    range can't be satisfied.
    """
    plain = _PLAIN_RANGE.fullmatch(header)
    if plain is not None:
        # As nearly all are; Werkzeug's parser takes as long as a small answer.
        first, last = int(plain[1]), int(plain[2] or length)
        if plain[2] and last < first:
            return 0, 0
        behind = min(last + 1, length)
        return (first, behind) if first < behind else None
    if not _RANGE_SYNTAX.fullmatch(header):
        return 0, 0
    if _LAST_NOTHING.fullmatch(header):
        return None
    ranges = parse_range_header(header)
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return 0, 0
    start, stop = ranges.ranges[0]
    if start < 0:
        start = max(0, length + start)
    stop = length if stop is None else min(stop, length)
    return (start, stop) if start < stop else None


def asks_for_little(header: str) -> bool:
    """Say whether a Range header asks for one range that is small enough to be read at once."""
    plain = _PLAIN_RANGE.fullmatch(header)
    if plain is None or not plain[2]:
        return False
    return 0 <= int(plain[2]) - int(plain[1]) < _AT_ONCE_BYTES


def gets_little(environ: WSGIEnvironment) -> bool:
    """Say whether the answer to a request has the bytes of one small range, or none at all."""
    is_sure = environ["REQUEST_METHOD"] == "GET" and "HTTP_IF_RANGE" not in environ
    return is_sure and asks_for_little(environ.get("HTTP_RANGE", ""))


# Digits as in RFC 9110: int() would also accept signs, underscores and other scripts.
_PLAIN_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")
_RANGE_SYNTAX: Final = re.compile(r"[ \t]*bytes[ \t]*=[0-9,\- \t]+", re.ASCII | re.IGNORECASE)
# Good syntax that asks for nothing (RFC 9110 section 14.1.2); Werkzeug takes it for bad syntax.
_LAST_NOTHING: Final = re.compile(r"[^=]*=[ \t]*-0+[ \t]*")


def connection_of(environ: WSGIEnvironment) -> socket.socket | None:
    """Return the socket of a request, where the server exposes it (gunicorn, Werkzeug)."""
    connection: socket.socket | None = environ.get("gunicorn.socket") or environ.get(
        "werkzeug.socket"
    )
    return connection


def listener_of(request: Request) -> str:
    """Return who asks, as far as that can be known: for fairness, not for access.

    X-Forwarded-For is for the application to believe, which knows its proxies and sets REMOTE_ADDR
    by it (Werkzeug's `ProxyFix`): anybody else would be as many listeners as he makes up.
    """
    # Not by Werkzeug's attributes: they parse, and every hit passes here.
    return listener_in(request.environ)


def listener_in(environ: WSGIEnvironment) -> str:
    """Return who asks, of a request as WSGI has it."""
    return f"{environ.get('REMOTE_ADDR')} {environ.get('HTTP_USER_AGENT', '')}"


def listener_has_left(environ: WSGIEnvironment) -> Callable[[], bool]:
    """Return a function that says whether the client has closed its connection.

    That needs a server that exposes its socket; elsewhere the answer is always no, and the next
    write finds out.
    """
    connection = connection_of(environ)
    if connection is None or not hasattr(select, "POLLRDHUP"):
        return lambda: False

    def is_gone() -> bool:
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    return is_gone


CONDITIONS: Final = frozenset(f"HTTP_IF_{name}" for name in ("MATCH", "NONE_MATCH"))


def _precondition_status(request: Request, what: Representation) -> int | None:
    """Evaluate preconditions in the order of RFC 9110 section 13.2.2.

    No times are told, since those of a source's file are nobody's business, so conditions by time
    never hold.
    """
    if CONDITIONS.isdisjoint(request.environ):
        return None
    if request.headers.get("If-Match"):
        tags = request.if_match
        if not (tags.star_tag or any(map(tags.contains, what.etags))):
            return 412
    if request.headers.get("If-None-Match"):
        tags = request.if_none_match
        return 304 if tags.star_tag or any(map(tags.contains_weak, what.etags)) else None
    return None


def _range_applies(request: Request, what: Representation) -> bool:
    """Say whether If-Range, compared strongly (RFC 9110 section 13.1.5), lets the range hold."""
    condition = request.environ.get("HTTP_IF_RANGE")
    return condition is None or condition.strip() in {f'"{tag}"' for tag in what.etags}


def _empty(status: int, fields: dict[str, str]) -> Response:
    response = Response(status=status, headers=fields)
    del response.headers["Content-Type"]
    return response


def file_body(environ: WSGIEnvironment, fd: int, start: int, stop: int) -> Iterable[bytes]:
    """Return the bytes [start, stop) of an open file, which is closed with them."""
    if stop - start <= _AT_ONCE_BYTES:
        # Cheaper than a server's preparations for sendfile, and the file is closed right away.
        try:
            return [os.pread(fd, stop - start, start)]
        finally:
            os.close(fd)
    span = _FileSpan(fd, start, stop)
    wrapper = environ.get("wsgi.file_wrapper")
    server = str(environ.get("SERVER_SOFTWARE", ""))
    if wrapper is not None and server.startswith(_SENDFILE_SERVERS):
        wrapped: Iterable[bytes] = wrapper(span, _READ_BYTES)
        return wrapped
    return FileWrapper(span, _READ_BYTES)


class _FileSpan(io.FileIO):
    """A file for sendfile, which begins at its position; reading it instead ends at `stop`."""

    def __init__(self, fd: int, start: int, stop: int) -> None:
        super().__init__(fd, "rb")
        self._stop = stop
        self.seek(start)

    def read(self, size: int | None = -1, /) -> bytes:
        if self.closed:
            return b""  # a server may ask once more
        left = max(0, self._stop - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""

    def __del__(self) -> None:
        self.close()  # where nobody closed the answer
