"""Every method of AudioCache, as the contract has it."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from pathlib import Path

import pytest

from audio_cache import QUALITY_SETTINGS, AudioCache, QualityLevel
from audio_cache.errors import QualityError
from audio_cache.store.entry import Verdict
from tests.helpers.audio import DATA, make_audio
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import files_of


def make_foreign(cache: AudioCache, source: Path, quality: QualityLevel, later_s: float) -> Path:
    """Put an MP3 of another program under an entry's name, later than the source or earlier."""
    path = cache.get_cache_path(source, quality)
    shutil.copyfile(DATA / "lossy.mp3", path)
    mtime_ns = source.stat().st_mtime_ns + int(later_s * 1e9)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def test_the_qualities_are_those_of_the_contract() -> None:
    assert QUALITY_SETTINGS == {
        "high": {"bitrate": "256k", "format": "mp3"},
        "medium": {"bitrate": "192k", "format": "mp3"},
        "low": {"bitrate": "128k", "format": "mp3"},
    }


@pytest.mark.parametrize(
    ("quality", "end"), [("high", "high_256k"), ("medium", "medium_192k"), ("low", "low_128k")]
)
def test_the_name_is_the_hash_of_the_path_with_quality_and_bitrate(
    cache: AudioCache, quality: QualityLevel, end: str
) -> None:
    digest = hashlib.md5(b"/music/a/song.flac").hexdigest()
    path = cache.get_cache_path(Path("/music/a/song.flac"), quality)
    assert path == cache.cache_dir / f"{digest}_{end}.mp3"


def test_the_name_is_that_of_medium_unless_another_is_asked_for(cache: AudioCache) -> None:
    assert cache.get_cache_path(Path("/x.flac")) == cache.get_cache_path(Path("/x.flac"), "medium")


