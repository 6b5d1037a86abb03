"""What the settings of the contract change, seen from outside; test_http has those of a play."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from audio_cache import QUALITY_SETTINGS
from audio_cache.flask_ext import AudioCacheState, FlaskAudioCache
from tests.helpers.audio import make_audio
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.mixtapes import Owner, make_scanned_app, services_of, track_id
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


def start(music: Path) -> AudioCacheState:
    """Return the extension of an application that knows nothing but its folders."""
    app = Flask("host")
    app.config.update(MUSIC_ROOT=str(music), DATA_ROOT=str(music.parent / "data"))
    FlaskAudioCache(app)
    state: AudioCacheState = app.extensions["audio_cache"]
    return state


@pytest.mark.parametrize(("given", "place"), [(None, "cache/audio"), ("else/where", "else/where")])
def test_audio_cache_dir_is_where_files_are_kept(
    music: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, place: str
) -> None:
    if given is not None:
        monkeypatch.setenv("AUDIO_CACHE_DIR", given)
    song = make_audio(music / "song.flac", samples=5000)
    state = start(music)
    made = state.cache.transcode_file(song)
    state.shut_down()
    assert made.parent == music.parent / "data" / place


def test_audio_cache_max_workers_is_how_many_tracks_are_encoded_at_once(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = 6  # more than by default
    songs = [make_audio(music / f"{n}.flac", samples=5000, seed=n) for n in range(workers)]
    # No encoder goes on before as many have begun.
    begun = f"$(wc -l < {tmp_path}/stub/ffmpeg.log)"
    stub = StubFFmpeg(tmp_path / "stub", f"until [ {begun} -ge {workers} ]; do sleep 0.01; done")
    for name, value in (
        ("FFMPEG", str(stub.path)),
        ("MAX_WORKERS", str(workers)),
        ("ENCODE_TIMEOUT_S", str(LIMIT_S)),
    ):
        monkeypatch.setenv(f"AUDIO_CACHE_{name}", value)
    state = start(music)
    runs = state.make_runs()
    assert runs.schedule("task", songs, ["low"]).wait(2 * LIMIT_S)
    runs.close()
    assert [state.cache.is_cached(each, "low") for each in songs] == [True] * workers
    state.shut_down()


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("ENABLED", "true", {"medium"}),
        ("ENABLED", "false", set()),
        ("PRECACHE_ON_UPLOAD", "false", set()),
        ("PRECACHE_QUALITIES", "low,high", {"low", "high"}),
        ("PRECACHE_QUALITIES", "[]", set()),
        ("DEFAULT_QUALITY", "low", {"medium"}),
    ],
)
def test_a_mixtape_that_is_saved_is_cached_as_they_say(
    music: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    made: set[str],
) -> None:
    monkeypatch.setenv(f"AUDIO_CACHE_{name}", value)
    song = make_audio(music / "song.flac", samples=5000)
    app = make_scanned_app(tmp_path)
    owner = Owner(app.test_client())
    draft = owner.send("POST", "/api/drafts", {}).json
    assert draft is not None
    tape = {"title": "Summer vibes", "track_ids": [track_id(app, "song.flac")]}
    saved = owner.send("POST", f"/api/drafts/{draft['key']}/save", {"state": tape}).json
    assert saved is not None
    assert bool(saved["task"]) == bool(made)
    if made:
        assert "track_cached" in owner.client.get(saved["task"]["url"]).text  # until it ends
    cache = app.extensions["audio_cache"].cache
    assert {level for level in QUALITY_SETTINGS if cache.is_cached(song, level)} == made
    services_of(app).close()
