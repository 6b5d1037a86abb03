"""The extension in applications of somebody else: qualities, settings, refusals, hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort, redirect
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from audio_cache.errors import ConfigError
from audio_cache.flask_ext import FlaskAudioCache, send_track
from audio_cache.progress.events import ProgressStatus
from audio_cache.quality import QUALITY_LEVELS
from tests.audio_cache.foreign_app import make_app, state_of
from tests.helpers.waiting import wait_until


def test_three_lines_make_an_application_play(client: FlaskClient, music: Path) -> None:
    answer = client.get("/play/folder/track.flac?quality=low")
    assert (answer.status_code, answer.mimetype) == (200, "audio/mpeg")
    assert answer.data.startswith(b"ID3")
    original = client.get("/play/folder/track.flac?quality=original")
    assert original.data == (music / "folder" / "track.flac").read_bytes()


@pytest.mark.parametrize("quality", QUALITY_LEVELS)
@pytest.mark.parametrize("spelling", [str, str.upper])
def test_every_quality_is_known_in_any_case(
    client: FlaskClient, quality: str, spelling: Any
) -> None:
    url = f"/play/folder/track.flac?quality={spelling(quality)}"
    answer = client.head(url)
    assert answer.status_code == 200
    assert f"quality={quality}" in answer.headers["Audio-Cache-Rendition"]


def test_without_a_quality_the_configured_one_is_played(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_DEFAULT_QUALITY="high")
    FlaskAudioCache(app)
    told = app.test_client().head("/play/folder/track.flac").headers["Cache-Status"]
    assert told.startswith("audio-cache; fwd=miss")
    named = app.test_client().head("/play/folder/track.flac?x=1&quality=high")
    default = app.test_client().head("/play/folder/track.flac")
    assert named.headers["ETag"] == default.headers["ETag"]


@pytest.mark.parametrize("text", ["best", "", "low,high", "128", "%00", "%ff", "original%2F.."])
def test_an_unknown_quality_is_refused_with_those_that_exist(
    client: FlaskClient, text: str
) -> None:
    answer = client.get(f"/play/folder/track.flac?quality={text}")
    assert answer.status_code == 400
    for quality in QUALITY_LEVELS:
        assert quality in answer.text


def test_switched_off_everything_is_the_original(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_ENABLED="false")
    FlaskAudioCache(app)
    answer = app.test_client().get("/play/folder/track.flac?quality=low")
    assert answer.headers["Cache-Status"] == "audio-cache; fwd=bypass"
    assert answer.data == (music / "folder" / "track.flac").read_bytes()
    assert app.test_client().get("/play/folder/track.flac?quality=bad").status_code == 400


def test_on_miss_original_the_next_request_is_a_hit(music: Path) -> None:
    app = make_app(music, AUDIO_CACHE_ON_MISS="original")
    FlaskAudioCache(app)
    client = app.test_client()
    first = client.get("/play/folder/track.flac?quality=low")
    assert first.headers["Cache-Status"] == "audio-cache; fwd=miss"
    assert first.data == (music / "folder" / "track.flac").read_bytes()
    cache = state_of(app).cache
    wait_until(lambda: cache.is_cached(music / "folder" / "track.flac", "low"))
    second = client.get("/play/folder/track.flac?quality=low")
    assert second.headers["Cache-Status"] == "audio-cache; hit"
    assert second.headers["ETag"] != first.headers["ETag"]
    state_of(app).shut_down()


def test_the_environment_wins(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIO_CACHE_ENABLED", "0")
    app = make_app(music, AUDIO_CACHE_ENABLED=True)
    FlaskAudioCache(app)
    assert not state_of(app).settings.enabled


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"MUSIC_ROOT": None}, "MUSIC_ROOT"),
        ({"MUSIC_ROOT": ""}, "MUSIC_ROOT"),
        ({"AUDIO_CACHE_MAX_LIVE": "some"}, "AUDIO_CACHE_MAX_LIVE"),
        ({"AUDIO_CACHE_ON_MISS": "silence"}, "AUDIO_CACHE_ON_MISS"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(
    music: Path, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        FlaskAudioCache(make_app(music, **config))


def test_the_state_is_in_the_extensions_of_each_application(music: Path, tmp_path: Path) -> None:
    extension = FlaskAudioCache()
    apps = [make_app(music), make_app(music, DATA_ROOT=str(tmp_path / "other"))]
    for app in apps:
        extension.init_app(app)
    first, second = map(state_of, apps)
    assert first.roots.places == second.roots.places == {"": str(music)}
    assert first.cache.cache_dir == tmp_path / "data" / "cache" / "audio"
    assert second.cache.cache_dir == tmp_path / "other" / "cache" / "audio"
    assert first.live is not second.live


def test_authorize_is_asked_before_every_answer(music: Path) -> None:
    asked: list[str] = []

    def authorize() -> None:
        asked.append("asked")
        abort(403)

    app = make_app(music)
    FlaskAudioCache(app, authorize=authorize)
    client = app.test_client()
    for url in ("/play/folder/track.flac", "/play/missing", "/editor/progress/summer"):
        assert client.get(url).status_code == 403
    assert len(asked) == 3


def test_authorize_may_answer_itself_or_let_pass(music: Path) -> None:
    passes = False

    def authorize() -> Response | None:
        return None if passes else redirect("/login")

    app = make_app(music)
    FlaskAudioCache(app, authorize=authorize)
    client = app.test_client()
    url = "/play/folder/track.flac?quality=original"
    assert client.get(url).headers["Location"] == "/login"
    passes = True
    assert client.get(url).status_code == 200


def test_the_host_may_have_routes_of_its_own(app: Flask, music: Path) -> None:
    @app.get("/by-number/<int:number>")
    def by_number(number: int) -> Response:
        return send_track(music / "folder" / ("track.flac" if number == 1 else "no.flac"), "low")

    client = app.test_client()
    played = client.get("/by-number/1", headers={"Range": "bytes=0-9"})
    assert (played.status_code, len(played.data)) == (206, 10)
    assert client.get("/by-number/2").status_code == 404


def test_what_the_host_does_to_answers_still_works(app: Flask) -> None:
    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Frame-Options"] = "DENY"
        return response

    client = app.test_client()
    for url in ("/play/folder/track.flac?quality=low", "/play/none.flac"):
        assert client.get(url).headers["X-Frame-Options"] == "DENY"
    assert client.head("/play/folder/track.flac?quality=low").data == b""


def test_progress_of_a_run_is_streamed_and_that_of_none_is_not_found(
    app: Flask, client: FlaskClient
) -> None:
    assert client.get("/editor/progress/unheard-of").status_code == 404
    tracker = state_of(app).tracker
    task = "a mixtape of this test"
    tracker.create_task(task)
    tracker.emit(task, "caching", ProgressStatus.COMPLETED, "Done", 1, 1)
    answer = client.get(f"/editor/progress/{task}")
    assert answer.mimetype == "text/event-stream"
    assert '"type": "connected"' in answer.text
    assert '"message": "Done"' in answer.text
    tracker.cleanup_task(task)


def test_shutting_down_twice_is_no_harm(app: Flask, client: FlaskClient) -> None:
    state_of(app).shut_down()
    state_of(app).shut_down()
    answer = client.get("/play/folder/track.flac?quality=low")
    assert answer.headers["Cache-Status"] == "audio-cache; fwd=miss"
