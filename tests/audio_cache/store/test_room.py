"""Room: cap and floor hold whatever is under way, and who finds none is told why."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from audio_cache import AudioCache, CacheWorker
from audio_cache.errors import EncodeError, NoRoomError
from audio_cache.live.encodes import Live
from audio_cache.store import survey as survey_module
from audio_cache.store.entry import Verdict
from audio_cache.store.facts import index_bytes
from audio_cache.store.partial import Partial
from audio_cache.store.room import Limits
from tests.helpers.audio import make_noise
from tests.helpers.renditions import undisturbed
from tests.helpers.rooms import (
    Sampler,
    cache_with_room,
    fill,
    in_index,
    lose_index,
    on_disk,
    plant,
    planted_source,
    play,
    taken_bytes,
)
from tests.helpers.waiting import LIMIT_S, finish, together, wait_until

CAP = 3_000_000
MAKE_ALL = """
import sys
from pathlib import Path
from audio_cache import AudioCache, AudioCacheError
from audio_cache.space import parse_space
from audio_cache.store.room import Limits
cache = AudioCache(Path(sys.argv[1]), limits=Limits(parse_space("3MB"), parse_space("0")))
for path in sys.argv[2:]:
    cache.transcode_file(Path(path), "high")
"""


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return tracks of 5 s, which take 200 kB each at the quality "high"."""
    folder = tmp_path_factory.mktemp("tracks")
    return [
        make_noise(folder / f"{number:02}.flac", samples=5 * 44_100, seed=number)
        for number in range(24)
    ]


@pytest.fixture
def small(tmp_path: Path) -> AudioCache:
    return cache_with_room(tmp_path / "cache")


def used_bytes(cache: AudioCache) -> int:
    """Return what is used without the index, which grows by what is noted in it."""
    return cache.room.usage().used_bytes - index_bytes(cache.cache_dir)


def work_under_a_cap(cache: AudioCache, tracks: list[Path]) -> Sampler:
    """Cache and play tracks at once, more than there is room for; return what was seen of it."""
    live = Live(cache, max_encoders=3, wait_s=LIMIT_S)
    heard: list[bool] = []
    expected = {path: cache.get_rendition(path, "high") for path in tracks}

    def listen(seed: int) -> None:
        for path in random.Random(seed).choices(tracks, k=8):
            rendition = expected[path]
            answer = live.play(rendition, 0, rendition.length, listener=str(seed))
            heard.append(sum(map(len, answer)) == rendition.length)
            answer.close()
            cache.plays.note(rendition.id, rendition.length, seed)

    def cache_ahead() -> None:
        CacheWorker(cache, max_workers=8).cache_mixtape_async(tracks, ["high", "low"])

    with Sampler(cache.cache_dir) as sampler:
        together(cache_ahead, lambda: listen(1), lambda: listen(2))
        live.stop(LIMIT_S)
    assert heard == [True] * 16
    assert sampler.samples > 10
    assert in_index(cache) == on_disk(cache)
    return sampler


@pytest.mark.slow
def test_the_cap_holds_at_every_moment_under_workers_and_listeners(
    small: AudioCache, tracks: list[Path]
) -> None:
    assert CAP / 2 < work_under_a_cap(small, tracks).most_bytes <= CAP


@pytest.mark.stress
def test_a_cap_of_200_mb_holds_at_every_moment(tmp_path: Path) -> None:
    """Of 370 MB: tracks of eight minutes at two qualities, which leave heads when they go."""
    tracks = [
        make_noise(tmp_path / f"{number}.flac", samples=480 * 44_100, seed=number)
        for number in range(16)
    ]
    cache = cache_with_room(tmp_path / "cache", "200MB")
    assert 150_000_000 < work_under_a_cap(cache, tracks).most_bytes <= 200_000_000
    # What was made lately makes no room for a batch; for what is listened to it does.
    assert cache.room.usage().used_bytes <= 200_000_000


@pytest.mark.slow
def test_the_cap_holds_over_processes(small: AudioCache, tracks: list[Path]) -> None:
    command = [sys.executable, "-c", MAKE_ALL, os.fspath(small.cache_dir)]
    with Sampler(small.cache_dir) as sampler:
        makers = [subprocess.Popen([*command, *tracks[part::3]]) for part in range(3)]
        assert [maker.wait(LIMIT_S) for maker in makers] == [0, 0, 0]
    assert CAP / 2 < sampler.most_bytes <= CAP
    assert in_index(small) == on_disk(small)


def test_an_encode_takes_its_whole_length_from_its_first_bytes_on(
    small: AudioCache, song: Path
) -> None:
    before = used_bytes(small)
    rendition = small.get_rendition(song, "high")
    partial = Partial.lock(small.get_cache_path(song, "high"), rendition, wait=False)
    assert partial is not None
    with partial:
        partial.resume()
        assert used_bytes(small) == before + rendition.length
    # Whoever held it is gone, and so is what he was promised.
    assert used_bytes(small) == before + len(rendition.header)


