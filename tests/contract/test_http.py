"""HTTP, line by line of the contract: /play, what happens on a miss, and the progress stream."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache import AudioCache, ProgressStatus, QualityLevel
from audio_cache.flask_ext import FlaskAudioCache

URL = "/play/a/song.flac"


@pytest.fixture
def music(tmp_path: Path, flac: Path, mp3: Path) -> Path:
    root = tmp_path / "music"
    (root / "a").mkdir(parents=True)
    shutil.copyfile(flac, root / "a" / "song.flac")
    shutil.copyfile(mp3, root / "lossy.mp3")
    shutil.copyfile(flac, tmp_path / "secret.flac")
    return root


def make_app(music: Path, **given: Any) -> Flask:
    app = Flask("host")
    app.config.update(MUSIC_ROOT=str(music), DATA_ROOT=str(music.parent / "data"), **given)
    FlaskAudioCache(app)
    return app


@pytest.fixture
def app(music: Path) -> Iterator[Flask]:
    app = make_app(music, AUDIO_CACHE_ON_MISS="original")
    yield app
    app.extensions["audio_cache"].shut_down()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def cache(app: Flask) -> AudioCache:
    cache: AudioCache = app.extensions["audio_cache"].cache
    return cache


@pytest.fixture
def cached(cache: AudioCache, music: Path) -> bytes:
    """Return the cached MP3 of the song at medium."""
    return cache.transcode_file(music / "a/song.flac").read_bytes()


class TestWhichFile:
    def test_path_is_relative_to_music_root(self, client: FlaskClient, music: Path) -> None:
        answer = client.get(f"{URL}?quality=original")
        assert answer.data == (music / "a/song.flac").read_bytes()

    @pytest.mark.parametrize("quality", ["high", "medium", "low", "original"])
    def test_a_lossy_source_is_the_file_itself(
        self, client: FlaskClient, music: Path, quality: str
    ) -> None:
        answer = client.get(f"/play/lossy.mp3?quality={quality}")
        assert answer.data == (music / "lossy.mp3").read_bytes()

    @pytest.mark.parametrize("quality", ["high", "medium", "low"])
    def test_lossless_and_cached_is_the_mp3(
        self, client: FlaskClient, cache: AudioCache, music: Path, quality: QualityLevel
    ) -> None:
        mp3 = cache.transcode_file(music / "a/song.flac", quality)
        answer = client.get(f"{URL}?quality={quality}")
        assert (answer.status_code, answer.mimetype) == (200, "audio/mpeg")
        assert answer.data == mp3.read_bytes()


class TestStatuses:
    def test_200_with_all_of_it(self, client: FlaskClient, cached: bytes) -> None:
        answer = client.get(URL)
        assert (answer.status_code, answer.content_length) == (200, len(cached))
        assert answer.headers["Accept-Ranges"] == "bytes"

    @pytest.mark.parametrize(
        ("span", "start", "stop"),
        [
            ("bytes=0-9", 0, 10),
            ("bytes=100-", 100, None),
            ("bytes=-100", -100, None),
            ("bytes=100-99999999", 100, None),
        ],
        ids=["closed", "open", "suffix", "end past EOF clamped"],
    )
    def test_206_with_the_range(
        self, client: FlaskClient, cached: bytes, span: str, start: int, stop: int | None
    ) -> None:
        answer = client.get(URL, headers={"Range": span})
        assert answer.status_code == 206
        assert answer.data == cached[start:stop]
        size = len(cached)
        first = start % size
        last = (size if stop is None else stop) - 1
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"

    def test_304_for_who_has_it(self, client: FlaskClient, cached: bytes) -> None:
        etag = client.get(URL).headers["ETag"]
        answer = client.get(URL, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.data) == (304, b"")

    def test_416_with_the_true_length(self, client: FlaskClient, cached: bytes) -> None:
        answer = client.get(URL, headers={"Range": "bytes=99999999-"})
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(cached)}"

    def test_if_range_decides_between_206_and_200(self, client: FlaskClient, cached: bytes) -> None:
        etag = client.get(URL).headers["ETag"]
        spanned = {"Range": "bytes=0-9"}
        assert client.get(URL, headers={**spanned, "If-Range": etag}).status_code == 206
        assert client.get(URL, headers={**spanned, "If-Range": '"other"'}).status_code == 200

    def test_head_has_the_headers_and_no_body(self, client: FlaskClient, cached: bytes) -> None:
        answer = client.head(URL)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(cached))

    @pytest.mark.parametrize("path", ["gone.flac", "../secret.flac", "%2e%2e/secret.flac", "a"])
    def test_404_outside_music_root_or_missing(self, client: FlaskClient, path: str) -> None:
        assert client.get(f"/play/{path}").status_code == 404

    def test_400_with_the_valid_values_for_an_unknown_quality(self, client: FlaskClient) -> None:
        answer = client.get(f"{URL}?quality=best")
        assert answer.status_code == 400
        assert re.search("high, medium, low, original", answer.text)


class TestOnAMiss:
    def test_a_cache_miss_warning_is_logged(
        self, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.get(f"{URL}?quality=low")
        told = [each for each in caplog.records if "cache miss" in each.getMessage()]
        assert [record.levelno for record in told] == [logging.WARNING]

    def test_the_original_is_the_fallback_and_the_mp3_is_made_for_the_next_request(
        self, app: Flask, client: FlaskClient, cache: AudioCache, music: Path
    ) -> None:
        first = client.get(f"{URL}?quality=low")
        assert first.data == (music / "a/song.flac").read_bytes()
        # Whoever asks for the same file waits for the encode that is under way.
        made = cache.transcode_file(music / "a/song.flac", "low").read_bytes()
        assert client.get(f"{URL}?quality=low").data == made

    def test_beyond_live_plays_the_mp3_at_once_and_is_the_default(self, music: Path) -> None:
        app = make_app(music)
        try:
            answer = app.test_client().get(f"{URL}?quality=low")
            assert (answer.status_code, answer.mimetype) == (200, "audio/mpeg")
            assert answer.content_length == len(answer.data)
            assert "live" in answer.headers["Cache-Status"]
        finally:
            app.extensions["audio_cache"].shut_down()

    def test_never_fails_the_listener(self, client: FlaskClient, music: Path, data: Path) -> None:
        shutil.copyfile(data / "truncated.flac", music / "broken.flac")
        answer = client.get("/play/broken.flac?quality=low")
        assert answer.status_code == 200
        assert answer.data == (music / "broken.flac").read_bytes()

    def test_audio_cache_enabled_false_bypasses_everything(
        self, music: Path, cached: bytes
    ) -> None:
        app = make_app(music, AUDIO_CACHE_ENABLED="false")
        answer = app.test_client().get(f"{URL}?quality=medium")
        assert answer.data == (music / "a/song.flac").read_bytes()


class TestProgress:
    def test_is_an_event_stream_of_the_contracts_events(
        self, app: Flask, client: FlaskClient
    ) -> None:
        tracker, task = app.extensions["audio_cache"].tracker, "summer-vibes of the contract"
        tracker.create_task(task)
        tracker.emit(task, "caching", ProgressStatus.IN_PROGRESS, "Caching track 3 of 15", 3, 15)
        tracker.emit(task, "completed", ProgressStatus.COMPLETED, "All is cached", 15, 15)
        answer = client.get(f"/editor/progress/{task}")
        assert answer.mimetype == "text/event-stream"
        lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
        connected, event, end = (json.loads(line.removeprefix("data: ")) for line in lines)
        assert connected == {"type": "connected", "task_id": task}
        timestamp = event.pop("timestamp")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", timestamp)
        assert event == {
            "task_id": task,
            "step": "caching",
            "status": "in_progress",
            "message": "Caching track 3 of 15",
            "current": 3,
            "total": 15,
        }
        assert end["status"] == "completed"
        tracker.cleanup_task(task)
