from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp4
import pytest

from audio_cache import MusicRoots
from mixtape.database.tables import Track
from mixtape.files.lyrics import Lyrics
from mixtape.library.lyrics import LyricsFinder
from tests.helpers.audio import make_audio


@pytest.fixture
def finder(music: Path) -> LyricsFinder:
    return LyricsFinder(MusicRoots(music))


def track(path: str) -> Track:
    name = path.encode()
    return Track(path=name, folder=name.rpartition(b"/")[0], title="T", size_bytes=1)


def plain(*lines: str, language: str = "und") -> Lyrics:
    return Lyrics(tuple((None, line) for line in lines), language)


def test_files_beside_a_track_and_its_tags_are_read(
    music: Path, finder: LyricsFinder, flac: Path
) -> None:
    shutil.copy(flac, music / "one.flac")
    file = mutagen.flac.FLAC(music / "one.flac")
    file["LYRICS"] = "In a tag"
    file["UNSYNCEDLYRICS"] = "[00:01.00]In time"
    file.save()
    (music / "one.txt").write_text("In a file", "utf-8")
    assert finder.find(track("one.flac")) == (
        Lyrics(((1_000, "In time"),)),
        plain("In a file"),
        plain("In a tag"),
    )
    # What is said twice is there once.
    (music / "one.lrc").write_text("[00:01.00]In time", "utf-8")
    assert len(finder.find(track("one.flac"))) == 3
    assert finder.find(track("none.flac")) == ()


def test_frames_of_id3_are_read(music: Path, finder: LyricsFinder, mp3: Path) -> None:
    shutil.copy(mp3, music / "two.mp3")
    tags = mutagen.id3.ID3(music / "two.mp3")
    tags.add(mutagen.id3.USLT(encoding=3, lang="deu", desc="", text="Eins\nZwei"))
    times = [("Zwei", 2_000), ("Eins", 1_500)]
    tags.add(mutagen.id3.SYLT(encoding=3, lang="eng", format=2, type=1, desc="", text=times))
    # In frames of audio, of which nobody can tell when they are.
    tags.add(mutagen.id3.SYLT(encoding=3, lang="fra", format=1, type=1, desc="", text=times))
    tags.save()
    assert finder.find(track("two.mp3")) == (
        Lyrics(((1_500, "Eins"), (2_000, "Zwei")), "eng"),
        plain("Eins", "Zwei", language="deu"),
    )


def test_an_atom_of_mp4_is_read(music: Path, finder: LyricsFinder) -> None:
    make_audio(music / "three.m4a", samples=4_410, codec="aac")
    file = mutagen.mp4.MP4(music / "three.m4a")
    file["\xa9lyr"] = ["Words"]
    file.save()
    assert finder.find(track("three.m4a")) == (plain("Words"),)


def test_nothing_outside_of_the_music_is_read(
    music: Path, tmp_path: Path, finder: LyricsFinder, flac: Path
) -> None:
    shutil.copy(flac, music / "one.flac")
    (tmp_path / "secret").write_text("secret", "utf-8")
    (music / "one.lrc").symlink_to(tmp_path / "secret")
    os.mkfifo(music / "one.txt")
    (music / "one.TXT").mkdir()
    assert finder.find(track("one.flac")) == ()
    shutil.copy(flac, tmp_path / "outside.flac")
    (tmp_path / "outside.lrc").write_text("[00:01.00]secret", "utf-8")
    assert finder.find(track("../outside.flac")) == ()


def test_broken_files_have_no_lyrics(music: Path, finder: LyricsFinder) -> None:
    (music / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    (music / "broken.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100))
    (music / "empty.m4a").write_bytes(b"")
    for name in ("broken.flac", "broken.mp3", "empty.m4a"):
        assert finder.find(track(name)) == ()
