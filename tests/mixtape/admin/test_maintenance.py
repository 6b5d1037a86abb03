from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.store.verify import Inspection, State
from mixtape.admin import maintenance as maintenance_module
from mixtape.admin.maintenance import BusyError, Kind, Maintenance, MaintenanceTask
from tests.helpers.audio import make_audio

LIMIT_S = 60


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_audio(tmp_path / "a.flac", samples=44_100)


def carry_out(cache: AudioCache, kind: Kind) -> MaintenanceTask:
    maintenance = Maintenance(cache)
    task = maintenance.begin(kind)
    maintenance.wait(LIMIT_S)
    assert task.ending is not None
    return task


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)


def replace(source: Path) -> None:
    make_audio(source, samples=88_200, seed=5)
    os.utime(source, ns=(1, 1))


def test_verifying_counts_how_the_entries_are(cache: AudioCache, source: Path) -> None:
    cache.transcode_file(source, "low")
    damage(cache.transcode_file(source, "high"))
    task = carry_out(cache, "verify")
    assert task.ending == "finished"
    assert (task.done, task.total) == (2, 2)
    assert task.found == {"sound": 1, "damaged": 1}
    [(name, problem)] = task.problems
    assert name == "a.flac"
    assert problem


def test_repairing_makes_a_bad_entry_good(cache: AudioCache, source: Path) -> None:
    path = cache.transcode_file(source, "high")
    good = path.read_bytes()
    damage(path)
    task = carry_out(cache, "repair")
    assert task.found == {"repaired": 1}
    assert task.problems == []
    assert path.read_bytes() == good


def test_renewing_encodes_what_was_outgrown_and_leaves_the_rest(
    cache: AudioCache, source: Path, tmp_path: Path
) -> None:
    other = make_audio(tmp_path / "b.flac", samples=44_100, seed=2)
    kept = cache.transcode_file(other, "low").stat().st_mtime_ns
    for quality in ("low", "medium"):
        cache.transcode_file(source, quality)
    replace(source)
    task = carry_out(cache, "regenerate")
    assert task.found == {"repaired": 2}
    assert cache.is_cached(source, "low")
    assert cache.is_cached(source, "medium")
    assert not cache.is_cached(source, "high")
    assert cache.get_cache_path(other, "low").stat().st_mtime_ns == kept


def test_what_cannot_be_renewed_is_named_and_the_rest_goes_on(
    cache: AudioCache, source: Path, tmp_path: Path
) -> None:
    other = make_audio(tmp_path / "b.flac", samples=44_100, seed=2)
    for path in (source, other):
        cache.transcode_file(path, "low")
    source.write_bytes(b"no music any more")
    replace(other)
    task = carry_out(cache, "regenerate")
    assert task.ending == "finished"
    assert task.found == {"repaired": 1, "failed": 1}
    assert [name for name, _ in task.problems] == ["a.flac"]


def test_an_entry_whose_source_is_gone_is_not_outdated(cache: AudioCache, source: Path) -> None:
    cache.transcode_file(source, "low")
    source.unlink()
    task = carry_out(cache, "regenerate")
    assert (task.total, task.ending) == (0, "finished")


def test_a_failure_of_the_whole_is_told(cache: AudioCache) -> None:
    cache.cache_dir.rmdir()
    task = carry_out(cache, "verify")
    assert task.ending == "failed"
    assert str(cache.cache_dir) in task.error


def test_a_defect_ends_the_task_and_shows_no_innards(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(maintenance_module, "find_outdated", lambda cache: 1 / 0)
    task = carry_out(cache, "regenerate")
    assert task.ending == "failed"
    assert "division" not in task.error
    assert "ZeroDivisionError" in caplog.text


class HeldVerify:
    """A verification of two entries that waits before each until it is let go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go_on = threading.Semaphore(0)
        self.was_closed = False
        monkeypatch.setattr(maintenance_module, "verify", self._verify)

    def _verify(self, *_: object, **__: object) -> object:
        try:
            for name in ("one", "two"):
                assert self.may_go_on.acquire(timeout=LIMIT_S)
                yield Inspection(Path(name), State.SOUND)
        finally:
            self.was_closed = True


def test_one_task_runs_at_a_time(cache: AudioCache, monkeypatch: pytest.MonkeyPatch) -> None:
    held, maintenance = HeldVerify(monkeypatch), Maintenance(cache)
    maintenance.begin("verify")
    with pytest.raises(BusyError, match="cancel it"):
        maintenance.begin("regenerate")
    held.may_go_on.release(2)
    maintenance.wait(LIMIT_S)
    maintenance.begin("regenerate")
    maintenance.wait(LIMIT_S)


def test_a_task_can_be_cancelled_and_stops_where_it_is(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []
    held, maintenance = (
        HeldVerify(monkeypatch),
        Maintenance(cache, on_end=lambda: ended.append(True)),
    )
    assert not maintenance.cancel()
    task = maintenance.begin("verify")
    assert maintenance.cancel()
    held.may_go_on.release()
    maintenance.wait(LIMIT_S)
    assert (task.ending, task.done) == ("cancelled", 1)
    assert held.was_closed
    assert ended == [True]
    assert not maintenance.cancel()
