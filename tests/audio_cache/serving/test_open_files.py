"""Objects that are open while their parts are asked for."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio_cache.serving import open_files as kept_files
from audio_cache.serving.open_files import KEPT_S, OpenFile, OpenFiles
from audio_cache.serving.ranges import Representation
from tests.helpers.processes import open_files
from tests.helpers.progress import Clock
from tests.helpers.waiting import wait_until

CONTENT = bytes(range(256))


class Store:
    """Objects in a folder, and how often one was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened = 0

    def find(self, name: str) -> tuple[Representation, int] | None:
        try:
            fd = os.open(self.folder / name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        self.opened += 1
        return Representation(len(CONTENT), name, "audio/mpeg"), fd


class Objects:
    """Objects of a store, which are kept open."""

    def __init__(self, store: Store, files: OpenFiles) -> None:
        self.store = store
        self.files = files

    def find(self, name: str, is_shared: bool = False) -> OpenFile | None:
        return self.files.find((name, is_shared), lambda: self.store.find(name))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "song").write_bytes(CONTENT)
    return Store(tmp_path)


@pytest.fixture
def objects(store: Store, clock: Clock) -> Iterator[Objects]:
    objects = Objects(store, OpenFiles(clock))
    yield objects
    objects.files.close()


def part(objects: Objects, name: str, start: int, stop: int) -> bytes | None:
    found = objects.find(name, False)
    return None if found is None else found.read(start, stop)


def keep(objects: Objects, name: str) -> None:
    for _ in range(2):
        assert part(objects, name, 0, 9) == CONTENT[:9]


def is_open(store: Store) -> bool:
    return any(os.fspath(store.folder) in each for each in open_files())


def test_an_object_stays_open_once_two_parts_came_within_a_second(
    objects: Objects, store: Store, clock: Clock
) -> None:
    for start in range(0, 250, 10):
        assert part(objects, "song", start, start + 10) == CONTENT[start : start + 10]
    assert store.opened == 2
    clock.now += KEPT_S
    for start in range(0, 250, 10):
        assert part(objects, "song", start, start + 10) == CONTENT[start : start + 10]
    assert store.opened <= 5  # the thread that closes may come in between


def test_one_whose_parts_are_seldom_asked_for_is_never_kept(
    objects: Objects, store: Store, clock: Clock
) -> None:
    before = threading.active_count()
    for _ in range(5):
        assert part(objects, "song", 0, 9) == CONTENT[:9]
        assert not is_open(store)
        clock.now += KEPT_S
    assert store.opened == 5
    assert threading.active_count() <= before


def test_an_address_for_all_and_one_for_few_are_told_apart(objects: Objects, store: Store) -> None:
    keep(objects, "song")
    assert objects.find("song", True) is not objects.find("song", False)


def test_what_is_deleted_is_played_for_a_second(
    objects: Objects, store: Store, clock: Clock
) -> None:
    keep(objects, "song")
    (store.folder / "song").unlink()
    assert part(objects, "song", 9, 99) == CONTENT[9:99]
    clock.now += KEPT_S
    assert part(objects, "song", 0, 9) is None


def test_what_comes_to_be_stored_is_found_at_once(objects: Objects, store: Store) -> None:
    assert objects.find("new", False) is None
    (store.folder / "new").write_bytes(CONTENT)
    assert part(objects, "new", 0, 9) == CONTENT[:9]


def test_what_has_become_shorter_is_not_sent(objects: Objects, store: Store) -> None:
    found = objects.find("song", False)
    assert found is not None
    os.truncate(store.folder / "song", 100)
    assert found.read(0, 100) == CONTENT[:100]
    assert found.read(50, 101) is None


def test_where_less_is_given_than_was_asked_for_the_rest_is_read_as_well(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = objects.find("song")
    assert found is not None
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: pread(fd, min(size, 7), at))
    assert found.read(3, 99) == CONTENT[3:99]
    assert found.give(3, 99) == [CONTENT[3:99]]
    with pytest.raises(OSError, match="shorter"):
        found.give(200, 300)


def test_it_stays_open_for_whoever_reads_from_it(objects: Objects, store: Store) -> None:
    keep(objects, "song")
    found = objects.find("song", False)
    assert found is not None
    objects.files.close()
    assert found.read(0, 9) == CONTENT[:9]
    del found
    assert not is_open(store)


def test_once_nobody_asks_it_is_closed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "KEPT_S", 0.2)
    objects = Objects(store, OpenFiles())
    for _ in range(3):
        keep(objects, "song")
        wait_until(lambda: not is_open(store))


def test_no_more_than_sixteen_stay_open(objects: Objects, store: Store) -> None:
    for number in range(40):
        (store.folder / str(number)).write_bytes(CONTENT)
        keep(objects, str(number))
    assert sum(os.fspath(store.folder) in each for each in open_files()) == 16
    objects.files.close()
    assert not is_open(store)


def test_without_threads_nothing_is_kept_and_all_is_played(
    objects: Objects, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        keep(objects, "song")
        keep(objects, "song")
        assert not is_open(store)
    keep(objects, "song")
    assert is_open(store)


def test_where_descriptors_run_out_those_that_are_kept_go_first(
    objects: Objects, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.folder / "other").write_bytes(CONTENT)
    keep(objects, "song")
    find = store.find

    def find_if_there_is_room(name: str) -> tuple[Representation, int] | None:
        if is_open(store):
            raise OSError(errno.EMFILE, "Too many open files")
        return find(name)

    monkeypatch.setattr(store, "find", find_if_there_is_room)
    assert part(objects, "other", 0, 9) == CONTENT[:9]


def test_a_process_that_is_forked_has_none_of_them_open(store: Store) -> None:
    script = """
import os, sys
from audio_cache.serving.open_files import OpenFiles
from audio_cache.serving.ranges import Representation

path = os.path.realpath(sys.argv[1])
what = Representation(1, "song", "audio/mpeg")
files = OpenFiles()

def open_song():
    return what, os.open(path, os.O_RDONLY)

def is_open():
    own = "/proc/self/fd"
    return path in [os.path.realpath(f"{own}/{each}") for each in os.listdir(own)]

for _ in range(2):
    files.find("song", open_song)
assert is_open()
with files._lock:  # another thread may hold it at that moment
    child = os.fork()
    if not child:
        assert not is_open()
        for _ in range(2):
            files.find("song", open_song)
        assert is_open()
        os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert is_open()
"""
    subprocess.run([sys.executable, "-c", script, store.folder / "song"], check=True)
