"""Plays: counted once per listening, written in batches, found by entry where no id is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_cache import AudioCache
from audio_cache.store.ledger import Play
from audio_cache.store.plays import Plays
from tests.helpers.progress import Clock
from tests.helpers.rooms import lose_index, plant, planted_entry
from tests.helpers.waiting import wait_until


@pytest.fixture
def moment() -> Clock:
    return Clock(1_760_000_000.0)


@pytest.fixture
def plays(cache: AudioCache, moment: Clock) -> Plays:
    return Plays(cache.ledger, moment)


def uses(cache: AudioCache) -> list[int]:
    return [each.uses for each in cache.ledger.holdings()]


def test_the_requests_of_one_listening_are_one_play(
    cache: AudioCache, plays: Plays, moment: Clock
) -> None:
    object_id = plant(cache, 1)
    for _ in range(20):
        plays.note(object_id, 100_000, "one")
        moment.now += 200
    plays.note(object_id, 100_000, "another")
    moment.now += 301
    plays.note(object_id, 100_000, "one")
    plays.write()
    assert uses(cache) == [3]
    assert [play.size_bytes for play in cache.ledger.plays()] == [100_000] * 3


def test_plays_are_written_by_themselves_when_the_last_time_is_a_while_ago(
    cache: AudioCache, plays: Plays, moment: Clock
) -> None:
    object_id = plant(cache, 1)
    plays.note(object_id, 100_000, "one")
    assert uses(cache) == [0]
    moment.now += 31
    plays.note(object_id, 100_000, "another")
    wait_until(lambda: uses(cache) == [2], "the plays in the index")


def test_a_play_whose_id_is_not_known_yet_is_found_by_its_entry(
    cache: AudioCache, plays: Plays, moment: Clock
) -> None:
    name = planted_entry(cache, 1).name
    plays.note("", 100_000, "one", name)
    plays.note("", 100_000, "one", "of something that is never stored")
    plays.write()
    object_id = plant(cache, 1)
    cache.facts.note_entry(name, "/music/1.flac", "low", (1, 2, 3, 4, 5), object_id)
    plays.write()
    assert uses(cache) == [1]
    moment.now += 1000
    plays.write()
    assert len(cache.ledger.plays()) == 1


def test_plays_of_what_is_not_stored_count_when_it_is(cache: AudioCache, plays: Plays) -> None:
    cache.plays = plays
    object_id = plant(cache, 1)
    cache.evictions.evict(object_id)
    plays.note(object_id, 100_000, "one")
    plays.write()
    assert uses(cache) == []
    plant(cache, 1)
    assert uses(cache) == [1]


def test_the_record_of_plays_has_an_end(cache: AudioCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_cache.store.ledger._MOST_PLAYS", 100)
    monkeypatch.setattr("audio_cache.store.ledger._MOST_GHOSTS", 50)
    for start in range(0, 300, 30):
        some = [Play(1e9 + at, f"{at:048x}", 1000 + at) for at in range(start, start + 30)]
        assert cache.ledger.note_plays(some) == []
    recorded = cache.ledger.plays()
    assert [play.size_bytes for play in recorded] == list(range(1200, 1300))
    ghosts = cache.facts.use(
        lambda database: database.execute("SELECT COUNT(*), MIN(used) FROM object").fetchone()
    )
    assert ghosts == (50, 1e9 + 250)


def test_plays_survive_an_index_that_was_lost(cache: AudioCache, plays: Plays) -> None:
    object_id = plant(cache, 1)
    plays.note(object_id, 100_000, "one")
    lose_index(cache)
    plays.write()
    cache.room.usage()
    assert uses(cache) == [1]


def test_an_index_that_cannot_be_used_keeps_the_plays_waiting(
    cache: AudioCache, plays: Plays, tmp_path: Path
) -> None:
    object_id = plant(cache, 1)
    plays.note(object_id, 100_000, "one")
    lose_index(cache)
    (cache.cache_dir / "index.db").mkdir()
    plays.write()
    (cache.cache_dir / "index.db").rmdir()
    plays.write()
    cache.room.usage()
    assert uses(cache) == [1]
