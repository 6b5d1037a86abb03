"""Several music folders in one application."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from audio_cache.flask_ext import FlaskAudioCache
from tests.helpers.audio import make_noise


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """Return a browser for two folders with a track and a CUE sheet in each, and links."""
    for number, name in enumerate(("music", "more")):
        folder = tmp_path / name
        (folder / ".hidden").mkdir(parents=True)
        make_noise(folder / "track.flac", samples=44_100 + number)
        make_noise(folder / ".hidden" / "put away.flac", samples=44_100)
        make_noise(folder / "disc.flac", samples=10 * 44_100)
        (folder / "disc.cue").write_text(
            'FILE "disc.flac" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
            f"  TRACK 02 AUDIO\n    INDEX 01 00:0{4 + number}:00\n"
        )
    (tmp_path / "secret").mkdir()
    make_noise(tmp_path / "secret" / "track.flac", samples=44_100)
    (tmp_path / "music" / "way out").symlink_to(tmp_path / "secret")
    (tmp_path / "more" / "out.flac").symlink_to(tmp_path / "secret" / "track.flac")
    (tmp_path / "more" / "across.flac").symlink_to(tmp_path / "music" / "track.flac")
    app = Flask(__name__)
    roots = [str(tmp_path / "music"), str(tmp_path / "more")]
    app.config.update(MUSIC_ROOT=roots, DATA_ROOT=str(tmp_path / "data"))
    FlaskAudioCache(app)
    return app.test_client()


@pytest.mark.parametrize("name", ["music", "more"])
def test_tracks_of_each_are_played_by_ranges_and_at_all_qualities(
    client: FlaskClient, tmp_path: Path, name: str
) -> None:
    original = (tmp_path / name / "track.flac").read_bytes()
    answer = client.get(f"/play/{name}/track.flac?quality=original")
    assert answer.data == original
    part = client.get(
        f"/play/{name}/track.flac?quality=original", headers={"Range": "bytes=100-199"}
    )
    assert (part.status_code, part.data) == (206, original[100:200])
    whole = client.get(f"/play/{name}/track.flac?quality=low")
    assert len(whole.data) == whole.content_length
    middle = client.get(f"/play/{name}/track.flac?quality=low", headers={"Range": "bytes=500-999"})
    assert middle.data == whole.data[500:1000]


def test_the_tracks_of_sheets_in_each_are_their_own(client: FlaskClient) -> None:
    lengths = {
        name: client.get(f"/play/{name}/disc.cue/02.flac?quality=low").content_length
        for name in ("music", "more")
    }
    # Six seconds of one, five of the other.
    assert lengths["music"] > lengths["more"] > 0


def test_a_link_from_one_to_another_is_played(client: FlaskClient, tmp_path: Path) -> None:
    answer = client.get("/play/more/across.flac?quality=original")
    assert answer.data == (tmp_path / "music" / "track.flac").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "track.flac",
        "other/track.flac",
        "music",
        "music/",
        "music/../more/track.flac",
        "music/../secret/track.flac",
        "music/way out/track.flac",
        "more/out.flac",
        "music/.hidden/put away.flac",
        "music//track.flac",
        "./music/track.flac",
        ".removed/music/track.flac",
    ],
)
def test_nothing_else_is(client: FlaskClient, path: str) -> None:
    for quality in ("low", "original"):
        assert client.get(f"/play/{quote(path)}?quality={quality}").status_code == 404


def test_a_file_that_becomes_a_link_to_elsewhere_is_not(
    client: FlaskClient, tmp_path: Path
) -> None:
    assert client.get("/play/more/track.flac?quality=low").status_code == 200
    (tmp_path / "more" / "track.flac").unlink()
    (tmp_path / "more" / "track.flac").symlink_to(tmp_path / "secret" / "track.flac")
    for quality in ("low", "original"):
        assert client.get(f"/play/more/track.flac?quality={quality}").status_code == 404
