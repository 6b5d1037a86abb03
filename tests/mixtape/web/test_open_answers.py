"""Whoever is listening when a mixtape is closed hears no more of it."""

from __future__ import annotations

import http.client
import re
import socket
import wave
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from gunicorn.http.wsgi import FileWrapper
from werkzeug.wrappers import Response

from mixtape.mixtapes.values import SavedMixtape
from mixtape.web.open_answers import OpenAnswers
from tests.helpers.host import PAGE, PASSWORD, make_app
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import scan, services_of, share_mixtape, stream_urls
from tests.helpers.waiting import LIMIT_S

LENGTH_S = 240  # 42 MB: many times what sockets of both sides hold


def test_an_answer_that_is_being_sent_is_ended(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    here, there = ends
    answers = OpenAnswers()
    response = Response(iter([b"one", b"two"]))
    answers.add("slug", {"gunicorn.socket": here}, response)
    answers.end("another")
    here.sendall(b"heard")
    assert there.recv(100) == b"heard"
    answers.end("slug")
    assert there.recv(100) == b""
    with pytest.raises(OSError, match="pipe"):
        here.sendall(b"more")


@pytest.mark.parametrize("is_file", [False, True])
def test_a_connection_is_let_go_with_its_answer(
    tmp_path: Path, ends: tuple[socket.socket, socket.socket], *, is_file: bool
) -> None:
    here, there = ends
    answers = OpenAnswers()
    (tmp_path / "file").write_bytes(b"one")
    file = (tmp_path / "file").open("rb")
    body = FileWrapper(file) if is_file else iter([b"one"])
    response = Response(body, direct_passthrough=True)
    environ = {"gunicorn.socket": here, "wsgi.file_wrapper": FileWrapper}
    answers.add("slug", environ, response)
    assert answers.count("slug") == 1
    # What a server does: it iterates what it was given, or sends the file, and closes that.
    given = response.response
    assert isinstance(given, FileWrapper) is is_file
    assert list(given) == [b"one"]
    given.close()  # type: ignore[union-attr]
    assert answers.count("slug") == 0
    assert file.closed is is_file
    file.close()
    answers.end("slug")
    here.sendall(b"the next answer")
    assert there.recv(100) == b"the next answer"


@pytest.fixture
def mixtape(tmp_path: Path, music: Path) -> tuple[SavedMixtape, str]:
    """Return a mixtape of one large track, of silence, and the address of its stream."""
    with wave.open(str(music / "long.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(4 * 44100 * LENGTH_S))
    app = make_app(tmp_path, password=PASSWORD)
    scan(app)
    saved = share_mixtape(app, "long.wav")
    [url] = stream_urls(app.test_client(), saved)
    services_of(app).close()
    return saved, f"{url}?quality=original"


def close_mixtape(address: str, slug: str) -> None:
    """Sign in and close a mixtape, as its owner's browser does."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=LIMIT_S)
    cookie = ""

    def send(method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        nonlocal cookie
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body, {**PAGE, **kind, "Cookie": cookie, **headers})
        answer = connection.getresponse()
        text = answer.read().decode()
        cookie = answer.headers.get("Set-Cookie", cookie).partition(";")[0]
        return answer.status, text

    def token(page: str) -> str:
        found = re.search(r'(?:name="csrf_token" value|name="csrf-token" content)="([^"]+)"', page)
        assert found is not None, page
        return found[1]

    _, page = send("GET", "/login")
    form = urlencode({"password": PASSWORD, "csrf_token": token(page)})
    assert send("POST", "/login", form)[0] == 303
    _, page = send("GET", "/mixtapes")
    headers = {"X-CSRFToken": token(page)}
    status, text = send("POST", f"/api/mixtapes/{slug}/unshare", **headers)
    assert status == 200, text
    connection.close()


@pytest.mark.slow
def test_closing_a_mixtape_ends_what_its_listeners_are_sent(
    tmp_path: Path, mixtape: tuple[SavedMixtape, str]
) -> None:
    saved, url = mixtape
    with MixtapeServe(tmp_path / "music", tmp_path / "data", PASSWORD=PASSWORD) as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as listener:
            listener.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            begin = listener.recv(4096)
            assert begin.startswith(b"HTTP/1.1 200")
            found = re.search(rb"Content-Length: (\d+)", begin)
            assert found is not None
            close_mixtape(server.address, saved.slug)
            received = len(begin)
            try:
                while piece := listener.recv(1 << 16):
                    received += len(piece)
            except ConnectionResetError:
                pass
            assert received < int(found[1])
        connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT_S)
        connection.request("GET", url)
        assert connection.getresponse().status == 404
        connection.close()
        assert "Traceback" not in server.stop()
