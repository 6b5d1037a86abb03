from __future__ import annotations

import os
from pathlib import Path

import pytest
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover

from mixtape.errors import AudioFileError
from mixtape.files.audio_file import read_audio_file
from mixtape.files.tags import VARIOUS_ARTISTS
from tests.helpers.audio import make_audio
from tests.helpers.tracks import embed, make_picture, place

SONG = {"title": "Song", "artist": "Singer", "album": "Record", "tracknumber": "4", "date": "1971"}


@pytest.fixture(scope="session")
def m4a(shared_audio: Path) -> Path:
    return make_audio(shared_audio / "lossy.m4a", samples=44_100, codec="aac")


@pytest.fixture(scope="session")
def opus(shared_audio: Path) -> Path:
    return make_audio(shared_audio / "lossy.opus", samples=48_000, rate=48_000, codec="libopus")


def test_a_flac_is_read_with_its_exact_length(flac: Path, tmp_path: Path) -> None:
    found = read_audio_file(place(flac, tmp_path / "a.flac", **SONG))
    assert (found.codec, found.lossless, found.duration_s) == ("flac", True, 3.0)
    assert (found.rate_hz, found.bits, found.channels) == (44_100, 16, 2)
    assert (found.tags.title, found.tags.artist) == ("Song", "Singer")
    assert (found.tags.track_no, found.tags.year) == (4, 1971)


@pytest.mark.parametrize("kind", ["mp3", "m4a", "opus"])
def test_lossy_files_are_read_with_their_tags(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source: Path = request.getfixturevalue(kind)
    found = read_audio_file(place(source, tmp_path / source.name, **SONG))
    assert found.codec == {"mp3": "mp3", "m4a": "aac", "opus": "opus"}[kind]
    assert not found.lossless
    assert found.bits is None
    assert found.duration_s == pytest.approx(1.0, abs=0.1)
    assert (found.tags.title, found.tags.artist, found.tags.album) == ("Song", "Singer", "Record")
    assert (found.tags.track_no, found.tags.year) == (4, 1971)


def test_alac_in_an_m4a_is_lossless(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "a.m4a", samples=22_050, codec="alac")
    found = read_audio_file(path)
    assert (found.lossless, found.codec, found.duration_s) == (True, "alac", 0.5)


def test_a_compilation_of_each_kind_is_filed_under_various_artists(
    mp3: Path, m4a: Path, flac: Path, tmp_path: Path
) -> None:
    paths = [
        place(mp3, tmp_path / "a.mp3", artist="X", compilation="1"),
        place(flac, tmp_path / "a.flac", artist="X", compilation="1"),
        place(m4a, tmp_path / "a.m4a", artist="X"),
    ]
    file = MP4(paths[2])
    file["cpil"] = True
    file.save()
    assert {read_audio_file(path).tags.album_artist for path in paths} == {VARIOUS_ARTISTS}


def test_an_mp4_track_number_is_the_first_of_its_pair(m4a: Path, tmp_path: Path) -> None:
    path = place(m4a, tmp_path / "a.m4a")
    file = MP4(path)
    file["trkn"] = [(3, 12)]
    file.save()
    assert read_audio_file(path).tags.track_no == 3


def test_the_picture_comes_with_the_file(flac: Path, m4a: Path, mp3: Path, tmp_path: Path) -> None:
    picture = make_picture()
    in_flac = place(flac, tmp_path / "a.flac")
    embed(in_flac, (3, picture))
    in_mp4 = place(m4a, tmp_path / "a.m4a")
    file = MP4(in_mp4)
    file["covr"] = [MP4Cover(picture)]
    file.save()
    in_mp3 = place(mp3, tmp_path / "a.mp3")
    tags = ID3()
    tags.add(APIC(mime="image/jpeg", type=3, data=picture))
    tags.save(in_mp3)
    assert [read_audio_file(path).picture for path in (in_flac, in_mp4, in_mp3)] == [picture] * 3


def test_a_name_that_is_not_text_is_no_hindrance(mp3: Path, tmp_path: Path) -> None:
    path = place(mp3, tmp_path / os.fsdecode(b"caf\xe9.mp3"), title="Café")
    assert read_audio_file(path).tags.title == "Café"


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.m4a", "a.ogg", "a.wav", "a.ape", "a.dsf"])
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4000, b"fLaC\0\0\0\x22", b"RIFF\xff\xff\xff\xffWAVE"]
)
def test_what_is_no_audio_is_an_error_of_one_kind(
    name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioFileError):
        read_audio_file(path)


def test_a_missing_file_is_an_error_of_the_same_kind(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError):
        read_audio_file(tmp_path / "gone.mp3")
