"""What others check: every route by the standard library's WSGI validator, plays by httplint."""

from __future__ import annotations

import os
import shutil
import subprocess
from email.utils import formatdate
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.host import PAGE
from tests.helpers.mixtapes import make_scanned_app, share_mixtape, track_id
from tests.helpers.waiting import wait_until
from tests.mixtape.web.attacker import PLACEHOLDER

HTTPLINT = os.environ.get("HTTPLINT", "")
WRONG = ("* [WARN]", "* [BAD]")
# It tells no audio from anything else, and takes its own not knowing for another type than ours.
NO_TYPE_OF_AUDIO = "* [WARN] The content doesn't match the declared Content-Type."


@pytest.fixture
def app(tmp_path: Path, music: Path, flac: Path, mp3: Path) -> Flask:
    (music / "Folder").mkdir()
    for source, name in ((flac, "a.flac"), (flac, "Folder/b.flac"), (mp3, "c.mp3")):
        shutil.copyfile(source, music / name)
    return make_scanned_app(tmp_path)


@pytest.fixture
def mixtape(app: Flask) -> SavedMixtape:
    return share_mixtape(app, "a.flac")


def ask(client: FlaskClient, method: str, path: str, **given: Any) -> TestResponse:
    """Send a request and read some of its answer, which may be a stream without an end."""
    with client.open(path, method=method, buffered=False, **given) as answer:
        next(iter(answer.response), b"")
        return answer


def test_every_route_is_valid_wsgi(app: Flask, mixtape: SavedMixtape) -> None:
    client = app.test_client()
    page = client.get("/admin", headers=PAGE).text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    app.wsgi_app = validator(app.wsgi_app)  # type: ignore[method-assign]
    values = {
        "filename": ["js/app.js", "none.js"],
        "file_path": ["a.flac", "c.mp3", "Folder", "none.flac"],
        "path": ["Folder", "a.flac", "none"],
        "slug": [mixtape.slug, "none"],
        "track_id": ["1", "99"],
        "token": [str(track_id(app, "a.flac")), "none"],
        "key": ["1", "none"],
        "object_id": ["0" * 48],
        "size": ["320", "1"],
        "name": ["icon-192", "none"],
        "quality": ["low", "none"],
        "number": ["1"],
        "task_id": ["none"],
        "kind": ["verify", "none"],
        "link_id": [str(mixtape.link.id)],
        "device_id": ["1"],
        "user_id": ["1", "99"],
    }
    asked = []
    # What ends a session, or the mixtape itself, comes last.
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: "DELETE" in (rule.methods or ()))
    for rule in rules:
        if rule.endpoint == "auth.logout":
            continue
        name = next(iter(PLACEHOLDER.findall(rule.rule)), "")
        for value in values[name] if name else [""]:
            path = PLACEHOLDER.sub(
                lambda place, value=value, name=name: (
                    value  # type: ignore[misc]
                    if place[1] == name
                    else values[place[1]][0]
                ),
                rule.rule,
            )
            for method in sorted(rule.methods or ()):
                headers = {"X-CSRFToken": token, "Range": "bytes=0-99"}
                answer = ask(client, method, path, headers=headers, json={})
                assert answer.status_code != 500, f"{method} {path}"
                asked.append(answer.status_code)
    # Answers of all kinds, so that not merely refusals were looked at.
    assert {200, 206, 400, 404} <= set(asked)


def notes_on(answer: TestResponse) -> list[str]:
    """Return what httplint says of an answer, but for what is well, a line each."""
    lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {text}" for name, text in answer.headers)]
    date = f"Date: {formatdate(usegmt=True)}"  # which the server adds
    head = "\r\n".join([*lines, date, "", ""]).encode()
    # Not with --now: its own start may take longer than the clocks of two hosts may differ.
    given = head + answer.get_data()
    done = subprocess.run([HTTPLINT], input=given, capture_output=True, check=True)
    said = done.stdout.decode().splitlines()
    return [line for line in said if line.startswith(WRONG) and line != NO_TYPE_OF_AUDIO]


@pytest.mark.skipif(not HTTPLINT, reason="set HTTPLINT to that program: `make conformance` does")
def test_httplint_finds_nothing_on_plays(app: Flask) -> None:
    client = app.test_client()
    cache = app.extensions["audio_cache"]
    found: dict[str, list[str]] = {}

    def look(kind: str, path: str, **headers: str) -> None:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        with client.get(path, headers=given) as answer:
            assert kind.split()[0] in answer.headers["Cache-Status"], answer.headers
            found[f"{kind} {answer.status_code}"] = notes_on(answer)

    look("live", "/play/a.flac?quality=low")
    wait_until(lambda: cache.live.busy_encoders == 0)
    look("hit", "/play/a.flac?quality=low")
    look("hit", "/play/a.flac?quality=low", Range="bytes=100-199")
    look("hit", "/play/a.flac?quality=low", Range="bytes=100000000-")
    etag = client.head("/play/a.flac?quality=low").headers["ETag"]
    look("hit", "/play/a.flac?quality=low", If_None_Match=etag)
    look("bypass", "/play/a.flac?quality=original")
    look("bypass", "/play/c.mp3", Range="bytes=0-9")
    assert {kind: notes for kind, notes in found.items() if notes} == {}
    assert len(found) == 7
