from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache.encoding import ffmpeg
from mixtape.server.run import warm_up
from mixtape.web.views.health import CHECKS
from tests.helpers.host import PASSWORD, make_app, sign_in
from tests.helpers.renditions import files_under


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_app(tmp_path)


def cache_dir(app: Flask) -> Path:
    directory: Path = app.extensions["audio_cache"].cache.cache_dir
    return directory


def test_a_healthy_server_says_ok_and_leaves_nothing_behind(app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert files_under(cache_dir(app)) == set()


def test_details_name_every_check(app: Flask) -> None:
    answer = app.test_client().get("/healthz?details")
    assert answer.json == {"status": "ok", "checks": dict.fromkeys(CHECKS, "ok")}


def test_a_cache_that_cannot_be_written_fails_and_the_log_says_why(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(cache_dir(app))
    cache_dir(app).write_text("a file in its place")
    answer = app.test_client().get("/healthz?details")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "failing"
    assert answer.json["checks"]["ffmpeg"] == "ok"
    assert answer.json["checks"]["cache"] != "ok"
    assert "health: cache: " in caplog.text


def test_a_missing_ffmpeg_fails(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_bundled_ffmpeg", lambda: None)
    monkeypatch.setenv("PATH", "")
    answer = app.test_client().get("/healthz?details")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "imageio-ffmpeg" in answer.json["checks"]["ffmpeg"]


def test_an_ffmpeg_that_was_deleted_since_the_start_fails(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ffmpeg version 7\n")
    program.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "_bundled_ffmpeg", lambda: str(program))
    assert app.test_client().get("/healthz").status_code == 200
    program.unlink()
    assert app.test_client().get("/healthz").status_code == 503


def test_a_database_that_lost_its_tables_fails(app: Flask, tmp_path: Path) -> None:
    for file in (tmp_path / "data").glob("mixtape.db*"):
        file.unlink()
    answer = app.test_client().get("/healthz?details")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "alembic_version" in answer.json["checks"]["database"]


def test_who_is_not_signed_in_learns_the_status_and_no_more(locked: FlaskClient) -> None:
    cache = cache_dir(locked.application)
    shutil.rmtree(cache)
    answer = locked.get("/healthz?details")
    assert (answer.status_code, answer.json) == (503, {"status": "failing"})
    sign_in(locked, PASSWORD)
    details = locked.get("/healthz?details").json
    assert details is not None
    assert str(cache) in details["checks"]["cache"]


def test_a_start_without_ffmpeg_says_what_that_means_and_the_cure(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warm_up(app)
    assert caplog.text == ""
    monkeypatch.setattr(ffmpeg, "_bundled_ffmpeg", lambda: None)
    monkeypatch.setenv("PATH", "")
    warm_up(app)
    assert "tracks are sent as they are" in caplog.text
    assert "AUDIO_CACHE_FFMPEG" in caplog.text
