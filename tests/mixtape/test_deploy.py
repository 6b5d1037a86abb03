"""The proxy configuration that the documentation offers, in a real nginx."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request

from audio_cache.progress.events import ProgressStatus
from tests.helpers.audio import make_audio
from tests.helpers.host import make_app
from tests.helpers.nginx import DEPLOY, Nginx, deployed
from tests.helpers.waiting import LIMIT_S
from tests.helpers.web import served

needs_nginx = pytest.mark.needs("nginx")


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    app = make_app(tmp_path, trusted_proxies=1)
    app.add_url_rule(
        "/visitor", "visitor", lambda: f"{request.remote_addr} {request.scheme} {request.host}"
    )
    return app


@pytest.fixture
def proxied(app: Flask, tmp_path: Path) -> Iterator[int]:
    """Return the port of an nginx in front of the application."""
    with served(app) as address:
        behind = address.removeprefix("http://")
        with Nginx(tmp_path, deployed(tmp_path, behind)) as nginx:
            yield nginx.port


def ask(
    port: int, target: str, method: str = "GET", body: bytes = b"", **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body=body or None, headers={"Connection": "close", **given})
    return connection.getresponse()


@needs_nginx
def test_ranges_and_validators_pass_while_a_track_is_made(
    app: Flask, proxied: int, music: Path
) -> None:
    source = make_audio(music / "a.flac", samples=44_100 * 3)
    with ask(proxied, "/play/a.flac?quality=low", Range="bytes=20000-29999") as answer:
        part = answer.read()
    assert answer.status == 206
    assert answer.headers["Cache-Status"] == "audio-cache; fwd=miss; detail=live"
    whole = app.extensions["audio_cache"].cache.transcode_file(source, "low").read_bytes()
    assert part == whole[20_000:30_000]
    assert answer.headers["Content-Range"] == f"bytes 20000-29999/{len(whole)}"
    tag = answer.headers["ETag"]
    with ask(proxied, "/play/a.flac?quality=low", If_None_Match=tag) as again:
        assert again.status == 304


@needs_nginx
def test_a_name_of_odd_characters_arrives_as_it_is(proxied: int, music: Path) -> None:
    make_audio(music / "café %2F?.flac", samples=441)
    with ask(proxied, "/play/caf%C3%A9%20%252F%3F.flac?quality=original") as answer:
        assert answer.status == 200
        assert answer.read().startswith(b"fLaC")


@needs_nginx
def test_progress_arrives_while_it_happens(app: Flask, proxied: int) -> None:
    tracker = app.extensions["audio_cache"].tracker
    tracker.create_task("through-a-proxy")
    with ask(proxied, "/editor/progress/through-a-proxy") as answer:
        for number in range(3):
            # Each is sent only when the one before has come: a buffer would hold them all.
            words = f"Caching track {number}"
            tracker.emit("through-a-proxy", "caching", ProgressStatus.IN_PROGRESS, words)
            while words.encode() not in answer.readline():
                pass
        tracker.emit("through-a-proxy", "done", ProgressStatus.COMPLETED, "Done")
        assert b"Done" in answer.read()


@needs_nginx
def test_the_visitor_is_known_and_cannot_pretend(proxied: int) -> None:
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    with ask(proxied, "/visitor", **forged) as answer:
        assert answer.read() == b"127.0.0.1 http 127.0.0.1"


@needs_nginx
def test_a_cover_of_the_largest_size_gets_through(proxied: int) -> None:
    with ask(proxied, "/api/covers", "POST", body=bytes(10_000_000)) as answer:
        # Refused for want of a token, by the application and not for its size by nginx.
        assert answer.status == 400
        assert answer.headers["Server"].startswith("nginx")
        assert b'"status":400' in answer.read()


def test_the_unit_and_the_container_start_the_command_that_exists() -> None:
    unit = (DEPLOY / "mixtape.service").read_text("utf-8")
    assert "ExecStart=/opt/mixtape/bin/mixtape serve\n" in unit
    container = (DEPLOY.parent / "Containerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["mixtape", "serve"]' in container
    for name in re.search(r"^COPY (.+) \./$", container, re.MULTILINE)[1].split():  # type: ignore[index]
        assert (DEPLOY.parent / name).exists(), name
