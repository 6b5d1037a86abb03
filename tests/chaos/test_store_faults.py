"""Whatever call of a store fails, and wherever it is killed: nothing wrong plays, all is mended."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache import AudioCache, QualityLevel
from audio_cache.store.entry import Verdict
from audio_cache.store.objects import HEADS_FOLDER, LocalObjects
from audio_cache.store.verify import State, verify
from tests.chaos.faults import CALLS, FAULTS, KILL, Subject, copy_of, running_subject
from tests.chaos.subject import evict
from tests.helpers.audio import make_noise, run_ffmpeg
from tests.helpers.waiting import LIMIT_S

QUALITY: QualityLevel = "low"
pytestmark = pytest.mark.needs("strace")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    return make_noise(folder / "a.flac", samples=66_150, tags={"title": "A"})


@pytest.fixture(scope="module")
def long_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source of which a head stays when it is evicted."""
    return make_noise(tmp_path_factory.mktemp("long") / "a.flac", samples=45 * 44_100)


@pytest.fixture(scope="module")
def program(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    if subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("this system lets nobody trace a process")
    with running_subject(source, tmp_path_factory.mktemp("log")) as program:
        yield program


class Act:
    """An act on a cache, and what has to hold after it, whatever became of it.

    Args:
        name: of the act.
        before: a cache to which it is done.
        source: of which the rendition is made, looked up or deleted.
    """

    def __init__(self, name: str, before: Path, source: Path, work: Path) -> None:
        self.name = name
        self.source = source
        self._before = before
        self._work = work
        cache = AudioCache(work / "expected")
        self._expected = cache.transcode_file(source, QUALITY).read_bytes()
        self._id = cache.find(source, QUALITY).etag  # type: ignore[union-attr]
        cache.close()

    def count_calls(self, program: Subject, fault: str, call: str, *, most: int) -> int:
        """Let each call of a kind fail once; return how many there were, and check after each."""
        for number in range(1, most + 1):
            cache_dir = copy_of(self._before, self._work / "cache")
            outcome = program.act(self.name, cache_dir, self.source, fault, call, number)
            where = f"{self.name}: {fault} at {call} {number}: {outcome.line}"
            assert not outcome.is_defect, where
            self._check(cache_dir, where)
            if not outcome.is_injected:
                return number - 1
        return most

    def _check(self, cache_dir: Path, where: str) -> None:
        cache = AudioCache(cache_dir)
        try:
            self._check_played(cache, where)
            assert cache.transcode_file(self.source, QUALITY).read_bytes() == self._expected, where
            self._check_played(cache, where)
            found = {each.path.name: (each.state, each.reason) for each in verify(cache)}
            assert {state for state, _ in found.values()} <= {State.SOUND}, (where, found)
            self._check_index(cache, where)
        finally:
            cache.close()

    def _check_played(self, cache: AudioCache, where: str) -> None:
        found = cache.find(self.source, QUALITY)
        if not isinstance(found, Verdict):
            assert Path(found.path).read_bytes() == self._expected, where
        for each in cache.objects.scan():
            is_whole = Path(cache.objects.path(each.id)).read_bytes() == self._expected
            assert is_whole or each.id != self._id, where

    def _check_index(self, cache: AudioCache, where: str) -> None:
        """What the index says is held, once somebody has looked, is what lies there."""
        cache.surveys.begin().join(LIMIT_S)
        objects = sum(each.size_bytes for each in cache.objects.scan())
        heads = LocalObjects(cache.cache_dir, HEADS_FOLDER).scan()
        held = objects + sum(each.size_bytes for each in heads)
        assert cache.ledger.held_bytes() == held, where


def prepared(name: str, source: Path, work: Path) -> Act:
    """Return an act with a cache to do it to."""
    before = work / "before"
    cache = AudioCache(before)
    if name in ("evict", "clear"):
        cache.transcode_file(source, QUALITY)
    if name == "find":
        # Of other tags: a lookup makes a file of the same frames, with another header.
        other = work / "other"
        other.mkdir()
        retagged = other / source.name
        run_ffmpeg("-i", source, "-c", "copy", "-metadata", "title=B", retagged)
        cache.transcode_file(source, QUALITY)
        source = retagged
    cache.close()
    return Act(name, before, source, work)


def test_an_eviction_without_faults_leaves_a_head(long_source: Path, tmp_path: Path) -> None:
    cache = AudioCache(tmp_path)
    cache.transcode_file(long_source, QUALITY)
    evict(cache, long_source)
    assert len(list(LocalObjects(tmp_path, HEADS_FOLDER).scan())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_bears_a_fault_at_its_rename(
    program: Subject, source: Path, tmp_path: Path, fault: str
) -> None:
    assert prepared("make", source, tmp_path).count_calls(program, fault, "rename", most=50) >= 2


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["make", "find", "evict", "clear"])
def test_every_call_fails_once_and_is_the_last_once(
    program: Subject,
    source: Path,
    long_source: Path,
    tmp_path: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    act = prepared(name, long_source if name == "evict" else source, tmp_path)
    counts: Counter[str] = Counter()
    for fault in FAULTS:
        for call in CALLS:
            counts[fault] += act.count_calls(program, fault, call, most=1000)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{name}: {counts[FAULTS[0]] + counts[FAULTS[1]]:,} calls failed, {counts[KILL]:,} "
            "were the last of a process; nothing wrong was played, and the next run mended all\n"
        )
    assert counts[KILL] > 20
