"""The upgrade of a cache of today: taken over without encoding, and never thrown away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache.store.cache import AudioCache
from audio_cache.store.entry import read_entry
from audio_cache.store.upgrade import Upgrade, upgrade
from tests.helpers.audio import make_audio
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.legacy import write_legacy


@pytest.fixture
def waves(tmp_path: Path, wav: Path) -> Path:
    return Path(shutil.copy2(wav, tmp_path / "waves.wav"))


def encodes(ffmpeg: StubFFmpeg) -> int:
    return sum("libmp3lame" in each.arguments for each in ffmpeg.starts())


def test_all_entries_are_taken_over_at_once_and_nothing_is_encoded(
    counted: AudioCache, song: Path, waves: Path, ffmpeg: StubFFmpeg
) -> None:
    frames = {
        (source, quality): write_legacy(counted, source, quality)
        for source in (song, waves)
        for quality in ("low", "medium")
    }
    before = encodes(ffmpeg)
    found = list(upgrade(counted))
    assert sorted(each.path for each in found) == sorted(counted.entries())
    assert all(each.is_needed and not each.problem for each in found)
    assert {each.source for each in found} == {song, waves}
    for (source, quality), audio in frames.items():
        path = counted.get_cache_path(source, quality)
        entry = read_entry(path)
        assert entry is not None
        assert entry.identity is not None
        assert entry.identity.encoder == "ffmpeg 7.0 lame 3.100"
        content = path.read_bytes()
        assert content[entry.header_bytes :] == audio
        assert os.fsencode(source.parent) not in content
        assert b"private" not in content
        assert counted.is_cached(source, quality)
    assert encodes(ffmpeg) == before


def test_what_is_of_today_needs_nothing_and_a_second_upgrade_finds_nothing(
    counted: AudioCache, song: Path, waves: Path
) -> None:
    made = counted.transcode_file(song, "low")
    write_legacy(counted, waves, "low")
    taken = counted.get_cache_path(waves, "low")
    assert {each for each in upgrade(counted) if not each.is_needed} == {Upgrade(made)}
    content = taken.read_bytes()
    assert set(upgrade(counted)) == {Upgrade(made), Upgrade(taken)}
    assert taken.read_bytes() == content


def test_one_whose_source_is_gone_stays_and_is_played(counted: AudioCache, song: Path) -> None:
    write_legacy(counted, song, "low")
    entry = counted.get_cache_path(song, "low")
    content = entry.read_bytes()
    song.unlink()
    assert list(upgrade(counted)) == [Upgrade(entry, True, f"its source is gone: {song}", song)]
    assert entry.read_bytes() == content
    assert counted.is_cached(song, "low")


def test_one_of_other_audio_is_never_taken_over(
    counted: AudioCache, song: Path, waves: Path
) -> None:
    write_legacy(counted, song, "low")
    write_legacy(counted, waves, "low")
    make_audio(song, samples=132_300, seed=7)
    waves.touch()  # of a WAV nothing but its time says that it is the same
    os.utime(waves, (1, 1))
    words = "it was made from other audio or other tags than the source has now"
    assert {(each.source, each.problem) for each in upgrade(counted)} == {
        (song, words),
        (waves, words),
    }
    assert not counted.is_cached(song, "low")
    assert not list(counted.objects.scan())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: os.truncate(path, 9_000), "shorter or longer than the rendition"),
        (
            lambda path: path.rename(path.with_name(f"{'0' * 32}_low_128k.mp3")),
            "not under the name",
        ),
    ],
)
def test_one_that_is_short_or_misnamed_says_so(
    counted: AudioCache, song: Path, damage: object, words: str
) -> None:
    write_legacy(counted, song, "low")
    damage(counted.get_cache_path(song, "low"))  # type: ignore[operator]
    (found,) = upgrade(counted)
    assert words in found.problem
    assert not counted.is_cached(song, "low")


def test_one_whose_source_was_touched_or_copied_back_since_is_taken_over(
    counted: AudioCache, song: Path, ffmpeg: StubFFmpeg
) -> None:
    """FLAC's own checksum says that the audio is the same, whatever the dates are."""
    write_legacy(counted, song, "low")
    before = encodes(ffmpeg)
    entry = counted.get_cache_path(song, "low")
    os.utime(entry, (1, 1))
    song.touch()
    (found,) = upgrade(counted)
    assert found.problem == ""
    assert counted.is_cached(song, "low")
    assert encodes(ffmpeg) == before


def test_one_failure_does_not_end_the_upgrade(counted: AudioCache, song: Path, waves: Path) -> None:
    write_legacy(counted, song, "low")
    write_legacy(counted, waves, "low")
    entry = counted.get_cache_path(song, "low")
    entry.unlink()
    entry.mkdir()
    problems = {each.path: each.problem for each in upgrade(counted)}
    assert "directory" in problems[entry]
    assert problems[counted.get_cache_path(waves, "low")] == ""
