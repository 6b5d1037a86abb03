"""Several processes that answer as one."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks.server import children_of
from mixtape.server.run import count_workers
from mixtape.server.team import Links
from tests.helpers.audio import make_noise
from tests.helpers.host import make_settings
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.slow
TRACK = "/play/track.flac?quality=low"
COLD = "/play/cold.flac?quality=low"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MixtapeServe]:
    root = tmp_path_factory.mktemp("team")
    (root / "music").mkdir()
    for name in ("track.flac", "cold.flac"):
        make_noise(root / "music" / name, samples=20 * 44_100, tags={"title": name})
    with MixtapeServe(root / "music", root / "data", WORKERS="3") as server:
        while ask(server, TRACK).getheader("Cache-Status") != "audio-cache; hit":
            pass
        wait_until(lambda: len(workers_of(server)) == 3)
        yield server


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def workers_of(server: MixtapeServe) -> list[int]:
    """Return the processes that answer, the main one first."""
    return sorted(children_of(server.process.pid))


def connect(server: MixtapeServe) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=LIMIT_S)


def ask(server: MixtapeServe, path: str, method: str = "GET") -> http.client.HTTPResponse:
    connection = connect(server)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    answer.body = body  # type: ignore[attr-defined]
    connection.close()
    return answer


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def plays(server: MixtapeServe) -> int:
    text = ask(server, "/metrics").body.decode()  # type: ignore[attr-defined]
    found = re.findall(r"^mixtape_plays_total\S* ([0-9.e+]+)$", text, re.M)
    return round(sum(map(float, found)))


def test_what_is_stored_is_answered_while_the_main_process_is_busy(server: MixtapeServe) -> None:
    whole = ask(server, TRACK).body  # type: ignore[attr-defined]
    with stopped(workers_of(server)[0]):
        for _ in range(10):
            answer = ask(server, TRACK)
            assert answer.status == 200
            assert answer.body == whole  # type: ignore[attr-defined]
        assert ask(server, "/static/css/mixtape.css").status == 200
        page = connect(server)
        page.request("GET", "/healthz")
    assert page.getresponse().read() == b'{"status":"ok"}\n'
    page.close()


def test_a_connection_goes_on_wherever_its_requests_are_answered(server: MixtapeServe) -> None:
    connection = connect(server)
    connection.connect()
    assert connection.sock is not None
    where = connection.sock.getsockname()
    for _ in range(10):
        for path, status in (
            ("/healthz", 200),
            (TRACK, 200),
            ("/", 200),
            ("/play/none.flac", 404),
            ("/r/" + "0" * 32 + ".mp3?e=1&s=x", 403),
        ):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert (path, answer.status) == (path, status)
            assert connection.sock is not None
            assert connection.sock.getsockname() == where
    connection.close()


def test_a_body_arrives_at_the_main_process_and_what_is_behind_it_too(
    server: MixtapeServe,
) -> None:
    host, port = server.address.removeprefix("http://").split(":")
    for length in (10, 40_000, 200_000):
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as client:
            head = f"POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
            behind = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode() + b"x" * length + behind.encode())
            received = b""
            while piece := client.recv(1 << 16):
                received += piece
            assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"404", b"200"]


def test_a_cold_track_is_made_by_the_main_process_alone(server: MixtapeServe) -> None:
    helpers = workers_of(server)[1:]
    assert ask(server, COLD).getheader("Cache-Status", "").startswith("audio-cache; ")
    for path in (COLD, "/play/cold.flac?quality=high", "/play/cold.flac?quality=medium"):
        assert ask(server, path).status == 200
        assert not [child for helper in helpers for child in children_of(helper)]


def test_plays_of_all_processes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    make_noise(tmp_path / "music" / "track.flac", samples=44_100, tags={})
    with MixtapeServe(tmp_path / "music", tmp_path / "data", WORKERS="2") as server:
        wait_until(lambda: len(workers_of(server)) == 2)
        for _ in range(30):
            assert ask(server, TRACK).status == 200
        wait_until(lambda: plays(server) >= 30)
        assert plays(server) == 30


@pytest.mark.parametrize("place", [0, 1])
def test_a_process_that_dies_is_replaced_and_the_others_answer(
    server: MixtapeServe, place: int
) -> None:
    before = workers_of(server)
    os.kill(before[place], signal.SIGKILL)
    for _ in range(10):
        assert ask(server, TRACK).status == 200
    assert ask(server, "/healthz").status == 200
    wait_until(lambda: len(workers_of(server)) == 3 and workers_of(server) != before)
    assert ask(server, "/").status == 200


def test_all_end_together(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    with MixtapeServe(tmp_path / "music", tmp_path / "data", WORKERS="3") as server:
        assert ask(server, "/healthz").status == 200
        output = server.stop()
        assert server.process.returncode == 0
        assert "Traceback" not in output


def test_there_is_a_process_for_each_core_and_not_for_all_of_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert count_workers(settings) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(32)))
    assert count_workers(settings) == 4
    assert count_workers(make_settings(tmp_path, workers=1)) == 1


def test_what_is_said_waits_for_whoever_comes_in_the_place_of_another(
    stack: ExitStack,
) -> None:
    links = Links(2)
    stack.callback(links.close)
    assert not links.await_ready(0)
    links.tell_ready()
    assert all(links.await_ready(0) for _ in range(3))
    first, second = links.of(0)
    second.send(b"for the second")
    assert links.of(2)[0].recv(100) == b"for the second"
    links.of(1)[0].send(b"from the first")
    assert first.recv(100) == b"from the first"
