"""Heads: what stays of evicted renditions, what it takes, and what goes on from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import mutagen.flac
import pytest

from audio_cache import AudioCache
from audio_cache.batch.heads import make_head
from audio_cache.errors import EncodeError
from audio_cache.live.encodes import Live
from audio_cache.store.heads import head_size
from audio_cache.store.survey import survey
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.rooms import (
    Sampler,
    cache_with_room,
    lose_index,
    plant,
    play,
    taken_bytes,
)
from tests.helpers.waiting import LIMIT_S, wait_until

SECONDS = 45


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return tracks that are long enough for heads: at "low" 721 kB each, and 164 kB of that."""
    folder = tmp_path_factory.mktemp("tracks")
    return [
        make_noise(folder / f"{number}.flac", samples=SECONDS * 44_100, seed=number)
        for number in range(3)
    ]


@pytest.fixture
def track(tracks: list[Path], tmp_path: Path) -> Path:
    """Return a track of the test's own."""
    return Path(shutil.copyfile(tracks[0], tmp_path / "track.flac"))


def cut(cache: AudioCache, track: Path) -> bytes:
    """Make a rendition, evict all of it but its head, and return the whole."""
    whole = cache.transcode_file(track, "low").read_bytes()
    size = cache.identify(track, "low").length
    assert 0 < cache.evictions.free(size - 200_000, heads_bytes=10**6) < size
    return whole


def test_an_eviction_leaves_the_first_ten_seconds(counted: AudioCache, track: Path) -> None:
    whole = cut(counted, track)
    rendition = counted.identify(track, "low")
    head = counted.heads.find(rendition)
    assert whole.startswith(head)
    assert len(head) == head_size(rendition)
    assert 10 < (len(head) - len(rendition.header)) * 8 / 128_000 < 11
    assert not counted.is_cached(track, "low")
    assert list(counted.entries()) == []
    assert counted.ledger.head_sizes() == (1, len(head))
    assert counted.ledger.held_bytes() == len(head)


def test_a_play_begins_with_the_head_and_its_encoder_goes_on_from_there(
    tmp_path: Path, track: Path
) -> None:
    waiting = StubFFmpeg(
        tmp_path / "waiting", before=f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    )
    cache = AudioCache(tmp_path / "cache")
    whole = cut(cache, track)
    cache.close()
    held_up = AudioCache(tmp_path / "cache", ffmpeg=waiting.path)
    live = Live(held_up)
    rendition = held_up.identify(track, "low")
    answer = live.play(rendition, 0, rendition.length)
    first = b""
    while len(first) < 65_536:
        first += next(answer)
    # No encoder has made a byte yet, nor can it.
    assert whole.startswith(first)
    (tmp_path / "go").touch()
    assert first + b"".join(answer) == whole
    answer.close()
    wait_until(lambda: live.busy_encoders == 0)
    (encode,) = waiting.encodes()
    assert not encode.is_whole
    assert held_up.get_cache_path(track, "low").read_bytes() == whole
    assert held_up.ledger.head_sizes() == (0, 0)
    assert survey(held_up.cache_dir).heads == {}
    live.stop(LIMIT_S)


def test_new_tags_are_no_reason_to_lose_a_head(counted: AudioCache, track: Path) -> None:
    cut(counted, track)
    tagged = mutagen.flac.FLAC(track)
    tagged["title"] = "Another title"
    tagged.save()
    rendition = counted.identify(track, "low")
    head = counted.heads.find(rendition)
    assert head.startswith(rendition.header)
    assert b"Another title" in rendition.header
    fresh = counted.transcode_file(track, "low").read_bytes()
    assert fresh.startswith(head)
    assert counted.ledger.head_sizes() == (0, 0)


def test_a_head_that_is_damaged_is_not_played(counted: AudioCache, track: Path) -> None:
    cut(counted, track)
    rendition = counted.identify(track, "low")
    (file,) = (counted.cache_dir / "heads").rglob(rendition.id)
    content = bytearray(file.read_bytes())
    content[100_000] ^= 1
    file.write_bytes(content)
    assert counted.heads.find(rendition) == b""
    assert not file.exists()
    assert counted.ledger.head_sizes() == (0, 0)


