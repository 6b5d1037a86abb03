"""HTTP semantics of one representation: ranges, validators, preconditions, sendfile (RFC 9110)."""

from __future__ import annotations

import io
import math
import os
import re
import select
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from werkzeug.http import http_date, parse_date, parse_range_header
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_READ_BYTES: Final = 1 << 15
_AT_ONCE_BYTES: Final = 1 << 16
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

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Return the headers that every answer has; made once, as most of a short answer's work."""
        modified = last_modified(self.mtime_s)
        fields = {
            "ETag": f'"{self.etag}"',
            **({"Last-Modified": http_date(modified)} if modified else {}),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",
            **self.headers,
        }
        return list(fields.items())

    def over(self, fd: int) -> Representation:
        """Return the same representation over another descriptor of its file."""
        twin = object.__new__(Representation)
        # Not dataclasses.replace, which would lose `fields` and takes as long as a lookup.
        vars(twin).update(vars(self), fd=fd, fields=self.fields)
        return twin

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


# Digits as RFC 9110 has them: int() would also take signs, underscores and other alphabets.
_RANGE_SYNTAX: Final = re.compile(r"[ \t]*bytes[ \t]*=[0-9,\- \t]+", re.ASCII | re.IGNORECASE)
# Good syntax that asks for nothing (RFC 9110 section 14.1.2); Werkzeug takes it for bad syntax.
_LAST_NOTHING: Final = re.compile(r"[^=]*=[ \t]*-0+[ \t]*")


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


_CONDITIONS: Final = frozenset(
    f"HTTP_IF_{name}" for name in ("MATCH", "NONE_MATCH", "MODIFIED_SINCE", "UNMODIFIED_SINCE")
)


def _precondition_status(request: Request, what: Representation) -> int | None:
    """Evaluate preconditions in the order of RFC 9110 section 13.2.2."""
    if _CONDITIONS.isdisjoint(request.environ):
        return None
    modified = last_modified(what.mtime_s)
    if request.headers.get("If-Match"):
        if not (request.if_match.star_tag or request.if_match.contains(what.etag)):
            return 412
    elif modified and (until := request.if_unmodified_since) and modified > until:
        return 412
    if request.headers.get("If-None-Match"):
        tags = request.if_none_match
        return 304 if tags.star_tag or tags.contains_weak(what.etag) else None
    since = request.if_modified_since
    return 304 if modified and since and modified <= since else None


def _range_applies(request: Request, what: Representation) -> bool:
    """Say whether If-Range, compared strongly (RFC 9110 section 13.1.5), lets the range hold."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith(('"', "W/")):
        return condition == f'"{what.etag}"'
    modified = last_modified(what.mtime_s)
    return modified is not None and parse_date(condition) == modified


def _partial(request: Request, what: Representation, start: int, stop: int) -> Response:
    content_range = ("Content-Range", f"bytes {start}-{stop - 1}/{what.length}")
    return _body(request, what, start, stop, 206, content_range)


def _body(
    request: Request,
    what: Representation,
    start: int,
    stop: int,
    status: int,
    *fields: tuple[str, str],
) -> Response:
    length = ("Content-Length", str(stop - start))
    headers = [("Content-Type", what.content_type), length, *fields, *what.fields]
    if request.method == "HEAD":
        what.close()
        return Response(status=status, headers=headers)
    if what.fd is not None:
        body = _file_body(request, what.fd, start, stop)
    else:
        assert what.open_range is not None
        body = what.open_range(start, stop)
    return Response(body, status, headers, direct_passthrough=True)


def _empty(what: Representation, status: int) -> Response:
    response = Response(status=status, headers=what.fields)
    del response.headers["Content-Type"]
    return response


def _file_body(request: Request, fd: int, start: int, stop: int) -> Iterable[bytes]:
    if stop - start <= _AT_ONCE_BYTES:
        # Cheaper than what a server does around one sendfile, and the file is closed right away.
        try:
            return [os.pread(fd, stop - start, start)]
        finally:
            os.close(fd)
    wrapper = request.environ.get("wsgi.file_wrapper")
    server = str(request.environ.get("SERVER_SOFTWARE", ""))
    if wrapper is not None and server.startswith(_SENDFILE_SERVERS):
        wrapped: Iterable[bytes] = wrapper(_FileSpan(fd, start, stop), _READ_BYTES)
        return wrapped
    return _FileBody(fd, start, stop)


class _FileSpan(io.FileIO):
    """A file for sendfile, which begins where it stands; who reads it instead gets to `stop`."""

    def __init__(self, fd: int, start: int, stop: int) -> None:
        super().__init__(fd, "rb")
        self._stop = stop
        self.seek(start)

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._stop - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""


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


def last_modified(mtime_s: float) -> datetime | None:
    """Return the time as HTTP can write it: UTC, without fractions of a second.

    None where it lies ahead or beyond the calendar: such a date must not be sent (RFC 9110 section
    8.8.2.1), and the current one in its place would be another with every answer.
    """
    try:
        modified = datetime.fromtimestamp(math.floor(mtime_s), UTC)
    except (OSError, OverflowError, ValueError):
        return None
    return modified if modified <= datetime.now(UTC) else None