def test_what_a_process_was_making_when_it_was_killed_is_given_back(
    small: AudioCache, song: Path
) -> None:
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom audio_cache import AudioCache\n"
        "from audio_cache.store.partial import Partial\n"
        "cache = AudioCache(Path(sys.argv[1]))\n"
        "rendition = cache.get_rendition(Path(sys.argv[2]), 'high')\n"
        "entry = cache.get_cache_path(Path(sys.argv[2]), 'high')\n"
        "partial = Partial.lock(entry, rendition, wait=True)\n"
        "partial.resume()\nprint(flush=True)\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-c", holder, os.fspath(small.cache_dir), os.fspath(song)]
    length = small.get_rendition(song, "high").length
    before = used_bytes(small)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert used_bytes(small) == before + length
        process.kill()
        process.wait(LIMIT_S)
    assert used_bytes(small) < before + length
    small.transcode_file(song, "high")
    assert small.is_cached(song, "high")


def test_a_listener_gets_room_from_what_is_worth_least(small: AudioCache, song: Path) -> None:
    planted = fill(small)
    for object_id in planted[1:]:
        play(small, object_id)
    small.transcode_file(song, "high")
    assert small.is_cached(song, "high")
    gone = set(planted) - on_disk(small).keys()
    assert planted[0] in gone
    assert len(gone) <= 2
    assert in_index(small) == on_disk(small)


def test_a_batch_takes_no_room_from_what_was_played(small: AudioCache, song: Path) -> None:
    planted = fill(small, 60_000)
    for object_id in planted:
        play(small, object_id)
    (found,) = CacheWorker(small).cache_each({song: ["high"]}).values()
    assert found.qualities == {"high": False}
    assert found.reason.startswith("the cache may take 3.0 MB (AUDIO_CACHE_MAX_SIZE), this track")
    assert "needs 97 kB of it" in found.reason
    assert "Raise AUDIO_CACHE_MAX_SIZE, or delete" in found.reason
    assert set(planted) == on_disk(small).keys()
    assert not list(small.partials())


def test_a_batch_takes_no_room_from_what_a_batch_has_just_made(
    small: AudioCache, song: Path
) -> None:
    planted = fill(small, 60_000)
    with pytest.raises(NoRoomError):
        small.store_together(song, ["high"])
    assert set(planted) == on_disk(small).keys()


def test_a_batch_replaces_what_nobody_has_played_for_a_month(small: AudioCache, song: Path) -> None:
    old = plant(small, 1000, 100_000, at_s=1e9)
    planted = fill(small, 60_000)
    play(small, planted[0])
    small.store_together(song, ["high"])
    assert small.is_cached(song, "high")
    assert set(planted) <= on_disk(small).keys()
    assert old not in on_disk(small)


def test_what_is_pinned_replaces_what_nobody_has_played(small: AudioCache, song: Path) -> None:
    planted = fill(small, 60_000)
    play(small, planted[0])
    small.pin("a mixtape", [song], ["high"])
    small.store_together(song, ["high"])
    assert small.is_cached(song, "high")
    assert planted[0] in on_disk(small)
    assert planted[1] not in on_disk(small)


def test_pins_stay_whatever_is_played(small: AudioCache, song: Path) -> None:
    planted = fill(small, 60_000)
    sources = [Path(planted_source(number)) for number in range(len(planted))]
    small.pin("a mixtape", sources[:-2], ["low", "original"])
    for object_id in planted[-2:]:
        play(small, object_id)
    small.transcode_file(song, "high")
    kept = on_disk(small).keys()
    assert set(planted[:-2]) <= kept
    assert not set(planted[-2:]) <= kept
    small.pin("a mixtape", sources, ["low"])
    small.pin("another", [song], ["high"])
    with pytest.raises(NoRoomError, match="is pinned"):
        small.transcode_file(song, "medium")
    small.unpin("a mixtape")
    small.transcode_file(song, "medium")
    assert small.is_cached(song, "high")


def test_pins_outlive_the_index(small: AudioCache, song: Path) -> None:
    pinned = [plant(small, number) for number in range(1000, 1003)]
    small.pin("a mixtape", [Path(planted_source(number)) for number in range(1000, 1003)], ["low"])
    lose_index(small)
    planted = fill(small)
    small.transcode_file(song, "high")
    assert set(pinned) <= on_disk(small).keys()
    assert not set(planted) <= on_disk(small).keys()
    assert in_index(small) == on_disk(small)


def test_the_index_may_be_lost_and_the_cap_holds(small: AudioCache, tracks: list[Path]) -> None:
    fill(small)
    before = used_bytes(small)
    lose_index(small)
    assert used_bytes(small) == before
    for track in tracks[:4]:
        small.transcode_file(track, "high")
        assert taken_bytes(small.cache_dir) <= CAP
    assert in_index(small) == on_disk(small)


