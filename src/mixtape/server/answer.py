"""An answer on its way out, sent in steps none of which waits for the client.

A thread takes a step: it runs the application, or goes on where the step before stopped, until
the client has to read first or the application has nothing to tell for now.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import RequestParser  # type: ignore[import-untyped]
from gunicorn.http.wsgi import FileWrapper, create  # type: ignore[import-untyped]

from ..web.crowd import AT_END

if TYPE_CHECKING:
    from .arrival import Arrival

# In one call; the kernel takes less, as much as the client's window has room for.
_SENDFILE_BYTES: Final = 1 << 24
# The kernel takes 1,024 in one call.
_MOST_PIECES: Final = 64
_OF_FILES: Final = frozenset({errno.EIO, errno.EINVAL, errno.EISDIR})


class ClientLeftError(Exception):
    """The client of an answer is gone."""


class NotHereError(BaseException):
    """Another process has to answer. No application may take this for a failure of its own."""


class Step(Enum):
    """What has to happen before the next step."""

    READ = "the client reads what was sent"
    NEWS = "the application has something to tell"
    KEEP = "nothing: the answer is out, and the connection good for another request"
    CLOSE = "nothing: the answer is over, and so is the connection"
    ELSEWHERE = "another process answers, as nothing of this answer is out"


@runtime_checkable
class Patient(Protocol):
    """The body of an answer whose next piece may take hours, and which says when it is there."""

    def is_due(self) -> bool:
        """Say whether asking for the next piece would return at once."""

    def due_in_s(self) -> float:
        """Return the seconds until a piece is due, whatever happens before."""

    def call_when_due(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, from any thread, when something has happened; maybe at once."""


class Outbox:
    """What gunicorn takes for a socket: it keeps what is to be sent, and sends what goes out.

    Args:
        connection: a socket that does not block.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._due: deque[memoryview | _Span] = deque()

    def sendall(self, data: bytes) -> None:
        """Keep bytes for `flush`."""
        if data:
            self._due.append(memoryview(data))

    def send(self, data: bytes) -> int:
        """Drop "100 Continue", all that gunicorn sends so: the client had it before its body."""
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Keep a part of a file for `flush`; the file must stay open until then."""
        fd = file.fileno()
        left = os.fstat(fd).st_size - offset if count is None else count
        self._due.append(_Span(fd, offset, left))

    def gettimeout(self) -> float:
        """Say that nothing here waits, as gunicorn asks before it sends an error."""
        return 0.0

    def flush(self) -> bool:
        """Send what the client has room for; say whether that was all.

        Raises:
            ClientLeftError: the connection is broken.
            OSError: a file cannot be read, or has become shorter than was announced.
        """
        try:
            while self._due:
                if isinstance(self._due[0], _Span):
                    self._send_file(self._due[0])
                else:
                    self._send_bytes()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _OF_FILES:
                raise
            raise ClientLeftError from error
        return True

    def _send_bytes(self) -> None:
        views = []
        for item in self._due:
            if isinstance(item, _Span):
                break
            views.append(item)
            if len(views) == _MOST_PIECES:
                break
        sent = self._connection.sendmsg(views)
        for view in views:
            if sent < len(view):
                self._due[0] = view[sent:]
                return
            sent -= len(view)
            self._due.popleft()

    def _send_file(self, span: _Span) -> None:
        count = min(span.left, _SENDFILE_BYTES)
        sent = os.sendfile(self._connection.fileno(), span.fd, span.offset, count) if count else 0
        if count and not sent:
            raise OSError(errno.EIO, "a file that is being sent has become shorter")
        span.offset += sent
        span.left -= sent
        if not span.left:
            self._due.popleft()


class _Span:
    """A part of a file that is still to be sent."""

    def __init__(self, fd: int, offset: int, left: int) -> None:
        self.fd, self.offset, self.left = fd, offset, left


class Answer:
    """The answer of a WSGI application to one request.

    Args:
        application: what answers.
        arrival: the request, whole.
        connection: its socket, which does not block.
        addresses: of the client, and of this server.
        worker: whose settings and log hold.
        is_last: whether the connection is to end with this.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        arrival: Arrival,
        connection: socket.socket,
        addresses: tuple[Any, Any],
        worker: Any,
        *,
        is_last: bool,
    ) -> None:
        self._application = application
        self._arrival = arrival
        self._connection = connection
        self._addresses = addresses
        self._worker = worker
        self._is_last = is_last
        self._outbox = Outbox(connection)
        self._ending = contextlib.ExitStack()
        self._request: Any = None
        self._response: Any = None
        self._pieces: Iterator[bytes] | None = None
        self._is_begun = False
        self.patient: Patient | None = None

    def step(self) -> Step:
        """Go on until somebody else has to do something first."""
        try:
            if not self._is_begun:
                self._is_begun = True
                self._begin()
            return self._go_on()
        except (ClientLeftError, ConnectionError):
            # The application says by the latter that it has seen it, or that all ends here.
            self.close()
            return Step.CLOSE
        except NotHereError:
            self.close()
            return Step.ELSEWHERE
        except Exception as error:
            return self._fail(error)

    def close(self) -> None:
        """End it, wherever it is."""
        self._is_begun = True
        self._pieces = self.patient = None
        self._arrival.close()
        try:
            self._ending.close()
        except Exception:
            self._worker.log.exception("an answer could not be ended")

    def _begin(self) -> None:
        client, server = self._addresses
        cfg = self._worker.cfg
        self._request = next(RequestParser(cfg, self._arrival.pieces(), client))
        response, environ = create(self._request, self._outbox, client, server, cfg)
        environ["wsgi.multithread"] = True
        environ["gunicorn.socket"] = self._connection
        environ[AT_END] = self._ending.callback
        if self._is_last or self._arrival.must_close:
            response.force_close()
        body = self._application(environ, response.start_response)
        self._response = response
        if hasattr(body, "close"):
            self._ending.callback(body.close)
        if isinstance(body, FileWrapper) and util.has_fileno(body.filelike):
            response.write_file(body)
            self._pieces = iter(())
        else:
            self.patient = body if isinstance(body, Patient) else None
            self._pieces = iter(body)

    def _go_on(self) -> Step:
        while True:
            if not self._outbox.flush():
                return Step.READ
            if self._pieces is None:
                return self._finish()
            if self.patient is not None and not self.patient.is_due():
                return Step.NEWS
            try:
                self._response.write(next(self._pieces))
            except StopIteration:
                self._response.close()
                self._pieces = None

    def _finish(self) -> Step:
        is_good = self._response is not None and not self._response.should_close()
        self.close()
        return Step.KEEP if is_good else Step.CLOSE

    def _fail(self, error: Exception) -> Step:
        """Answer by an error, where nothing of another answer is out."""
        client, _ = self._addresses
        self._pieces = self.patient = None
        if self._response is not None and self._response.headers_sent:
            self._worker.log.exception("an answer broke off")
            self.close()
            return Step.CLOSE
        self._response = None
        self._outbox = Outbox(self._connection)
        self._worker.handle_error(self._request, self._outbox, client, error)
        return self.step()
