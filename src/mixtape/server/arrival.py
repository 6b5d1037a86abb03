"""A request on its way in: what came of it so far, and whether that is all.

Nothing here waits or reads a socket. What a head means is gunicorn's to say; only where a request
ends is found out here, so that no thread is given to one before it is whole.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from enum import Enum
from typing import IO, Final

# gunicorn takes 100 fields of 8 KiB; what browsers and players send is a twentieth of this.
MAX_HEAD_BYTES: Final = 1 << 16
# What is longer than this is kept in a file that has no name.
_MEMORY_BYTES: Final = 1 << 16
_READ_BYTES: Final = 1 << 16
_END_OF_HEAD: Final = b"\r\n\r\n"
_END_OF_LINE: Final = b"\r\n"
_BLANKS: Final = b" \t"
_MOST_DIGITS: Final = 15


class Stage(Enum):
    """How much of a request has come."""

    NOTHING = "nothing"
    HEAD = "a part of its head"
    BODY = "its head, and maybe a part of its body"
    WHOLE = "all of it"


class Arrival:
    """What a client has sent of one request.

    Args:
        max_body_bytes: bodies that say that they are longer are not waited for: the application
            refuses them by their length.
        received: what came behind the request before.
    """

    def __init__(self, max_body_bytes: int, received: bytes = b"") -> None:
        self._max_body_bytes = max_body_bytes
        self._received = bytearray()
        self._file: IO[bytes] | None = None
        self._body_bytes = 0
        self._head_bytes = 0
        self.stage = Stage.NOTHING
        self.length = 0
        self.refusal = 0
        self.must_close = False
        self._may_await_consent = False
        self.add(received)

    @property
    def received(self) -> bytes:
        """Return all that has come and is not kept in a file."""
        return bytes(self._received)

    @property
    def stored_bytes(self) -> int:
        """Return how much of the body is kept in a file."""
        return self._body_bytes if self._file is not None else 0

    def add(self, data: bytes) -> None:
        """Take what has come.

        Afterwards `stage` says how far the request is; `refusal` is the status to refuse it with,
        or 0; `must_close` says that it is not known where another would begin.
        """
        if self.stage is Stage.BODY:
            self._add_to_body(data)
            return
        self._received += data
        if self.stage is Stage.WHOLE:
            return
        if self.stage is Stage.NOTHING:
            # RFC 9112 section 2.2: empty lines before a request are ignored.
            self._received = self._received.lstrip(b"\r\n")
        if not self._received:
            return
        self.stage = Stage.HEAD
        # The end may lie across the border of what was there and what came.
        begin = max(0, len(self._received) - len(data) - len(_END_OF_HEAD))
        end = self._received.find(_END_OF_HEAD, begin)
        if max(end, 0 if end >= 0 else len(self._received)) > MAX_HEAD_BYTES:
            self._refuse(431)
        elif end >= 0:
            self._read_head(end + len(_END_OF_HEAD))

    def take_consent(self) -> bool:
        """Say whether the client awaits "100 Continue" before it sends its body; once."""
        awaits = self._may_await_consent and self.stage is Stage.BODY and not self._body_bytes
        self._may_await_consent = False
        return awaits

    def pieces(self) -> Iterator[bytes]:
        """Yield the request; what came behind it is left for `rest`."""
        yield bytes(self._received[: self._head_bytes])
        if self._file is None:
            yield bytes(self._received[self._head_bytes : self._head_bytes + self._body_bytes])
            return
        self._file.seek(0)
        while data := self._file.read(_READ_BYTES):
            yield data

    def rest(self) -> bytes:
        """Return what came behind the request."""
        kept = 0 if self._file is not None else self._body_bytes
        return bytes(self._received[self._head_bytes + kept :])

    def close(self) -> None:
        """Let go of what is kept."""
        if self._file is not None:
            self._file.close()

    def _refuse(self, status: int) -> None:
        self.refusal, self.must_close, self.stage = status, True, Stage.WHOLE

    def _read_head(self, end: int) -> None:
        self._head_bytes = end
        fields = _framing_fields(bytes(self._received[:end]))
        if fields[b"transfer-encoding"]:
            # RFC 9112 section 6.3 lets a server insist on a length, which says how long to wait.
            self._refuse(411)
            return
        lengths = fields[b"content-length"]
        is_length = len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) <= _MOST_DIGITS
        if lengths and not is_length:
            # gunicorn refuses it, and says why.
            self.must_close, self.stage = True, Stage.WHOLE
            return
        self.length = int(lengths[0]) if lengths else 0
        if self.length > self._max_body_bytes:
            self.must_close, self.stage = True, Stage.WHOLE
            return
        self._may_await_consent = b"100-continue" in map(bytes.lower, fields[b"expect"])
        self.stage = Stage.BODY
        if self.length > _MEMORY_BYTES:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            body = bytes(self._received[end:])
            del self._received[end:]
            self._add_to_body(body)
            return
        self._count_body()

    def _add_to_body(self, data: bytes) -> None:
        if self._file is None:
            self._received += data
            self._count_body()
            return
        missing = self.length - self._body_bytes
        self._file.write(data[:missing])
        self._received += data[missing:]
        self._body_bytes += min(len(data), missing)
        if self._body_bytes == self.length:
            self.stage = Stage.WHOLE

    def _count_body(self) -> None:
        self._body_bytes = min(self.length, len(self._received) - self._head_bytes)
        if self._body_bytes == self.length:
            self.stage = Stage.WHOLE


def _framing_fields(head: bytes) -> dict[bytes, list[bytes]]:
    """Return the values of the fields that say where a request ends.

    Line by line: a pattern that looks for the end of a value among blanks can take minutes over a
    head of nothing else, and all others would wait.
    """
    found: dict[bytes, list[bytes]] = {
        b"content-length": [],
        b"transfer-encoding": [],
        b"expect": [],
    }
    for line in head.split(_END_OF_LINE)[1:]:
        name, colon, value = line.partition(b":")
        values = found.get(name.rstrip(_BLANKS).lower()) if colon else None
        if values is not None:
            values.append(value.strip(_BLANKS))
    return found
