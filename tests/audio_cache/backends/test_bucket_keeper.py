"""The bucket of a site stays below its size, and what is listened to stays in it."""

from __future__ import annotations

import logging
import re
import shutil
import time
from pathlib import Path

import pytest
import redis

from audio_cache import AudioCache
from audio_cache.backends.bucket_keeper import BucketKeeper, SharedWorth, pinned_ids
from audio_cache.backends.s3_objects import S3Objects
from audio_cache.store.ledger import Play
from audio_cache.store.policy import DAY_S, DecayingPlays
from tests.helpers.audio import make_noise
from tests.helpers.celery_worker import CeleryWorker
from tests.helpers.memory_objects import MemoryObjects
from tests.helpers.s3_server import S3Server
from tests.helpers.waiting import wait_until

LOGGER = logging.getLogger(__name__)
SIZE = 1_000


@pytest.fixture
def worth(redis_url: str) -> SharedWorth:
    return SharedWorth(redis.Redis.from_url(redis_url, decode_responses=True), LOGGER)


@pytest.fixture
def store(tmp_path: Path) -> MemoryObjects:
    store = MemoryObjects()
    for number in range(10):
        file = tmp_path / "object"
        file.write_bytes(bytes(SIZE))
        store.put(file, object_id(number))
    return store


def object_id(number: int) -> str:
    return f"{number:048x}"


def ids(store: MemoryObjects) -> set[int]:
    return {int(each.id, 16) for each in store.scan()}


def test_a_bucket_that_is_small_enough_is_left_alone(
    store: MemoryObjects, worth: SharedWorth
) -> None:
    assert BucketKeeper(store, worth, LOGGER).fit(10 * SIZE, tuple) == 0
    assert len(ids(store)) == 10


def test_what_was_never_played_goes_first_and_then_what_was_played_least(
    store: MemoryObjects, worth: SharedWorth
) -> None:
    now = time.time()
    worth.note_plays(Play(now, object_id(number), SIZE) for number in (1, 3, 5, 7, 7))
    worth.note_plays([Play(now - 100 * DAY_S, object_id(9), SIZE)])
    keeper = BucketKeeper(store, worth, LOGGER)
    keeper.fit(5 * SIZE, tuple)
    assert ids(store) == {1, 3, 5, 7}
    keeper.fit(1 * SIZE, tuple)
    assert ids(store) <= {7}


def test_what_is_pinned_stays_even_where_it_is_too_much(
    store: MemoryObjects, worth: SharedWorth, caplog: pytest.LogCaptureFixture
) -> None:
    pinned = {object_id(number) for number in (0, 1, 2)}
    assert BucketKeeper(store, worth, LOGGER).fit(2 * SIZE, lambda: pinned) == 7 * SIZE
    assert ids(store) == {0, 1, 2}
    assert "all of it is pinned" in caplog.text


def test_worth_is_that_of_the_policy(worth: SharedWorth) -> None:
    policy, expected = DecayingPlays(), None
    for days in (0, 3, 3, 40, 41):
        at_s = 1.7e9 + days * DAY_S
        worth.note_plays([Play(at_s, object_id(1), SIZE)])
        expected = policy.played(expected, at_s)
    assert worth.of([object_id(1), object_id(2)]) == {object_id(1): pytest.approx(expected)}


def test_what_a_mixtape_holds_is_pinned_by_what_it_is(
    worth: SharedWorth, song: Path, tmp_path: Path
) -> None:
    cache = AudioCache(tmp_path / "cache")
    worth.pin("mixtape one", [song.name.encode(), b"gone.flac"], ["low", "original"])
    worth.pin("mixtape two", [song.name.encode()], ["high"])
    expected = {cache.identify(song, quality).id for quality in ("low", "high")}
    assert pinned_ids(cache, song.parent, worth) == expected
    worth.unpin("mixtape two")
    assert pinned_ids(cache, song.parent, worth) == {cache.identify(song, "low").id}
    cache.close()


def test_what_is_pinned_is_found_in_each_of_several_folders(
    worth: SharedWorth, song: Path, tmp_path: Path
) -> None:
    cache = AudioCache(tmp_path / "cache")
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        root.mkdir()
    moved = song.rename(roots[1] / song.name)
    worth.pin("mixtape", [f"b/{song.name}".encode(), f"c/{song.name}".encode()], ["low"])
    assert pinned_ids(cache, roots, worth) == {cache.identify(moved, "low").id}
    cache.close()


def test_where_the_music_is_away_nothing_is_taken_for_unpinned(
    worth: SharedWorth, song: Path, tmp_path: Path
) -> None:
    cache = AudioCache(tmp_path / "cache")
    worth.pin("mixtape", [song.name.encode()], ["low"])
    with pytest.raises(OSError, match=re.escape(song.name)):
        pinned_ids(cache, tmp_path / "not mounted", worth)
    cache.close()


@pytest.mark.slow
def test_one_of_several_workers_keeps_the_bucket_small(
    tmp_path: Path, redis_url: str, bucket: str, s3_server: S3Server, worth: SharedWorth
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    store = S3Objects(bucket)
    cache = AudioCache(tmp_path / "maker", behind=store)
    tracks = [make_noise(music / f"{n}.flac", samples=441_000, seed=n) for n in range(6)]
    for track in tracks:
        cache.transcode_file(track, "low")
    assert cache.backing is not None
    assert cache.backing.wait(60)
    worth.pin("mixtape", [tracks[0].name.encode()], ["low"])
    worth.note_plays([Play(time.time(), cache.identify(tracks[1], "low").id, 1)])
    given = {"AUDIO_CACHE_OBJECT_STORE": bucket, "AUDIO_CACHE_OBJECT_MAX_SIZE": "400kB"}
    one = CeleryWorker(redis_url, music, tmp_path / "one", "one", **given)
    two = CeleryWorker(redis_url, music, tmp_path / "two", "two", **given)
    with one, two:
        wait_until(lambda: len(list(store.scan())) == 2)
        kept = {cache.identify(track, "low").id for track in tracks[:2]}
        assert {each.id for each in store.scan()} == kept
        wait_until(lambda: (one.log() + two.log()).count("from the bucket") == 1)
    cache.close()
    shutil.rmtree(music)