def test_the_path_is_made_absolute_and_normal_before(
    cache: AudioCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = cache.get_cache_path(tmp_path / "a" / "x.flac")
    for way in ("a/x.flac", "./a/./x.flac", "b/../a//x.flac", f"/{tmp_path}/a/x.flac"):
        assert cache.get_cache_path(Path(way)) == expected
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert cache.get_cache_path(tmp_path / "link" / "x.flac") != expected
    # Two files on Linux, however alike they look.
    assert cache.get_cache_path(Path("/\u00e9.flac")) != cache.get_cache_path(Path("/e\u0301.flac"))


def test_a_path_of_any_bytes_has_a_name(cache: AudioCache) -> None:
    path = Path(os.fsdecode(b"/music/\xff\xe4\n.flac"))
    digest = hashlib.md5(b"/music/\xff\xe4\n.flac").hexdigest()
    assert cache.get_cache_path(path).name == f"{digest}_medium_192k.mp3"


def test_the_original_is_its_own_cached_file(cache: AudioCache, song: Path) -> None:
    assert cache.get_cache_path(song, "original") == song
    assert cache.transcode_file(song, "original") == song
    assert cache.get_cached_or_original(song, "original") == song
    assert cache.is_cached(song, "original")
    assert files_of(cache.cache_dir) == []


def test_a_quality_in_capitals_has_no_entry_of_its_own(cache: AudioCache, song: Path) -> None:
    assert cache.get_cache_path(song, "LOW") == cache.get_cache_path(song, "low")  # type: ignore[arg-type]


def test_an_unknown_quality_is_refused_with_those_there_are(cache: AudioCache, song: Path) -> None:
    for call in (cache.get_cache_path, cache.is_cached, cache.transcode_file):
        with pytest.raises(QualityError, match="high, medium, low, original"):
            call(song, "best")  # type: ignore[operator]


def test_the_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    AudioCache(tmp_path / "a" / "b" / "c")
    AudioCache(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_the_directory_stays_where_it_was_when_the_process_moves(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache = AudioCache(Path("relative"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cache.transcode_file(song, "low").parent == tmp_path / "relative"


@pytest.mark.parametrize(
    "name",
    ["a.flac", "a.FLAC", "a.wav", "a.aiff", "a.ape", "a.alac", "a.aif", "a.wv", "a.tta", "a.dsf",
     "a.dff", "a.Wav"],
)  # fmt: skip
def test_lossless_suffixes_are_to_transcode_even_of_missing_files(
    cache: AudioCache, name: str
) -> None:
    assert cache.should_transcode(Path("/no/such") / name)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.m4a", "a.txt", "flac", "a.flac.mp3", ""])
def test_other_suffixes_are_not(cache: AudioCache, name: str) -> None:
    assert not cache.should_transcode(Path("/no/such") / name)


def test_the_content_decides_where_the_suffix_could_be_either(cache: AudioCache) -> None:
    assert cache.should_transcode(DATA / "alac.m4a")
    assert not cache.should_transcode(DATA / "aac.m4a")


def test_what_was_transcoded_is_cached_and_nothing_else(cache: AudioCache, song: Path) -> None:
    assert not cache.is_cached(song, "low")
    cache.transcode_file(song, "low")
    assert cache.is_cached(song, "low")
    assert not cache.is_cached(song, "high")


def test_lossy_files_are_always_cached(cache: AudioCache, mp3: Path, tmp_path: Path) -> None:
    assert cache.is_cached(mp3)
    assert cache.is_cached(tmp_path / "missing.mp3")
    make_foreign(cache, mp3, "low", later_s=-5)
    assert cache.is_cached(mp3, "low"), "even with an old file under its entry's name"


def test_a_missing_source_invalidates_nothing(cache: AudioCache, song: Path) -> None:
    entry = cache.transcode_file(song, "low")
    song.unlink()
    assert cache.is_cached(song, "low")
    assert cache.get_cached_or_original(song, "low") == entry
    assert not cache.is_cached(song, "high")


def test_a_replaced_source_is_not_cached_even_if_it_is_older(
    cache: AudioCache, song: Path, tmp_path: Path
) -> None:
    first = cache.transcode_file(song, "low").read_bytes()
    make_audio(tmp_path / "new.flac", samples=132_300, seed=5)
    os.utime(tmp_path / "new.flac", (0, 0))
    os.replace(tmp_path / "new.flac", song)
    assert not cache.is_cached(song, "low")
    assert cache.examine(song, "low") is Verdict.SOURCE_CHANGED
    assert cache.get_cached_or_original(song, "low") == song
    assert cache.transcode_file(song, "low").read_bytes() != first
    assert cache.is_cached(song, "low")


@pytest.mark.parametrize(("later_s", "valid"), [(5, True), (0, True), (-5, False)])
def test_an_mp3_of_others_is_valid_unless_it_is_older(
    cache: AudioCache, song: Path, later_s: float, valid: bool
) -> None:
    entry = make_foreign(cache, song, "low", later_s)
    assert cache.is_cached(song, "low") is valid
    before = entry.read_bytes()
    assert cache.transcode_file(song, "low") == entry
    assert (entry.read_bytes() == before) is valid


@pytest.mark.parametrize("size", [0, 100, -1])
def test_a_cut_file_is_not_cached_and_is_made_again(
    cache: AudioCache, song: Path, size: int
) -> None:
    entry = cache.transcode_file(song, "low")
    content = entry.read_bytes()
    os.truncate(entry, size % (len(content)) if size < 0 else size)
    assert not cache.is_cached(song, "low")
    assert cache.transcode_file(song, "low").read_bytes() == content


def test_a_lookup_that_fails_is_a_miss_with_a_warning(
    cache: AudioCache, song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = cache.get_cache_path(song, "low")
    entry.symlink_to(entry.name)
    assert not cache.is_cached(song, "low")
    assert "cannot look up" in caplog.text
    assert str(song) in caplog.text
    assert cache.get_cached_or_original(song, "low") == song


def test_the_warnings_go_to_the_logger_that_was_given(
    tmp_path: Path, song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = AudioCache(tmp_path / "cache", logging.getLogger("mine"))
    entry = cache.get_cache_path(song)
    entry.symlink_to(entry.name)
    cache.is_cached(song)
    assert [record.name for record in caplog.records] == ["mine"]


def test_a_copied_cache_directory_serves_as_the_first_one(
    cache: AudioCache, song: Path, tmp_path: Path
) -> None:
    entry = cache.transcode_file(song, "low")
    copy = AudioCache(Path(shutil.copytree(cache.cache_dir, tmp_path / "copy")))
    assert copy.is_cached(song, "low")
    assert copy.get_cached_or_original(song, "low").read_bytes() == entry.read_bytes()


def test_the_cached_file_is_given_where_there_is_one_and_nothing_is_made(
    counted: AudioCache, song: Path, mp3: Path, ffmpeg: StubFFmpeg
) -> None:
    assert counted.get_cached_or_original(song, "low") == song
    assert ffmpeg.starts() == []
    entry = counted.transcode_file(song, "low")
    assert counted.get_cached_or_original(song, "low") == entry
    assert counted.get_cached_or_original(song) == song
    assert counted.get_cached_or_original(mp3) == mp3


def test_precaching_makes_medium_or_what_is_asked_for(
    cache: AudioCache, song: Path, mp3: Path
) -> None:
    assert cache.precache_file(song) == {"medium": cache.get_cache_path(song, "medium")}
    assert cache.precache_file(song, ["low", "original"]) == {
        "low": cache.get_cache_path(song, "low"),
        "original": song,
    }
    assert cache.is_cached(song, "low")
    assert cache.precache_file(mp3, ["low"]) == {"low": mp3}
    assert cache.precache_file(song, []) == {}


def test_a_quality_that_fails_is_logged_and_gives_the_original(
    cache: AudioCache, song: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.get_cache_path(song, "high").mkdir()
    paths = cache.precache_file(song, ["low", "high"])
    assert paths == {"low": cache.get_cache_path(song, "low"), "high": song}
    assert "at high" in caplog.text
    missing = tmp_path / "missing.flac"
    assert cache.precache_file(missing) == {"medium": missing}
