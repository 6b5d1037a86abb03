"""Defects of an earlier system that listeners notice: 4 to 6, 8 and 11.

Number 12, a quality that changes nothing while a track plays, takes a browser:
tests/browser/test_player_page.py has it.
"""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache import AudioCache, ProgressCallback, ProgressStatus, ProgressTracker
from audio_cache.flask_ext import FlaskAudioCache
from mixtape.server.run import server_options
from mixtape.server.worker import ListenerWorker
from tests.helpers.host import PAGE, csrf_token, make_app, make_settings
from tests.helpers.progress import drain, messages, parse

LONG_BYTES = 32 << 20
URL = "/play/song.flac?quality=low"
BAD_AGES = [-1, -0.5, float("nan"), float("inf"), "", "soon", True]


@pytest.fixture
def tracker() -> ProgressTracker:
    return ProgressTracker(keepalive_s=0)


@pytest.fixture
def app(tmp_path: Path, flac: Path) -> Iterator[Flask]:
    app = Flask("host")
    music = tmp_path / "music"
    music.mkdir()
    app.config.update(MUSIC_ROOT=str(music), DATA_ROOT=str(tmp_path / "data"))
    FlaskAudioCache(app)
    song = Path(shutil.copy(flac, music / "song.flac"))
    app.extensions["audio_cache"].cache.transcode_file(song, "low")
    yield app
    app.extensions["audio_cache"].shut_down()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def stranger(tmp_path: Path, flac: Path) -> FlaskClient:
    """Return a client of the host that has not signed in."""
    (tmp_path / "music").mkdir()
    shutil.copy(flac, tmp_path / "music" / "song.flac")
    return make_app(tmp_path, password="secret").test_client()


class TestDefect4:
    def test_a_failed_track_does_not_end_the_stream(self, tracker: ProgressTracker) -> None:
        callback = ProgressCallback("t", tracker, 2)
        callback.track_failed("a", "broken")
        callback.track_cached("b")
        callback.run_finished(ProgressStatus.COMPLETED)
        statuses = [event["status"] for event in drain(tracker.listen("t"))]
        assert statuses == ["failed", "in_progress", "completed"]

    def test_failures_are_not_counted_as_cached(self, tracker: ProgressTracker) -> None:
        callback = ProgressCallback("t", tracker, 2)
        callback.track_failed("a", "broken")
        callback.track_cached("b")
        assert (callback.cached_count, callback.failed_count) == (1, 1)

    def test_totals_do_not_jump(self, tracker: ProgressTracker) -> None:
        callback = ProgressCallback("t", tracker, 3)
        callback.track_skipped("a")
        callback(1, 2)
        callback.track_failed("b", "broken")
        callback.track_cached("c")
        told = [(event["current"], event["total"]) for event in drain(tracker.listen("t"))]
        assert told == [(1, 3), (1, 3), (2, 3), (3, 3)]


class TestDefect5:
    def test_two_tabs_get_the_same_events(self, tracker: ProgressTracker) -> None:
        tabs = [tracker.listen("t"), tracker.listen("t")]
        for tab in tabs:
            next(tab)
        tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, "one", 1, 2)
        assert [parse(next(tab))["message"] for tab in tabs] == ["one", "one"]

    def test_a_late_listener_gets_what_was_sent_before_anyone_listened(
        self, tracker: ProgressTracker
    ) -> None:
        for message in ("one", "two"):
            tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, message)
        for _ in range(2):
            assert messages(drain(tracker.listen("t"))) == ["one", "two"]

    def test_one_that_reconnects_goes_on_after_the_last_event_it_had(
        self, tracker: ProgressTracker
    ) -> None:
        for message in ("one", "two"):
            tracker.emit("t", "caching", ProgressStatus.IN_PROGRESS, message)
        stream = tracker.listen("t", ids=True)
        next(stream)
        [last_id] = [line[4:] for line in next(stream).splitlines() if line.startswith("id: ")]
        stream.close()
        assert messages(drain(tracker.listen("t", last_event_id=last_id))) == ["two"]

    def test_a_listener_that_disconnects_leaves_no_task_behind(
        self, tracker: ProgressTracker
    ) -> None:
        stream = tracker.listen("t")
        assert [next(stream) for _ in range(2)][1] == ": keepalive\n\n"
        stream.close()
        assert not tracker.has_task("t")

    def test_an_old_completed_does_not_answer_a_new_save(self, tracker: ProgressTracker) -> None:
        tracker.emit("t", "completed", ProgressStatus.COMPLETED, "the old end")
        tracker.create_task("t")
        assert drain(tracker.listen("t")) == []


