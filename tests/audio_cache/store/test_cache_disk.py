"""What AudioCache does with its directory: size, clearing, and disks that are full or read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from audio_cache import AudioCache
from tests.helpers.audio import make_noise
from tests.helpers.disks import small_disk
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.processes import processes_naming
from tests.helpers.renditions import files_of, undisturbed

DAY_S = 86_400


def test_the_size_is_that_of_all_files(cache: AudioCache, song: Path) -> None:
    assert cache.get_cache_size() == 0
    entry = cache.transcode_file(song, "low")
    (cache.cache_dir / "sub").mkdir()
    (cache.cache_dir / "sub" / "note").write_bytes(bytes(100))
    assert cache.get_cache_size() == entry.stat().st_size + 100


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))


def test_clearing_deletes_cached_files_and_says_how_many(cache: AudioCache, song: Path) -> None:
    cache.transcode_file(song, "low")
    cache.transcode_file(song, "high")
    (cache.cache_dir / "note.txt").touch()
    partial = cache.cache_dir / f"{'0' * 32}_low_128k.mp3.part"
    partial.touch()
    assert cache.clear_cache() == 2
    assert [path.name for path in files_of(cache.cache_dir)] == ["note.txt"]
    assert cache.clear_cache() == 0
    assert song.exists()


def test_only_files_older_than_so_many_days_go(cache: AudioCache, song: Path) -> None:
    low, high = cache.transcode_file(song, "low"), cache.transcode_file(song, "high")
    age(low, 8)
    age(high, 6)
    assert cache.clear_cache(older_than_days=7) == 1
    assert (low.exists(), high.exists()) == (False, True)
    assert cache.clear_cache(older_than_days=5.9) == 1


def test_no_days_are_all_that_is_not_of_the_future(cache: AudioCache, song: Path) -> None:
    age(cache.transcode_file(song, "low"), 0.001)
    age(cache.transcode_file(song, "high"), -1)
    assert cache.clear_cache(older_than_days=0) == 1
    assert cache.clear_cache() == 1


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), "7", True])
def test_a_bad_age_deletes_nothing(cache: AudioCache, song: Path, days: float) -> None:
    entry = cache.transcode_file(song, "low")
    age(entry, 100)
    with pytest.raises(ValueError, match="give a number of days"):
        cache.clear_cache(older_than_days=days)
    assert entry.exists()


def test_what_cannot_be_deleted_is_logged_and_skipped(
    cache: AudioCache, song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.transcode_file(song, "low")
    stubborn = cache.cache_dir / f"{'0' * 32}_low_128k.mp3"
    stubborn.mkdir()
    assert cache.clear_cache() == 1
    assert f"cannot delete {stubborn}" in caplog.text


def test_partial_files_are_swept_when_nobody_came_back_for_a_week(cache: AudioCache) -> None:
    fresh, old = (cache.cache_dir / f"{digit * 32}_low_128k.mp3.part" for digit in "01")
    fresh.touch()
    old.touch()
    age(old, 8)
    assert cache.sweep_partials() == 1
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_disk_without_room_is_a_clear_error_before_anything_is_encoded(
    tmp_path: Path, song: Path
) -> None:
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    with small_disk(tmp_path / "disk", "size=2m"):
        cache = AudioCache(tmp_path / "disk", ffmpeg=ffmpeg.path)
        cache.room.usage()
        filler = tmp_path / "disk" / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(tmp_path / "disk").free - 90_000))
        with pytest.raises(OSError, match=r"the disk has .* free, .* this track needs 97 kB"):
            cache.transcode_file(song, "high")
        assert ffmpeg.starts() == []
        assert files_of(cache.cache_dir) == [filler]
        assert cache.get_cached_or_original(song, "high") == song


def test_a_disk_that_fills_while_encoding_is_a_clear_error_and_is_freed(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "x.flac", samples=1_000_000)
    with small_disk(tmp_path / "disk", "size=1m"):
        filler = tmp_path / "disk" / "filler"
        fill = f"head -c 700000 /dev/zero > {filler}"
        stub = StubFFmpeg(tmp_path / "stub", fill)
        cache = AudioCache(tmp_path / "disk", ffmpeg=stub.path)
        with pytest.raises(OSError, match="No space left"):
            cache.transcode_file(source, "high")
        assert files_of(cache.cache_dir) == [filler]
        assert processes_naming(str(source)) == []
        assert cache.get_cached_or_original(source, "high") == source
        filler.unlink()
        good = AudioCache(tmp_path / "disk")
        assert good.transcode_file(source, "high").read_bytes() == undisturbed(
            source, tmp_path, "high"
        )


def test_a_read_only_directory_serves_what_it_has_and_refuses_the_rest(
    tmp_path: Path, song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "disk", "size=1m"):
        cache = AudioCache(tmp_path / "disk")
        entry = cache.transcode_file(song, "low")
        cache.close()
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)
        assert cache.is_cached(song, "low")
        assert cache.get_cached_or_original(song, "low") == entry
        with pytest.raises(OSError, match="Read-only file system"):
            cache.transcode_file(song, "high")
        assert cache.precache_file(song, ["low", "high"]) == {"low": entry, "high": song}
        assert cache.clear_cache() == 0
        assert "cannot delete" in caplog.text
        assert AudioCache(tmp_path / "disk").is_cached(song, "low")


def test_a_directory_that_was_deleted_meanwhile_is_made_anew(cache: AudioCache, song: Path) -> None:
    cache.transcode_file(song, "low")
    shutil.rmtree(cache.cache_dir)
    assert cache.get_cache_size() == 0
    assert not cache.is_cached(song, "low")
    assert cache.transcode_file(song, "low").is_file()
