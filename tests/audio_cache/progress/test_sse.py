"""The progress stream as HTTP clients get it, over a real socket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from audio_cache.progress.sse import get_last_event_id, progress_response
from audio_cache.progress.tracker import ProgressTracker
from tests.helpers.waiting import LIMIT_S
from tests.helpers.web import WebServer


@pytest.fixture
def tracker() -> ProgressTracker:
    return ProgressTracker(keepalive_s=LIMIT_S)


@pytest.fixture
def server(tracker: ProgressTracker) -> Iterator[WebServer]:
    @Request.application
    def app(request: Request) -> Response:
        try:
            task_id = request.path.removeprefix("/")
            return progress_response(tracker, task_id, get_last_event_id(request), LIMIT_S)
        except NotFound as error:
            return Response(error.description, 404)

    server = WebServer(app)
    yield server
    tracker.close()
    server.stop()


class Client:
    """One connection that asks for a task's progress."""

    def __init__(self, server: WebServer, target: str, last_event_id: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self.connection.request("GET", target, headers=headers)
        self.response = self.connection.getresponse()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.response.close()
        self.connection.close()

    def read_message(self) -> dict[str, str]:
        """Return the fields of the next message; an empty one at the end."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return fields


def test_the_stream_has_the_headers_that_proxies_need(
    tracker: ProgressTracker, server: WebServer
) -> None:
    tracker.create_task("t")
    with Client(server, "/t") as client:
        headers = client.response.headers
        assert client.response.status == 200
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-cache, no-transform"
        assert headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in headers


def test_connected_comes_first_and_every_event_as_soon_as_it_happens(
    tracker: ProgressTracker, server: WebServer
) -> None:
    tracker.create_task("t")
    with Client(server, "/t") as client:
        assert json.loads(client.read_message()["data"]) == {"type": "connected", "task_id": "t"}
        assert client.read_message() == {"retry": "2000"}
        tracker.emit("t", "caching", "in_progress", "Höre zu")
        assert json.loads(client.read_message()["data"])["message"] == "Höre zu"
        tracker.emit("t", "completed", "completed", "done")
        assert json.loads(client.read_message()["data"])["message"] == "done"
        assert client.response.read() == b""


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_client_that_comes_back_goes_on_where_it_was(
    tracker: ProgressTracker, server: WebServer, way: str
) -> None:
    for number in range(4):
        tracker.emit("t", "caching", "in_progress", f"event {number}")
    with Client(server, "/t") as client:
        seen = [client.read_message() for _ in range(4)][-1]["id"]
    target, header = ("/t", seen) if way == "header" else (f"/t?last_event_id={seen}", "")
    with Client(server, target, header) as client:
        got = [client.read_message() for _ in range(4)][2:]
    assert [json.loads(m["data"])["message"] for m in got] == ["event 2", "event 3"]


def test_who_has_seen_the_end_is_told_not_to_come_again(
    tracker: ProgressTracker, server: WebServer
) -> None:
    tracker.emit("t", "caching", "in_progress", "a track")
    tracker.emit("t", "completed", "completed", "done")
    with Client(server, "/t") as client:
        first, last = [client.read_message() for _ in range(4)][2:]
        assert client.response.read() == b""
    with Client(server, "/t", last["id"]) as client:
        assert (client.response.status, client.response.read()) == (204, b"")
    with Client(server, "/t", first["id"]) as client:
        assert client.response.status == 200
    tracker.create_task("t")
    with Client(server, "/t", last["id"]) as client:
        assert client.response.status == 200


def test_an_unknown_task_is_404_and_the_answer_names_it(
    tracker: ProgressTracker, server: WebServer
) -> None:
    with Client(server, "/no-such-mixtape") as client:
        assert client.response.status == 404
        assert "'no-such-mixtape'" in client.response.read().decode()
    assert not tracker._tasks


def test_a_client_that_goes_away_leaves_no_listener(
    tracker: ProgressTracker, server: WebServer
) -> None:
    tracker.create_task("t")
    with Client(server, "/t") as client:
        client.read_message()
        tracker.emit("t", "caching", "in_progress", "x")
        assert [client.read_message() for _ in range(2)][1]["id"]
        task = tracker._tasks["t"]
        assert task.listeners == 1
    # A socket that is gone shows when something is sent; the kernel may take a message or two.
    for _ in range(10_000):
        tracker.emit("t", "caching", "in_progress", "x" * 10_000)
        with task.changed:
            if not task.listeners:
                break
            task.changed.wait(0.001)
    assert task.listeners == 0


def test_an_answer_whose_body_is_never_read_joins_nothing(tracker: ProgressTracker) -> None:
    tracker.create_task("t")
    response = progress_response(tracker, "t")
    response.close()
    assert tracker._tasks["t"].listeners == 0
