"""What `warm` says before it begins, and what it refuses to begin."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audio_cache.batch import estimate
from audio_cache.batch.estimate import ASSUMED_SPEED, encode_time_s, find_obstacle
from audio_cache.cli.commands import main
from audio_cache.store.cache import AudioCache
from tests.data import handmade
from tests.helpers.disks import small_disk

Run = Callable[..., Result]


@pytest.fixture
def run(cache: AudioCache) -> Run:
    def invoke(*words: str | Path) -> Result:
        arguments = [*map(os.fspath, words), "--cache-dir", os.fspath(cache.cache_dir)]
        return CliRunner().invoke(main, arguments)

    return invoke


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(estimate, "free_bytes", lambda cache: free)


def test_warm_says_size_time_and_disk_before_the_first_track(run: Run, song: Path) -> None:
    done = run("warm", song)
    assert done.exit_code == 0
    first, time, space, *_, last = done.stdout.splitlines()
    assert first == "1 track to encode, 3 s of audio"
    assert time == "about 0 s, at an assumed 60 × real time per encoder"
    assert re.fullmatch(r"73 kB of space, with [\d.]+ [GT]B free", space)
    assert last.startswith("1 cached in ")


def test_warm_does_not_begin_what_the_disk_cannot_hold(
    run: Run, cache: AudioCache, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, 50_000)
    for more in ((), ("--dry-run",)):
        done = run("warm", song, *more)
        assert done.exit_code == 1
        assert done.stdout.startswith("1 track to encode")
        assert done.stderr == (
            "Error: this takes 73 kB, and the cache's disk has 50 kB left: free some space, "
            "choose fewer tracks or a lower quality, or only their beginnings (`warm --heads`)\n"
        )
    assert list(cache.entries()) == []
    assert cache.partials() == []


def test_a_length_that_is_not_believed_takes_no_room(
    run: Run, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = song.parent / "planted.flac"
    planted.write_bytes(handmade.flac([0] * 100, rate=100, total=147 * 65_535))
    leave(monkeypatch, 500_000)
    done = run("warm", song, planted)
    assert "73 kB of space, with " in done.stdout
    assert "states a length of 26 h 46 min" in done.stdout
    assert "1 cached, 1 failed" in done.stdout


def test_what_is_cached_takes_nothing_of_a_full_disk(
    run: Run, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("warm", song)
    leave(monkeypatch, 0)
    done = run("warm", song)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("0 cached, 1 skipped (already cached: 1)")


def test_a_real_disk_that_is_too_small_is_refused(tmp_path: Path, song: Path) -> None:
    with small_disk(tmp_path / "small", "size=2m"):
        cache = AudioCache(tmp_path / "small")
        assert find_obstacle(cache, 1_000_000) is None
        obstacle = find_obstacle(cache, 3_000_000)
        assert obstacle is not None
        assert obstacle.startswith("this takes 3.0 MB, and the cache's disk has ")
        assert cache.transcode_file(Path(shutil.copy(song, tmp_path / "a.flac"))).exists()
        cache.facts.close()


def test_as_many_encoders_as_there_are_cores_share_the_work() -> None:
    cores = len(os.sched_getaffinity(0))
    assert encode_time_s(3600, 1) == 3600 / ASSUMED_SPEED.factor
    assert encode_time_s(3600, 1000) == 3600 / ASSUMED_SPEED.factor / cores
    assert encode_time_s(3600, 0) == encode_time_s(3600, 1)