def test_files_of_others_count_and_stay(small: AudioCache, song: Path) -> None:
    (small.cache_dir / "notes").mkdir()
    note = small.cache_dir / "notes" / "note.txt"
    note.write_bytes(bytes(1_900_000))
    foreign = small.get_cache_path(song, "low")
    foreign.write_bytes(b"\xff\xfb" + bytes(20_000))
    with pytest.raises(NoRoomError):
        small.transcode_file(song, "high")
    assert (note.stat().st_size, foreign.stat().st_size) == (1_900_000, 20_002)
    note.unlink()
    fresh = cache_with_room(small.cache_dir)
    fresh.ledger.note_rest(-1_900_000)
    fresh.transcode_file(song, "high")
    assert foreign.exists()


def test_a_floor_keeps_the_disk_free_and_throws_nothing_away_in_vain(
    tmp_path: Path, song: Path
) -> None:
    AudioCache(tmp_path / "cache").transcode_file(song, "low")
    cache = cache_with_room(tmp_path / "cache", max_size="", min_free="100%")
    with pytest.raises(NoRoomError, match="Free some space, lower AUDIO_CACHE_MIN_FREE"):
        cache.transcode_file(song, "high")
    assert cache.examine(song, "low") is Verdict.VALID
    assert not list(cache.partials())


def test_a_cap_that_was_lowered_is_kept_from_the_next_encode_on(tmp_path: Path, song: Path) -> None:
    wide = cache_with_room(tmp_path / "cache", "8MB")
    fill(wide)
    assert taken_bytes(wide.cache_dir) > CAP
    narrow = cache_with_room(tmp_path / "cache")
    narrow.transcode_file(song, "low")
    assert taken_bytes(narrow.cache_dir) <= CAP
    assert narrow.is_cached(song, "low")


def test_without_a_cap_everything_is_kept(tmp_path: Path, song: Path) -> None:
    cache = cache_with_room(tmp_path / "cache", max_size="")
    planted = [plant(cache, number) for number in range(60)]
    cache.transcode_file(song, "high")
    assert set(planted) < on_disk(cache).keys()
    assert cache.room.usage().cap_bytes is None


def test_a_change_of_tags_takes_room_too(small: AudioCache, song: Path) -> None:
    small.transcode_file(song, "high")
    made = next(iter(on_disk(small)))
    play(small, made)
    planted = fill(small, 60_000)
    os.utime(song, (1, 1))
    retag(song)
    assert small.is_cached(song, "high")
    assert taken_bytes(small.cache_dir) <= CAP
    assert in_index(small) == on_disk(small)
    assert not set(planted) <= on_disk(small).keys()
    # The plays of the audio are not lost with its old tags.
    new = next(each for each in small.ledger.holdings() if each.id[:24] == made[:24] != each.id)
    assert new.uses == 1 or made == new.id


def retag(path: Path) -> None:
    import mutagen

    file = mutagen.File(path, easy=True)
    assert file is not None
    file["title"] = "Another title"
    file.save()


def test_a_track_longer_than_allowed_is_not_encoded(tmp_path: Path, song: Path) -> None:
    cache = AudioCache(tmp_path / "cache", limits=Limits(max_duration_s=2.0))
    with pytest.raises(EncodeError, match="lasts 3 s, and AUDIO_CACHE_MAX_DURATION is 2 s"):
        cache.transcode_file(song, "low")
    assert not list(cache.partials())
    patient = AudioCache(tmp_path / "cache", limits=Limits(max_duration_s=4.0))
    assert patient.transcode_file(song, "low").exists()


def test_two_who_need_the_last_room_do_not_both_get_it(
    small: AudioCache, tracks: list[Path]
) -> None:
    for object_id in fill(small, 100_000):
        play(small, object_id)
    gate = threading.Barrier(2)
    results: list[object] = []

    def store(path: Path) -> None:
        gate.wait(LIMIT_S)
        try:
            results.append(small.store_together(path, ["high"]))
        except NoRoomError as error:
            results.append(error)

    threads = [threading.Thread(target=store, args=(path,)) for path in tracks[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        finish(thread)
    assert len(results) == 2
    assert taken_bytes(small.cache_dir) <= CAP
    assert any(isinstance(result, NoRoomError) for result in results)


def test_what_was_evicted_is_made_again_byte_for_byte(
    small: AudioCache, song: Path, tmp_path: Path
) -> None:
    first = small.transcode_file(song, "low").read_bytes()
    for object_id in list(on_disk(small)):
        assert small.evictions.evict(object_id)
    assert small.examine(song, "low") is Verdict.ABSENT
    assert small.transcode_file(song, "low").read_bytes() == first
    assert first == undisturbed(song, tmp_path)


def test_a_listener_does_not_wait_for_the_survey_that_a_batch_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = cache_with_room(tmp_path, "300MB")
    lose_index(cache)
    may_go_on = threading.Event()
    look = survey_module.survey
    monkeypatch.setattr(
        survey_module, "survey", lambda where: look(where) if may_go_on.wait(LIMIT_S) else None
    )
    batch = threading.Thread(target=cache.room.take, args=([],), kwargs={"for_batch": True})
    batch.start()
    try:
        wait_until(lambda: any(each.name == "survey" for each in threading.enumerate()))
        with pytest.raises(NoRoomError, match="is being counted"):
            cache.room.take_for_listener([])
        assert batch.is_alive()
    finally:
        may_go_on.set()
        finish(batch)
