"""HTTP semantics of one representation: ranges, validators, preconditions, sendfile (RFC 9110)."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from werkzeug.http import http_date, parse_date, parse_range_header
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_READ_BYTES: Final = 1 << 15
# These honour a file that was sought to an offset together with a Content-Length.
_SENDFILE_SERVERS: Final = ("gunicorn",)


@dataclass(frozen=True)
class Representation:
    """What a URL stands for at the moment: bytes of a known length, with validators.

    Args:
        length: size in bytes.
        etag: strong entity tag, unquoted.
        mtime_s: last modification, in seconds since 1970.
        content_type: media type.
        open_range: gives the bytes [start, stop); it may raise before the answer begins.
        fd: an open file that holds the bytes, for servers with sendfile; None where there is none.
            It belongs to the answer, which closes it.
        headers: further headers of every answer.
    """

    length: int
    etag: str
    mtime_s: float
    content_type: str
    open_range: Callable[[int, int], Iterable[bytes]] | None = None
    fd: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Close the file where there is one."""
        if self.fd is not None:
            os.close(self.fd)


def respond(request: Request, what: Representation) -> Response:
    """Return the answer to a GET or HEAD: 200, 206, 304, 412 or 416.

    One range is answered with 206. Several ranges are answered with the whole (RFC 9110 section
    14.2 lets a server ignore Range): no player asks for them, and they are a way to ask for much.

    Raises:
        Exception: whatever `open_range` raises, before anything was sent.
    """
    answered = False
    try:
        response = _evaluate(request, what)
        answered = True
        return response
    finally:
        if not answered:
            what.close()


def _evaluate(request: Request, what: Representation) -> Response:
    status = _precondition_status(request, what)
    if status is not None:
        what.close()
        return _empty(what, status)
    span: tuple[int, int] | None = (0, what.length)
    if request.method == "GET" and "Range" in request.headers and _range_applies(request, what):
        span = requested_span(request.headers["Range"], what.length)
        if span is None:
            what.close()
            response = _empty(what, 416)
            response.headers["Content-Range"] = f"bytes */{what.length}"
            return response
        if span != (0, 0):
            return _partial(request, what, *span)
    return _body(request, what, 0, what.length, 200)


def requested_span(header: str, length: int) -> tuple[int, int] | None:
    """Return the bytes [start, stop) that a Range header asks for.

    (0, 0) where the header is to be ignored: another unit, bad syntax, several ranges. None where
    the range cannot be satisfied.
    """
    if not _RANGE_SYNTAX.fullmatch(header):
        return 0, 0
    ranges = parse_range_header(header)
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return 0, 0
    start, stop = ranges.ranges[0]
    if start < 0:
        start = max(0, length + start)
    stop = length if stop is None else min(stop, length)
    return (start, stop) if start < stop else None


# Digits as RFC 9110 has them: int() would also take signs, underscores and other alphabets.
_RANGE_SYNTAX: Final = re.compile(r"[ \t]*bytes[ \t]*=[0-9,\- \t]+", re.ASCII | re.IGNORECASE)


def listener_has_left(environ: WSGIEnvironment) -> Callable[[], bool]:
    """Return a function that says whether the client has closed its connection.

    Only servers that show their socket can tell (gunicorn, Werkzeug); elsewhere it always says no,
    and the next write finds out.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None or not hasattr(select, "POLLRDHUP"):
        return lambda: False

    def is_gone() -> bool:
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    return is_gone


def _precondition_status(request: Request, what: Representation) -> int | None:
    """Evaluate preconditions in the order of RFC 9110 section 13.2.2."""
    mtime = _whole_seconds(what.mtime_s)
    if request.headers.get("If-Match"):
        if not (request.if_match.star_tag or request.if_match.contains(what.etag)):
            return 412
    elif (unmodified := request.if_unmodified_since) is not None and mtime > unmodified:
        return 412
    if request.headers.get("If-None-Match"):
        tags = request.if_none_match
        return 304 if tags.star_tag or tags.contains_weak(what.etag) else None
    since = request.if_modified_since
    return 304 if since is not None and mtime <= since else None


def _range_applies(request: Request, what: Representation) -> bool:
    """Say whether If-Range, compared strongly (RFC 9110 section 13.1.5), lets the range hold."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith(('"', "W/")):
        return condition == f'"{what.etag}"'
    return parse_date(condition) == _whole_seconds(what.mtime_s)


def _partial(request: Request, what: Representation, start: int, stop: int) -> Response:
    response = _body(request, what, start, stop, 206)
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{what.length}"
    return response


def _body(request: Request, what: Representation, start: int, stop: int, status: int) -> Response:
    response: Response
    if request.method == "HEAD":
        what.close()
        response = Response(status=status)
    elif what.fd is not None:
        response = Response(
            _file_body(request, what.fd, start, stop), status=status, direct_passthrough=True
        )
    else:
        assert what.open_range is not None
        body = what.open_range(start, stop)
        response = Response(body, status=status, direct_passthrough=True)
    _describe(response, what)
    response.headers["Content-Type"] = what.content_type
    response.headers["Content-Length"] = str(stop - start)
    return response


def _empty(what: Representation, status: int) -> Response:
    response = Response(status=status)
    _describe(response, what)
    del response.headers["Content-Type"]
    return response


def _describe(response: Response, what: Representation) -> None:
    response.headers["ETag"] = f'"{what.etag}"'
    response.headers["Last-Modified"] = http_date(what.mtime_s)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers.setdefault("Cache-Control", "no-cache")
    response.headers.update(what.headers)


def _file_body(request: Request, fd: int, start: int, stop: int) -> Iterable[bytes]:
    wrapper = request.environ.get("wsgi.file_wrapper")
    server = str(request.environ.get("SERVER_SOFTWARE", ""))
    if wrapper is not None and server.startswith(_SENDFILE_SERVERS):
        file = os.fdopen(fd, "rb", buffering=0)
        file.seek(start)
        wrapped: Iterable[bytes] = wrapper(file, _READ_BYTES)
        return wrapped
    return _FileBody(fd, start, stop)


class _FileBody(Iterator[bytes]):
    """The bytes [start, stop) of an open file, a piece at a time, never the whole in memory."""

    def __init__(self, fd: int, start: int, stop: int) -> None:
        self._fd = fd
        self._at = start
        self._stop = stop

    def __next__(self) -> bytes:
        data = b"" if self._fd < 0 else os.pread(self._fd, self._wanted(), self._at)
        if not data:
            raise StopIteration
        self._at += len(data)
        return data

    def _wanted(self) -> int:
        return min(_READ_BYTES, self._stop - self._at)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


def _whole_seconds(mtime_s: float) -> datetime:
    """Return a time as HTTP can write it: UTC, without fractions of a second."""
    return datetime.fromtimestamp(int(mtime_s), UTC)
