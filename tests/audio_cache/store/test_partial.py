"""The file that grows: who may write it, what of it is kept, and what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg import running_count
from audio_cache.encoding.rendition import Rendition
from audio_cache.errors import EncodeError, EncodeInterruptedError, NoRoomError
from audio_cache.store.objects import LocalObjects
from audio_cache.store.partial import (
    OnStart,
    Partial,
    delete_abandoned,
    fill,
    is_locked,
    lock_free,
    partial_path,
    require_space,
)
from tests.helpers.audio import make_noise
from tests.helpers.renditions import files_of, rendition_of, whole_file
from tests.helpers.waiting import wait_until

HOLD = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def rendition(tmp_path_factory: pytest.TempPathFactory) -> Rendition:
    """Return a rendition of four whole groups and a part of a fifth."""
    path = tmp_path_factory.mktemp("source") / "x.flac"
    return rendition_of(make_noise(path, samples=4 * mp3.GROUP_FRAMES * mp3.FRAME_SAMPLES + 20_000))


@pytest.fixture(scope="module")
def content(rendition: Rendition) -> bytes:
    return whole_file(rendition)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    (tmp_path / "partials").mkdir()
    return tmp_path / f"{'0' * 32}_low_128k.mp3"


@pytest.fixture
def partial(entry: Path, rendition: Rendition) -> Iterator[Partial]:
    with lock(entry, rendition) as partial:
        yield partial


def path_of(partial: Partial) -> Path:
    return partial_path(partial.entry, partial.rendition)


def publish(partial: Partial) -> None:
    partial.publish(LocalObjects(partial.entry.parent), partial.rendition.id)


def lock(entry: Path, rendition: Rendition) -> Partial:
    partial = Partial.lock(entry, rendition, wait=False)
    assert partial is not None
    return partial


def test_room_is_made_while_the_encoder_starts(
    entry: Path, partial: Partial, rendition: Rendition, content: bytes
) -> None:
    running = []

    def make_room(partials: Sequence[Partial]) -> None:
        assert partials == [partial]
        running.append(running_count())

    fill(partial, rendition.encode, publish, make_room=make_room)
    assert running == [1]
    assert entry.read_bytes() == content


def test_without_room_the_encoder_is_ended_and_nothing_is_left(
    partial: Partial, rendition: Rendition
) -> None:
    def make_room(partials: Sequence[Partial]) -> None:
        raise NoRoomError("the cache is full")

    with pytest.raises(NoRoomError):
        fill(partial, rendition.encode, publish, make_room=make_room)
    assert running_count() == 0
    assert not path_of(partial).exists()


def test_one_holds_a_partial_and_others_learn_it(
    entry: Path, rendition: Rendition, partial: Partial
) -> None:
    assert is_locked(partial_path(entry, rendition))
    assert Partial.lock(entry, rendition, wait=False) is None
    partial.close()
    assert not is_locked(partial_path(entry, rendition))
    lock(entry, rendition).close()


def test_a_missing_partial_is_held_by_nobody(entry: Path, rendition: Rendition) -> None:
    assert not is_locked(partial_path(entry, rendition))


def test_another_process_holds_it_until_it_dies(entry: Path, rendition: Rendition) -> None:
    command = [sys.executable, "-c", HOLD, str(partial_path(entry, rendition))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert Partial.lock(entry, rendition, wait=False) is None
        with lock_free({entry: rendition}) as partials:
            assert partials == []
        holder.kill()
        holder.wait()
        with lock_free({entry: rendition}) as partials:
            assert [partial.entry for partial in partials] == [entry]


def test_who_waited_for_a_published_partial_gets_a_new_one(
    entry: Path, rendition: Rendition, content: bytes
) -> None:
    first = lock(entry, rendition)
    first.append(content)
    held = os.stat(partial_path(entry, rendition)).st_ino
    publish(first)
    with lock(entry, rendition) as second:
        assert second.size == 0
        assert os.stat(partial_path(entry, rendition)).st_ino != held
        second.discard()
    first.close()
    assert entry.read_bytes() == content


def test_a_partial_of_another_rendition_is_put_aside(
    entry: Path, rendition: Rendition, content: bytes
) -> None:
    stale = bytearray(content[:30_000])
    stale[60] ^= 1
    path = partial_path(entry, rendition)
    path.write_bytes(stale)
    with path.open("rb") as reader, lock(entry, rendition) as partial:
        assert partial.size == 0
        assert partial.resume() == 0
        # Who still reads the old one reads nothing of the new one.
        assert reader.read() == stale


@pytest.mark.parametrize("groups", [0, 1, 3, 4])
@pytest.mark.parametrize("more", [0, 1, 416, 417, 5_000])
def test_a_partial_cut_anywhere_keeps_its_whole_groups(
    partial: Partial, content: bytes, groups: int, more: int
) -> None:
    rendition = partial.rendition
    cut = rendition.offset_of(groups * mp3.GROUP_FRAMES) + more
    partial.append(content[:cut])
    # The last whole frame may be torn inside: only a next one shows that it is not.
    kept = max(0, groups - 1) if more < 417 else groups
    assert partial.resume() == kept * mp3.GROUP_FRAMES
    assert partial.size == rendition.offset_of(kept * mp3.GROUP_FRAMES)
    assert path_of(partial).read_bytes() == content[: partial.size]


@pytest.mark.parametrize("page", [0, 4096, 40_960, 45_056, 61_440])
def test_pages_of_zeros_that_a_crash_left_are_not_kept(
    entry: Path, rendition: Rendition, content: bytes, page: int
) -> None:
    torn = bytearray(content[:90_000])
    torn[page : page + 4096] = bytes(4096)
    partial_path(entry, rendition).write_bytes(torn)
    with lock(entry, rendition) as partial:
        frames = partial.resume()
    kept = partial_path(entry, rendition).read_bytes()
    assert kept == content[: rendition.offset_of(frames)]
    assert len(kept) <= max(page, len(rendition.header))


@pytest.mark.parametrize("garbage", [b"\xff\xfb\x90\x64" * 5000, b"\xff" * 900, b"MP3"])
def test_garbage_at_the_end_is_cut_off(partial: Partial, content: bytes, garbage: bytes) -> None:
    header = len(partial.rendition.header)
    partial.append(content[: header + 2 * 20_480 + 3 * 418] + garbage)
    assert partial.resume() == 98
    assert partial.size == header + 2 * 20_480


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_partial_without_a_whole_header_begins_anew(
    partial: Partial, content: bytes, size: int
) -> None:
    partial.append(content[:size])
    assert partial.resume() == 0
    assert path_of(partial).read_bytes() == partial.rendition.header


def test_a_complete_partial_goes_back_by_a_group_to_be_checked(
    partial: Partial, content: bytes
) -> None:
    partial.append(content)
    assert partial.resume() == mp3.group_start(partial.rendition.frames - 1)


def test_filling_goes_on_where_a_partial_ends(
    partial: Partial, entry: Path, content: bytes
) -> None:
    partial.append(content[: partial.rendition.offset_of(150)])
    asked: list[int] = []
    sizes: list[int] = []

    def encode(first: int, *, on_start: OnStart) -> Generator[bytes]:
        asked.append(first)
        yield from partial.rendition.encode(first, on_start=on_start)

    fill(partial, encode, publish, sizes.append)
    assert asked == [147]
    assert sizes[0] == partial.rendition.offset_of(147)
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(content)
    assert entry.read_bytes() == content
    assert not path_of(partial).exists()


def test_only_a_complete_file_gets_the_final_name(partial: Partial, content: bytes) -> None:
    partial.append(content[:-1])
    with pytest.raises(RuntimeError, match="bytes, its rendition"):
        publish(partial)
    assert not partial.entry.exists()


def failing(error: Exception, content: bytes) -> Generator[bytes]:
    yield content[:1000]
    raise error


@pytest.mark.parametrize("error", [EncodeError("damaged"), OSError("disk")], ids=repr)
def test_a_failure_leaves_nothing(partial: Partial, content: bytes, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)[:4]):
        fill(partial, lambda first, on_start: failing(error, content), publish)
    assert files_of(partial.entry.parent) == []


def test_an_interruption_leaves_what_was_made(partial: Partial, content: bytes) -> None:
    stop = EncodeInterruptedError("stop")
    with pytest.raises(EncodeInterruptedError):
        fill(partial, lambda first, on_start: failing(stop, content), publish)
    assert path_of(partial).stat().st_size == len(partial.rendition.header) + 1000


def test_what_the_disk_has_no_room_for_is_not_begun(
    partial: Partial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)), raising=True)
    usage = type("Usage", (), {"free": partial.rendition.length - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"needs [\d,]+ bytes and the disk has .*audio-cache clear"):
        require_space([partial])
    partial.append(partial.rendition.header)
    require_space([partial])


def test_followers_read_what_is_appended_at_once(partial: Partial, content: bytes) -> None:
    partial.resume()
    with path_of(partial).open("rb") as reader:
        assert reader.read() == partial.rendition.header
        partial.append(memoryview(content)[partial.size : partial.size + 500])
        assert reader.read() == content[len(partial.rendition.header) :][:500]


def test_an_abandoned_partial_goes_when_it_is_old_enough(partial: Partial) -> None:
    path = path_of(partial)
    assert not delete_abandoned(path, 0.0), "somebody encodes it"
    partial.close()
    assert not delete_abandoned(path, 3600.0)
    os.utime(path, (0, 0))
    assert delete_abandoned(path, 3600.0)
    assert not path.exists()
    assert not delete_abandoned(path, 0.0)


def test_a_partial_deleted_under_its_encoder_is_not_published(
    partial: Partial, entry: Path, content: bytes
) -> None:
    partial.append(content)
    path_of(partial).unlink()
    with pytest.raises(FileNotFoundError):
        publish(partial)
    partial.discard()
    assert not entry.exists()


def test_closing_twice_frees_one_lock(entry: Path, rendition: Rendition) -> None:
    with closing(lock(entry, rendition)) as partial:
        partial.close()
        with lock(entry, rendition):
            partial.close()
            assert is_locked(partial_path(entry, rendition))


def test_waiting_for_a_lock_ends_when_its_holder_dies(entry: Path, rendition: Rendition) -> None:
    command = [sys.executable, "-c", HOLD, str(partial_path(entry, rendition))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        wait_until(lambda: is_locked(partial_path(entry, rendition)), "the lock")
        holder.kill()
        partial = Partial.lock(entry, rendition, wait=True)
        assert partial is not None
        partial.close()