class TestDefect6:
    @pytest.mark.parametrize("span", ["bytes=0-1,5-6", "bytes=x-y", "bytes", "items=0-5", "="])
    def test_multi_range_garbage_and_other_units_are_no_error(
        self, client: FlaskClient, span: str
    ) -> None:
        answer = client.get(URL, headers={"Range": span})
        assert answer.status_code == 200
        assert answer.data == client.get(URL).data

    def test_suffix_ranges_are_the_end(self, client: FlaskClient) -> None:
        answer = client.get(URL, headers={"Range": "bytes=-10"})
        assert (answer.status_code, answer.data) == (206, client.get(URL).data[-10:])

    def test_an_end_past_eof_is_clamped(self, client: FlaskClient) -> None:
        answer = client.get(URL, headers={"Range": "bytes=10-99999999"})
        assert (answer.status_code, answer.data) == (206, client.get(URL).data[10:])

    def test_416_has_a_content_range(self, client: FlaskClient) -> None:
        size = len(client.get(URL).data)
        answer = client.get(URL, headers={"Range": f"bytes={size}-"})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")

    def test_a_long_range_is_not_read_into_memory(self, app: Flask, client: FlaskClient) -> None:
        with open(Path(app.config["MUSIC_ROOT"], "long.wav"), "wb") as file:
            file.truncate(LONG_BYTES)
        tracemalloc.start()
        try:
            url = "/play/long.wav?quality=original"
            with client.get(url, headers={"Range": "bytes=1-"}, buffered=False) as answer:
                sent = sum(map(len, answer.iter_encoded()))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (answer.status_code, sent) == (206, LONG_BYTES - 1)
        assert peak < LONG_BYTES / 8

    def test_bytes_of_flac_and_mp3_do_not_mix_under_one_url(
        self, app: Flask, client: FlaskClient
    ) -> None:
        original = client.get("/play/song.flac?quality=original").headers["ETag"]
        mp3 = client.get(URL).headers["ETag"]
        assert original != mp3
        answer = client.get(URL, headers={"Range": "bytes=5-", "If-Range": original})
        assert (answer.status_code, answer.headers["ETag"]) == (200, mp3)


class TestDefect8:
    @pytest.mark.parametrize("path", ["clear", "purge", "chores/verify", "cancel"])
    def test_purge_and_clear_are_not_open_to_everyone(
        self, stranger: FlaskClient, path: str
    ) -> None:
        # With the token that forms need, which everybody finds in the page to sign in at.
        headers = {"X-CSRFToken": csrf_token(stranger.get("/login", headers=PAGE))}
        answer = stranger.post(f"/admin/{path}", json={"confirm": "purge"}, headers=headers)
        assert answer.status_code == 401

    @pytest.mark.parametrize("path", ["/admin/figures", "/admin/history", "/metrics"])
    def test_stats_are_not_open_to_everyone(self, stranger: FlaskClient, path: str) -> None:
        assert stranger.get(path).status_code == 401

    @pytest.mark.parametrize("quality", ["low", "original"])
    def test_files_under_music_root_are_not_open_to_everyone(
        self, stranger: FlaskClient, quality: str
    ) -> None:
        assert stranger.get(f"/play/song.flac?quality={quality}").status_code == 401

    @pytest.mark.parametrize("days", BAD_AGES)
    def test_a_bad_older_than_days_clears_nothing(
        self, tmp_path: Path, flac: Path, days: float
    ) -> None:
        cache = AudioCache(tmp_path / "cache")
        entry = cache.transcode_file(flac, "low")
        os.utime(entry, (0, 0))
        with pytest.raises(ValueError, match="older_than_days"):
            cache.clear_cache(days)
        assert entry.exists()


def test_many_progress_streams_do_not_freeze_the_site(tmp_path: Path) -> None:
    """Defect 11: a server with one sync worker, which one progress stream freezes."""
    options = server_options(make_settings(tmp_path), 3)
    assert issubclass(options["worker_class"], ListenerWorker)
    assert options["threads"] >= 100