def test_heads_outlive_the_index(counted: AudioCache, track: Path) -> None:
    cut(counted, track)
    held = counted.ledger.head_sizes()
    lose_index(counted)
    counted.room.usage()
    assert counted.ledger.head_sizes() == held == (1, held[1])
    assert counted.heads.find(counted.identify(track, "low"))


def test_heads_take_their_share_and_no_more(tmp_path: Path, tracks: list[Path]) -> None:
    """An eighth of the cap: room for one head of 164 kB, which is of the track worth most."""
    cache = cache_with_room(tmp_path / "cache", "2500kB")
    ids = []
    for track in tracks:
        cache.transcode_file(track, "low")
        ids.append(cache.identify(track, "low").id)
        play(cache, ids[-1])
    play(cache, ids[0], "somebody else")
    with Sampler(cache.cache_dir) as sampler:
        for number in range(20):
            cache.room._prepare(100_000)
            with cache.room._alone():
                cache.room._make(100_000, 100_000, (), for_batch=False)
            plant(cache, number, 100_000)
            play(cache, f"{number}", "nobody")
    assert sampler.most_bytes <= 2_500_000
    count, size = cache.ledger.head_sizes()
    assert count == 1
    assert size <= 2_500_000 / 8
    assert {each.id for each in cache.heads.scan()} <= set(ids)


def test_heads_go_where_nothing_else_is_left(counted: AudioCache, track: Path) -> None:
    cut(counted, track)
    held = counted.ledger.head_sizes()[1]
    # Not for a batch, and not for more than there is.
    assert counted.evictions.free(1000, unplayed_since_s=1e12) == 0
    assert counted.evictions.free(held + 1) == 0
    assert counted.evictions.free(1000) == held
    assert counted.ledger.held_bytes() == 0


def test_clearing_takes_the_heads_too(counted: AudioCache, track: Path) -> None:
    cut(counted, track)
    counted.clear_cache(older_than_days=1)
    assert counted.ledger.head_sizes()[0] == 1
    counted.clear_cache()
    assert counted.ledger.head_sizes() == (0, 0)
    assert survey(counted.cache_dir).heads == {}


def test_a_head_is_made_on_its_own(counted: AudioCache, ffmpeg: StubFFmpeg, track: Path) -> None:
    assert make_head(counted, track, "low")
    head = counted.heads.find(counted.identify(track, "low"))
    assert not make_head(counted, track, "low")
    assert len(ffmpeg.encodes()) == 1
    assert counted.transcode_file(track, "low").read_bytes().startswith(head)
    # What is there as a whole needs no head, and a track of a few seconds neither.
    assert not make_head(counted, track, "low")


def test_a_head_is_made_of_no_audio_that_is_not_what_it_says(
    counted: AudioCache, track: Path
) -> None:
    content = bytearray(track.read_bytes())
    stated = content.index(b"fLaC") + 4 + 4 + 18
    content[stated] ^= 1
    track.write_bytes(content)
    with pytest.raises(EncodeError, match="MD5"):
        make_head(counted, track, "low")
    assert survey(counted.cache_dir).heads == {}
    assert taken_bytes(counted.cache_dir / "heads") == 0


def test_heads_that_would_make_too_little_room_stay(tmp_path: Path, tracks: list[Path]) -> None:
    cache = AudioCache(tmp_path / "cache")
    held = []
    for count, track in zip((1, 9), tracks, strict=False):
        cache.transcode_file(track, "low")
        held.append(cache.identify(track, "low").id)
        for number in range(count):
            play(cache, held[-1], f"listener {number}")
        cache.evictions.free(1, heads_bytes=1 << 20)
    share = cache.ledger.head_sizes()[1]
    # Worth more than one of the heads, and larger than that one.
    cache.transcode_file(tracks[2], "medium")
    for number in range(4):
        play(cache, cache.identify(tracks[2], "medium").id, f"listener {number}")
    cache.evictions.free(1, heads_bytes=share)
    assert {each.id for each in cache.heads.scan()} == set(held)
