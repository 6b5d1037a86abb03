"""The event stream that carries the progress of a task over HTTP (text/event-stream)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from .tracker import ProgressTracker

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
    stream = _stream(tracker.listen(task_id, timeout, last_event_id, ids=True))
    return Response(stream, headers=HEADERS, mimetype="text/event-stream")


def _stream(frames: Generator[str, None, None]) -> Iterator[str]:
    with closing(frames):
        yield next(frames)
        yield f"retry: {RETRY_MS}\n\n"
        yield from frames
