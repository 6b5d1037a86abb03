"""Files that another process makes, leaves behind, or deletes."""

from __future__ import annotations

import shutil
from pathlib import Path

from audio_cache.encoding.rendition import Rendition
from audio_cache.store.objects import LocalObjects
from audio_cache.store.partial import Partial
from tests.audio_cache.live.house import House, is_idle, low, read
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.waiting import together, wait_until


class Other:
    """Another encoder of the same entry, whose file grows as a test wants it to."""

    def __init__(self, house: House, rendition: Rendition) -> None:
        house.directory.mkdir(exist_ok=True)
        partial = Partial.lock(house.entry(rendition), rendition, wait=False)
        assert partial is not None
        self.partial = partial

    def __enter__(self) -> Partial:
        return self.partial

    def __exit__(self, *_: object) -> None:
        self.partial.close()


def test_a_file_that_another_process_makes_is_followed(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as partial:
        partial.append(whole[:100_000])
        answer = live.play(rendition, 0, 300_000)
        partial.append(whole[100_000:300_000])
        assert read(answer) == whole[:300_000]
        follower = live.play(rendition, 250_000, rendition.length)
        partial.append(whole[300_000:])
        partial.publish(LocalObjects(house.directory), rendition.id)
    assert read(follower) == whole[250_000:]
    assert fast.starts() == []


def test_the_file_is_taken_over_from_an_encoder_that_died(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as partial:
        partial.append(whole[:400_000])
        answer = live.play(rendition, 0, rendition.length)
        # The next one cuts to the last whole group, behind which somebody has read already.
        begun = b"".join(next(answer) for _ in range(13))
        assert len(begun) > 380_000
    assert begun + read(answer) == whole
    wait_until(is_idle(live))
    # One goes on with the file; where that takes long to begin, the listener has one of his own.
    assert {encode.is_whole for encode in fast.encodes()} == {False}
    # What was gone on with has not read all of the source, so that is compared on its own.
    assert len(fast.checks()) == 1
    assert house.entry(rendition).read_bytes() == whole


def test_an_encoder_that_failed_and_begins_anew_is_followed_into_its_new_file(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    with Other(house, rendition) as first:
        first.append(whole[:100_000])
        answer = live.play(rendition, 0, 200_000)
        first.discard()
        with Other(house, rendition) as second:
            second.append(whole[:200_000])
            first.close()
            assert read(answer) == whole[:200_000]
    wait_until(is_idle(live))
    assert len(fast.encodes()) == 1


def test_files_of_two_lives_on_one_directory_are_made_once(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    one, two = house.live(fast), house.live(fast)
    rendition = low(one, track)
    plays = [
        lambda live=live: read(live.play(rendition, 0, rendition.length))
        for live in (one, two, one, two)
    ]
    assert set(together(*plays)) == {whole}
    assert len([encode for encode in fast.encodes() if encode.is_whole]) == 1


def test_a_cache_directory_that_is_deleted_meanwhile_costs_the_listener_nothing(
    house: House, fast: StubFFmpeg, track: Path, whole: bytes
) -> None:
    live = house.live(fast)
    rendition = low(live, track)
    answer = live.play(rendition, 0, rendition.length)
    shutil.rmtree(house.directory)
    assert read(answer) == whole
    wait_until(is_idle(live))
