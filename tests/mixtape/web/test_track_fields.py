from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from mixtape.files.opening import Identity
from mixtape.web.views.as_json import track_fields
from tests.helpers.audio import make_audio
from tests.helpers.host import make_app
from tests.helpers.mixtapes import services_of

NO_MUSIC = "This file holds no music that can be read."


@pytest.fixture
def app(tmp_path: Path, music: Path) -> Flask:
    return make_app(tmp_path)


def fields_of(app: Flask) -> dict[str, Any]:
    """Return what the pages are told of the one track in the library."""
    (track,) = services_of(app).folders.get_page(b"").tracks
    with app.test_request_context():
        return track_fields(track)


def test_a_tagged_flac_is_told_with_its_words_and_format(
    app: Flask, music: Path, flac: Path
) -> None:
    shutil.copyfile(flac, music / "a.flac")
    told = fields_of(app)
    assert (told["title"], told["artist"], told["album"]) == (
        "Ein Stück",
        "Ähnliche Töne",
        "Probe",
    )
    assert (told["number"], told["duration"]) == (3, 3.0)
    assert (told["format"], told["mime"], told["lossless"]) == ("FLAC 16/44.1", "audio/flac", True)
    assert told["size"] == flac.stat().st_size
    assert told["problem"] is None


def test_without_a_title_the_file_name_stands_in(app: Flask, music: Path) -> None:
    make_audio(music / "03 - Some.Song.flac", samples=441)
    told = fields_of(app)
    assert (told["title"], told["artist"], told["number"]) == ("03 - Some.Song", "", None)


@pytest.mark.parametrize(("seconds", "label"), [(6, "MP3 128 kbit/s"), (1, "MP3")])
def test_a_lossy_file_is_told_with_its_bitrate_where_it_is_long_enough_to_have_one(
    app: Flask, music: Path, seconds: int, label: str
) -> None:
    constant = ("-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0")
    samples = seconds * 44_100
    make_audio(music / "a.mp3", samples=samples, codec="libmp3lame", options=constant)
    told = fields_of(app)
    assert (told["format"], told["mime"], told["lossless"]) == (label, "audio/mpeg", False)
    assert told["duration"] == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("name", "lossless", "mime"),
    [
        ("alac.m4a", True, 'audio/mp4; codecs="alac"'),
        ("aac.m4a", False, 'audio/mp4; codecs="mp4a.40.2"'),
    ],
)
def test_alac_and_aac_are_told_apart_within_the_same_suffix(
    app: Flask, music: Path, data: Path, name: str, lossless: bool, mime: str
) -> None:
    shutil.copyfile(data / name, music / name)
    told = fields_of(app)
    assert (told["lossless"], told["mime"]) == (lossless, mime)


@pytest.mark.parametrize("name", ["nothing.flac", "empty.mp3", "text.wav", "noise.ape"])
def test_what_is_no_music_is_named_with_a_reason(app: Flask, music: Path, name: str) -> None:
    (music / name).write_bytes(b"" if "empty" in name else os.urandom(3000))
    told = fields_of(app)
    assert told["problem"] == NO_MUSIC
    assert told["title"] == name
    assert told["format"] == Path(name).suffix[1:].upper()


def test_a_file_that_has_gone_says_what_the_system_says(
    app: Flask, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixtape.library import scanner

    read = scanner.read_audio_file

    def gone_meanwhile(path: Path, known: Identity) -> object:
        path.unlink()
        return read(path, known)

    monkeypatch.setattr(scanner, "read_audio_file", gone_meanwhile)
    make_audio(music / "gone.flac", samples=441)
    assert "No such file" in fields_of(app)["problem"]
