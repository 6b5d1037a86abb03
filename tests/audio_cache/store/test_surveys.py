"""Surveys: a huge cache is looked at in the background, and nobody who plays waits for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.live.encodes import Live
from audio_cache.store import survey as survey_module
from audio_cache.store.ledger import Measured
from audio_cache.store.survey import survey
from tests.helpers.renditions import undisturbed
from tests.helpers.rooms import cache_with_room, in_index, lose_index, on_disk, plant
from tests.helpers.waiting import LIMIT_S, wait_until


class Gate:
    """Holds surveys as if the directory was huge: they have looked, and have not noted it yet."""

    def __init__(self, survey: Callable[[Path], Measured]) -> None:
        self._survey = survey
        self._is_open = threading.Event()
        self.looked = 0

    def __call__(self, cache_dir: Path) -> Measured:
        measured = self._survey(cache_dir)
        self.looked += 1
        assert self._is_open.wait(LIMIT_S)
        return measured

    def open(self) -> None:
        self._is_open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(survey_module.survey)
    monkeypatch.setattr(survey_module, "survey", gate)
    yield gate
    gate.open()


@pytest.fixture
def whole(song: Path, tmp_path: Path) -> bytes:
    return undisturbed(song, tmp_path)


def is_settled(cache: AudioCache) -> bool:
    return cache.ledger.tally("measured") is not None and in_index(cache) == on_disk(cache)


@pytest.fixture(params=["", "3MB"])
def left(tmp_path: Path, request: pytest.FixtureRequest) -> AudioCache:
    """Return a cache with objects and no index, without a cap and with one."""
    cache = cache_with_room(tmp_path / "cache", request.param)
    for number in range(5):
        plant(cache, number)
    lose_index(cache)
    return cache


def test_plays_are_answered_while_a_lost_index_comes_back(
    left: AudioCache, song: Path, whole: bytes, gate: Gate
) -> None:
    live = Live(left, wait_s=LIMIT_S)
    rendition = left.get_rendition(song, "low")
    heard = b"".join(live.play(rendition, 0, rendition.length))
    assert heard == whole
    assert gate.looked == 1
    assert left.ledger.tally("measured") is None
    # Nobody knows yet whether there is room below the cap.
    wait_until(lambda: not live.growing(), "the end of the encode")
    assert left.is_cached(song, "low") is (left.room.limits.max_size is None)
    gate.open()
    wait_until(lambda: is_settled(left), "the index to be back")
    live.stop(LIMIT_S)


def test_what_comes_while_a_survey_looks_is_not_taken_for_gone(tmp_path: Path, gate: Gate) -> None:
    cache = cache_with_room(tmp_path / "cache")
    plant(cache, 0)
    assert not cache.surveys.require(0.0, 0.0)
    wait_until(lambda: gate.looked == 1, "the look")
    came = plant(cache, 1)
    gate.open()
    wait_until(lambda: cache.ledger.tally("measured") is not None, "the survey's end")
    assert came in in_index(cache)
    assert in_index(cache) == on_disk(cache)


def test_an_old_survey_holds_while_a_new_one_looks(tmp_path: Path, gate: Gate) -> None:
    cache = cache_with_room(tmp_path / "cache")
    plant(cache, 0)
    cache.ledger.settle(survey(cache.cache_dir), 1.0, cache.objects.has, cache.heads.has)
    assert cache.surveys.require(600.0, 0.0)
    assert gate.looked < 2
    assert cache.ledger.tally("measured") == 1.0


def test_surveys_that_take_long_are_rare(tmp_path: Path, gate: Gate) -> None:
    cache = cache_with_room(tmp_path / "cache")
    gate.open()
    cache.surveys.begin().join(LIMIT_S)
    cache.surveys._took_s = 2.0
    assert cache.surveys.require(0.0, 0.0)
    assert gate.looked == 1
