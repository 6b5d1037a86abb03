"""Whoever is listening when a mixtape is closed hears no more of it."""

from __future__ import annotations

import http.client
import re
import socket
import wave
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gunicorn.http.wsgi import FileWrapper
from werkzeug.wrappers import Response

from mixtape.mixtapes.open_answers import OpenAnswers
from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.mixtapes import Owner, scan, services_of, share_mixtape, stream_urls
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
def mixtape(tmp_path: Path, music: Path) -> tuple[SavedMixtape, str, Owner]:
    """Return a mixtape of one large track, of silence, the address of its stream, and its owner."""
    with wave.open(str(music / "long.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(4 * 44100 * LENGTH_S))
    app = make_app(tmp_path, password=PASSWORD)
    scan(app)
    saved = share_mixtape(app, "long.wav")
    [url] = stream_urls(app.test_client(), saved)
    services_of(app).close()
    browser = app.test_client()
    sign_in(browser)
    return saved, f"{url}?quality=original", Owner(browser)


def close_mixtape(address: str, slug: str, owner: Owner) -> None:
    """Close a mixtape in a server that shares its data with the application of an owner."""
    token = owner.token()  # which the cookie holds from then on
    cookie = owner.client.get_cookie("mixtape_session")
    assert cookie is not None
    headers = {"Cookie": f"{cookie.key}={cookie.value}", "X-CSRFToken": token}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=LIMIT_S)
    connection.request("POST", f"/api/mixtapes/{slug}/unshare", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "3"])
def test_closing_a_mixtape_ends_what_its_listeners_are_sent(
    tmp_path: Path, mixtape: tuple[SavedMixtape, str, Owner], workers: str
) -> None:
    saved, url, owner = mixtape
    given = {"PASSWORD": PASSWORD, "WORKERS": workers}
    with MixtapeServe(tmp_path / "music", tmp_path / "data", **given) as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as listener:
            listener.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            begin = listener.recv(4096)
            assert begin.startswith(b"HTTP/1.1 200")
            found = re.search(rb"Content-Length: (\d+)", begin)
            assert found is not None
            close_mixtape(server.address, saved.slug, owner)
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
