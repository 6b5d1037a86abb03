"""Plays of tracks that CUE sheets cut out of a file."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from mutagen.flac import FLAC

from audio_cache import AudioCache, CacheWorker, Verdict, verify
from audio_cache.cli.paths import collect_sources
from audio_cache.flask_ext import FlaskAudioCache, get_state, sign_rendition
from tests.helpers.audio import make_noise
from tests.helpers.renditions import rendition_of, whole_file
from tests.helpers.sheets import SAMPLES, sheet_text, write_sheet
from tests.helpers.waiting import wait_until


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noise(tmp_path_factory.mktemp("flac") / "album.flac", samples=SAMPLES)


@pytest.fixture
def music(flac: Path, tmp_path: Path) -> Path:
    music = tmp_path / "music"
    write_sheet(music / "Album" / "album.cue", "album.flac")
    os.link(flac, music / "Album" / "album.flac")
    return music


@pytest.fixture
def track(music: Path) -> Path:
    return music / "Album" / "album.cue" / "02.flac"


def make_app(music: Path, **given: object) -> Flask:
    app = Flask("sheets")
    app.config.update(MUSIC_ROOT=str(music), DATA_ROOT=str(music.parent / "data"), **given)
    FlaskAudioCache(app)
    return app


@pytest.fixture
def app(music: Path) -> Iterator[Flask]:
    app = make_app(music, SECRET_KEY="x")
    yield app
    app.extensions["audio_cache"].shut_down()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


URL = "/play/Album/album.cue/02.flac"


def test_a_cold_track_plays_with_its_length_and_is_kept(
    app: Flask, client: FlaskClient, track: Path
) -> None:
    wanted = rendition_of(track)
    head = client.head(f"{URL}?quality=low")
    assert head.content_length == wanted.length
    cold = client.get(f"{URL}?quality=low")
    assert cold.data == whole_file(wanted)
    with app.app_context():
        cache = get_state().cache
        wait_until(lambda: cache.examine(track, "low") is Verdict.VALID)
    warm = client.get(f"{URL}?quality=low")
    assert warm.headers["Cache-Status"] == "audio-cache; hit"
    assert warm.data == cold.data


def test_any_range_of_a_cold_track_is_that_of_the_whole(client: FlaskClient, track: Path) -> None:
    whole = whole_file(rendition_of(track))
    chance = random.Random(5)
    for _ in range(10):
        start, stop = sorted(chance.sample(range(len(whole)), 2))
        answer = client.get(f"{URL}?quality=low", headers={"Range": f"bytes={start}-{stop - 1}"})
        assert answer.status_code == 206
        assert answer.data == whole[start:stop]


def test_the_original_is_the_best_rendition(client: FlaskClient, track: Path) -> None:
    answer = client.get(f"{URL}?quality=original")
    assert answer.data == whole_file(rendition_of(track, "high"))
    assert answer.content_type == "audio/mpeg"
    assert "quality=high" in answer.headers["Audio-Cache-Rendition"]


@pytest.mark.parametrize(
    "given",
    [{"AUDIO_CACHE_ENABLED": False}, {"AUDIO_CACHE_FFMPEG": "/bin/false"}],
)
def test_without_an_encoder_the_album_is_not_sent_in_place_of_a_track(
    music: Path, given: dict[str, object]
) -> None:
    client = make_app(music, **given).test_client()
    answer = client.get(f"{URL}?quality=low")
    assert answer.status_code == 503
    assert len(answer.data) < 10_000
    assert client.get("/play/Album/album.flac?quality=original").status_code == 200


def test_where_originals_are_sent_first_a_track_plays_live(music: Path, track: Path) -> None:
    client = make_app(music, AUDIO_CACHE_ON_MISS="original").test_client()
    assert client.get(f"{URL}?quality=low").data == whole_file(rendition_of(track))


@pytest.mark.parametrize(
    "path",
    [
        "Album/album.cue",
        "Album/album.cue/04.flac",
        "Album/album.cue/2.flac",
        "Album/album.cue/02.wav",
        "Album/album.flac/02.flac",
        "Album/album.cue/../album.cue/02.flac",
    ],
)
def test_what_is_no_track_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"/play/{path}?quality=low").status_code == 404


def test_no_sheet_leads_out_of_the_music(music: Path, flac: Path, client: FlaskClient) -> None:
    (music / "Album" / "album.flac").unlink()
    (music / "Album" / "album.flac").symlink_to(flac)
    for quality in ("low", "original"):
        assert client.get(f"{URL}?quality={quality}").status_code == 404


def test_a_sheet_that_is_corrected_is_heard_at_once(
    music: Path, track: Path, client: FlaskClient
) -> None:
    before = client.get(f"{URL}?quality=low")
    write_sheet(music / "Album" / "album.cue", "album.flac", (0, 300, 1000))
    after = client.get(f"{URL}?quality=low")
    assert after.data == whole_file(rendition_of(track)) != before.data
    assert after.headers["ETag"] != before.headers["ETag"]


def test_the_same_track_in_another_place_is_not_made_again(
    app: Flask, client: FlaskClient, music: Path, flac: Path
) -> None:
    client.get(f"{URL}?quality=low")
    with app.app_context():
        cache = get_state().cache
    wait_until(lambda: cache.examine(music / "Album/album.cue/02.flac", "low") is Verdict.VALID)
    write_sheet(music / "Copy" / "copy.cue", "copy.flac")
    (music / "Copy" / "copy.flac").write_bytes(flac.read_bytes())
    again = client.get("/play/Copy/copy.cue/02.flac?quality=low")
    assert again.headers["Cache-Status"] == "audio-cache; hit"


def test_a_track_has_a_permanent_address(app: Flask, client: FlaskClient, track: Path) -> None:
    with app.test_request_context():
        address = sign_rendition(track, "low", 2**31)
    assert client.get(address).data == whole_file(rendition_of(track))


def test_a_batch_makes_each_track_once_and_the_file_not_at_all(music: Path, tmp_path: Path) -> None:
    cache = AudioCache(tmp_path / "cache")
    sources = list(collect_sources([music]))
    assert [source.name for source in sources] == ["01.flac", "02.flac", "03.flac"]
    results = CacheWorker(cache).cache_mixtape(sources, ["low", "medium"])
    assert [each["low"] for each in results.values()] == [True] * 3
    for source in sources:
        entry = cache.get_cache_path(source, "low")
        assert entry.read_bytes() == whole_file(rendition_of(source))
    assert all(found.is_good for found in verify(cache, deep=True))
    assert len(list((tmp_path / "cache" / "objects").rglob("*"))) >= 6


def test_a_file_that_holds_its_sheet_plays_as_its_tracks(flac: Path, tmp_path: Path) -> None:
    music = tmp_path / "music"
    beside = write_sheet(music / "Album" / "album.cue", "album.flac")
    album = Path(shutil.copy(flac, beside.parent))
    cut = [whole_file(rendition_of(beside / name)) for name in ("01.flac", "02.flac", "03.flac")]
    beside.unlink()
    file = FLAC(album)
    file["CUESHEET"] = sheet_text("image.wav")
    file.save()
    app = make_app(music, SECRET_KEY="x")
    client = app.test_client()
    sources = list(collect_sources([music]))
    assert [source.parent for source in sources] == [album] * 3
    for source, wanted in zip(sources, cut, strict=True):
        url = f"/play/Album/album.flac/{source.name}"
        assert client.get(f"{url}?quality=low").data == wanted
        best = client.head(f"{url}?quality=original")
        assert (best.status_code, best.mimetype) == (200, "audio/mpeg")
    assert client.get("/play/Album/album.flac/04.flac").status_code == 404
    app.extensions["audio_cache"].shut_down()
