"""The event stream that carries the progress of a task over HTTP (text/event-stream)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from .tracker import Frames, ProgressTracker

HEADERS: Final = {
    # no-transform: a proxy that compresses would hold events back until it has a block full.
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
RETRY_MS: Final = 2000
# A stream that is silent for this long gets a comment, or proxies would take it for dead.
KEEPALIVE: Final = ": keepalive\n\n"
KEEPALIVE_S: Final = 15.0


def get_last_event_id(request: Request) -> str | None:
    """Return the last event that the client of a request says it has had.

    A browser sends the header when it reconnects by itself. A script that opens a new
    EventSource cannot set headers and sends `?last_event_id=` instead.
    """
    return request.headers.get("Last-Event-ID") or request.args.get("last_event_id")


def progress_response(
    tracker: ProgressTracker,
    task_id: str,
    last_event_id: str | None = None,
    timeout: float = 300,
) -> Response:
    """Return the stream of a task's events.

    Args:
        tracker: the one that knows the task.
        task_id: which task.
        last_event_id: the last event that the client has had, as `get_last_event_id` finds it.
        timeout: seconds after which the stream ends and the client must reconnect.

    Returns:
        200 with the stream; 204 if the client has had the event that ended the run, since
        that is what tells an EventSource to stop reconnecting (HTML Standard, 9.2.3).

    Raises:
        NotFound: no run of that task is in progress or ended recently.
    """
    if not tracker.has_task(task_id):
        raise NotFound(f"no run of {task_id!r} is known: it ended a while ago or never began")
    if last_event_id and tracker.is_end_of_run(task_id, last_event_id):
        ended = Response(status=204, headers=HEADERS)
        del ended.headers["Content-Type"]
        return ended
    frames = tracker.follow(task_id, timeout, last_event_id, ids=True)
    # Passed through as it is, so that a server sees what it is.
    stream = EventStream(frames)
    return Response(stream, headers=HEADERS, mimetype="text/event-stream", direct_passthrough=True)


class EventStream:
    """The body of a progress stream, which tells servers when it has something to send.

    Args:
        frames: the messages.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._is_first = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        frame = next(self._frames)
        if self._is_first:
            self._is_first = False
            frame += f"retry: {RETRY_MS}\n\n"
        return frame.encode()

    def is_due(self) -> bool:
        """Say whether the next item, or the end, would come at once."""
        return self._frames.is_due()

    def due_in_s(self) -> float:
        """Return the seconds until an item is due even if nothing happens."""
        return self._frames.due_in_s()

    def call_when_due(self, wake: Callable[[], None]) -> None:
        """Call `wake` when something has happened, at once if it has; from any thread."""
        self._frames.call_when_due(wake)

    def close(self) -> None:
        """Leave the task."""
        self._frames.close()
