from __future__ import annotations

import os
from pathlib import Path

import pytest

from mixtape.files.folder_track import NO_MUSIC, ListedTrack, read_track
from tests.helpers.audio import make_audio


def read(file: Path) -> ListedTrack:
    return read_track(file, file.name, file.stat().st_size)


def test_a_tagged_flac_is_told_with_its_words_and_format(flac: Path) -> None:
    track = read(flac)
    assert (track.title, track.artist, track.album) == ("Ein Stück", "Ähnliche Töne", "Probe")
    assert (track.number, track.disc, track.duration_s) == (3, 1, 3.0)
    assert (track.format, track.mime, track.is_lossless) == ("FLAC 16/44.1", "audio/flac", True)
    assert track.size_bytes == flac.stat().st_size
    assert track.problem == ""


def test_without_a_title_the_file_name_stands_in(tmp_path: Path) -> None:
    track = read(make_audio(tmp_path / "03 - Some.Song.flac", samples=441))
    assert (track.title, track.artist, track.number) == ("03 - Some.Song", "", None)


def test_a_lossy_file_is_told_with_its_bitrate(tmp_path: Path) -> None:
    constant = ("-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0")
    path = tmp_path / "a.mp3"
    make_audio(path, samples=6 * 44_100, codec="libmp3lame", options=constant)
    track = read(path)
    assert (track.format, track.mime, track.is_lossless) == ("MP3 128 kbit/s", "audio/mpeg", False)
    assert track.duration_s == pytest.approx(6, abs=0.1)


def test_alac_and_aac_are_told_apart_within_the_same_suffix(data: Path) -> None:
    alac, aac = read(data / "alac.m4a"), read(data / "aac.m4a")
    assert (alac.is_lossless, alac.mime) == (True, 'audio/mp4; codecs="alac"')
    assert (aac.is_lossless, aac.mime) == (False, 'audio/mp4; codecs="mp4a.40.2"')


@pytest.mark.parametrize("name", ["nothing.flac", "empty.mp3", "text.wav", "noise.ape"])
def test_what_is_no_music_is_named_with_a_reason(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"" if "empty" in name else os.urandom(3000))
    track = read(file)
    assert track.problem == NO_MUSIC
    assert track.title == file.stem
    assert track.format == file.suffix[1:].upper()


def test_a_file_that_has_gone_says_what_the_system_says(tmp_path: Path) -> None:
    track = read_track(tmp_path / "gone.flac", "gone.flac", 0)
    assert "No such file" in track.problem
