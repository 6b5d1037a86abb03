from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.store.verify import Inspection, State
from mixtape.admin import maintenance as chores_module
from mixtape.admin.maintenance import BusyError, Chore, Chores, Kind
from tests.helpers.audio import make_audio
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_audio(tmp_path / "a.flac", samples=44_100)


def carry_out(cache: AudioCache, kind: Kind) -> Chore:
    chores = Chores(cache)
    chore = chores.begin(kind)
    chores.wait(LIMIT_S)
    assert chore.ending is not None
    return chore


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
    chore = carry_out(cache, "verify")
    assert chore.ending == "finished"
    assert (chore.done, chore.total) == (2, 2)
    assert chore.found == {"sound": 1, "damaged": 1}
    [(name, problem)] = chore.problems
    assert name == "a.flac"
    assert problem


def test_repairing_makes_a_bad_entry_good(cache: AudioCache, source: Path) -> None:
    path = cache.transcode_file(source, "high")
    good = path.read_bytes()
    damage(path)
    chore = carry_out(cache, "repair")
    assert chore.found == {"repaired": 1}
    assert chore.problems == []
    assert path.read_bytes() == good


def test_renewing_encodes_what_was_outgrown_and_leaves_the_rest(
    cache: AudioCache, source: Path, tmp_path: Path
) -> None:
    other = make_audio(tmp_path / "b.flac", samples=44_100, seed=2)
    kept = cache.transcode_file(other, "low").stat().st_mtime_ns
    for quality in ("low", "medium"):
        cache.transcode_file(source, quality)
    replace(source)
    chore = carry_out(cache, "regenerate")
    assert chore.found == {"repaired": 2}
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
    chore = carry_out(cache, "regenerate")
    assert chore.ending == "finished"
    assert chore.found == {"repaired": 1, "failed": 1}
    assert [name for name, _ in chore.problems] == ["a.flac"]


def test_an_entry_whose_source_is_gone_is_not_outdated(cache: AudioCache, source: Path) -> None:
    cache.transcode_file(source, "low")
    source.unlink()
    chore = carry_out(cache, "regenerate")
    assert (chore.total, chore.ending) == (0, "finished")


def test_a_failure_of_the_whole_is_told(cache: AudioCache) -> None:
    cache.cache_dir.rmdir()
    chore = carry_out(cache, "verify")
    assert chore.ending == "failed"
    assert str(cache.cache_dir) in chore.error


def test_a_defect_ends_the_chore_and_shows_no_innards(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(chores_module, "find_outdated", lambda cache: 1 / 0)
    chore = carry_out(cache, "regenerate")
    assert chore.ending == "failed"
    assert "division" not in chore.error
    assert "ZeroDivisionError" in caplog.text


class HeldVerify:
    """A verification of two entries that waits before each until it is let go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go_on = threading.Semaphore(0)
        self.was_closed = False
        monkeypatch.setattr(chores_module, "verify", self._verify)

    def _verify(self, *_: object, **__: object) -> object:
        try:
            for name in ("one", "two"):
                assert self.may_go_on.acquire(timeout=LIMIT_S)
                yield Inspection(Path(name), State.SOUND)
        finally:
            self.was_closed = True


def test_one_chore_runs_at_a_time(cache: AudioCache, monkeypatch: pytest.MonkeyPatch) -> None:
    held, chores = HeldVerify(monkeypatch), Chores(cache)
    chores.begin("verify")
    with pytest.raises(BusyError, match="cancel it"):
        chores.begin("regenerate")
    held.may_go_on.release(2)
    chores.wait(LIMIT_S)
    chores.begin("regenerate")
    chores.wait(LIMIT_S)


def test_a_chore_can_be_cancelled_and_stops_where_it_is(
    cache: AudioCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []
    held, chores = HeldVerify(monkeypatch), Chores(cache, on_end=lambda: ended.append(True))
    assert not chores.cancel()
    chore = chores.begin("verify")
    assert chores.cancel()
    held.may_go_on.release()
    chores.wait(LIMIT_S)
    assert (chore.ending, chore.done) == ("cancelled", 1)
    assert held.was_closed
    assert ended == [True]
    assert not chores.cancel()
