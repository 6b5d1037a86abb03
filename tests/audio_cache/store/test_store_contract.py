"""What every store of objects has to keep, the directory as well as the one in memory."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audio_cache.backends.s3_objects import S3Objects
from audio_cache.store.object_store import ObjectStore, StoredObject
from audio_cache.store.objects import LocalObjects
from conftest import find_program, give_up
from tests.helpers.memory_objects import MemoryObjects
from tests.helpers.swift import KINDS, Swift
from tests.helpers.waiting import together

A, B, C = ("aa" + 46 * "0", "aa" + 46 * "1", "bb" + 46 * "0")
CONTENT = random.Random(9).randbytes(200_000)


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    programs = [find_program(f"swift-{name}-server") for name in ("proxy", *KINDS)]
    if None in programs:
        give_up(
            "Swift is missing: apt-get install swift-proxy swift-account swift-container "
            "swift-object"
        )
    with Swift(tmp_path_factory.mktemp("swift"), Path(str(programs[0])).parent) as server:
        yield server


@pytest.fixture(params=["local", "memory", "s3", pytest.param("swift", marks=pytest.mark.slow)])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    if request.param == "swift":
        server: Swift = request.getfixturevalue("swift")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        return S3Objects(server.new_bucket())
    if request.param == "s3":
        return S3Objects(request.getfixturevalue("bucket"))
    return LocalObjects(tmp_path / "cache") if request.param == "local" else MemoryObjects()


@pytest.fixture
def put(store: ObjectStore, tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Return a function that puts bytes under an id by way of a file, whose path it returns."""
    (tmp_path / "cache").mkdir()

    def put_bytes(object_id: str, content: bytes) -> Path:
        file = tmp_path / "cache" / f"complete {random.random()}"
        file.write_bytes(content)
        store.put(file, object_id)
        return file

    return put_bytes


def read(store: ObjectStore, object_id: str, start: int = 0, stop: int = 1 << 30) -> bytes:
    return b"".join(store.open_range(object_id, start, stop))


def ids(store: ObjectStore, prefix: str = "") -> set[str]:
    return {each.id for each in store.scan(prefix)}


def test_a_store_begins_with_nothing(store: ObjectStore) -> None:
    assert not store.has(A)
    assert store.stat(A) is None
    assert ids(store) == ids(store, "aa") == ids(store, A) == set()
    assert not store.delete(A)
    with pytest.raises(FileNotFoundError):
        store.open_range(A, 0, 1)


def test_what_was_put_is_there_and_its_file_has_lost_its_name(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    file = put(A, CONTENT)
    assert not file.exists()
    assert store.has(A)
    assert not store.has(B)
    assert read(store, A) == CONTENT
    found = store.stat(A)
    assert found is not None
    assert (found.id, found.size_bytes, found.links) == (A, len(CONTENT), 1)
    assert list(store.scan()) == [found]


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (1, 1), (7, 150_000), (65_535, 65_537), (199_999, 200_000), (199_990, 300_000)],
)
def test_a_range_is_those_bytes(
    store: ObjectStore, put: Callable[[str, bytes], Path], start: int, stop: int
) -> None:
    put(A, CONTENT)
    assert read(store, A, start, stop) == CONTENT[start:stop]


def test_a_range_behind_the_end_is_empty(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    put(A, b"short")
    assert read(store, A, 5, 9) == read(store, A, 100, 200) == b""


def test_the_ids_with_a_prefix_of_any_length_are_found(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    for number, object_id in enumerate((A, B, C)):
        put(object_id, bytes(number))
    assert ids(store) == {A, B, C}
    assert ids(store, "a") == ids(store, "aa") == {A, B}
    assert ids(store, A[:40]) == {A}
    assert ids(store, C) == {C}
    assert ids(store, "ab") == ids(store, "c") == set()
    assert {each.size_bytes for each in store.scan("aa")} == {0, 1}


def test_putting_again_replaces_and_times_do_not_go_back(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    put(A, b"before")
    before = store.stat(A)
    put(A, b"and after")
    after = store.stat(A)
    assert before is not None
    assert after is not None
    assert read(store, A) == b"and after"
    assert after.mtime_ns >= before.mtime_ns
    assert ids(store) == {A}


def test_who_has_opened_an_object_reads_on_when_it_is_deleted_or_replaced(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    put(A, CONTENT)
    put(B, CONTENT)
    deleted, replaced = store.open_range(A, 0, 200_000), store.open_range(B, 0, 200_000)
    begun = next(deleted), next(replaced)
    assert store.delete(A)
    put(B, b"another")
    assert not store.has(A)
    assert begun[0] + b"".join(deleted) == begun[1] + b"".join(replaced) == CONTENT
    assert not store.delete(A)


def test_one_that_is_opened_and_left_holds_nothing_open(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    put(A, CONTENT)
    before = len(os.listdir("/proc/self/fd"))
    for stop in range(100):
        store.open_range(A, 0, stop)
        next(store.open_range(A, 0, 200_000))
    # A client of S3 keeps some connections to use them again.
    assert len(os.listdir("/proc/self/fd")) <= before + 10


def test_a_file_that_is_not_there_makes_no_object(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "nothing", A)
    assert not store.has(A)
    assert ids(store) == set()


def test_an_object_is_there_as_a_whole_or_not_at_all(
    store: ObjectStore, put: Callable[[str, bytes], Path]
) -> None:
    """Several put and delete it while others read: nobody ever sees a part of it."""
    versions = {bytes([number]) * 100_000 for number in range(3)}
    seen: set[bytes] = set()

    def write(content: bytes) -> None:
        for _ in range(30):
            put(A, content)
            store.delete(A)

    def look() -> None:
        for _ in range(300):
            try:
                seen.add(read(store, A))
            except FileNotFoundError:
                assert {each.size_bytes for each in store.scan()} <= {100_000}

    together(*(lambda each=each: write(each) for each in versions), look)
    assert seen <= versions


def test_ids_are_all_that_a_scan_shows(tmp_path: Path) -> None:
    """A crash may have left something else between the objects of a directory."""
    objects = LocalObjects(tmp_path)
    file = tmp_path / "complete"
    file.write_bytes(b"whole")
    objects.put(file, A)
    Path(f"{objects.path(A)}.123-456").write_bytes(b"half")
    Path(objects.path(B) + "~").write_bytes(b"of an editor")
    assert [each.id for each in objects.scan()] == [A]
    assert [each.id for each in objects.scan("aa")] == [A]
    assert objects.stat(A) == StoredObject(A, 5, os.stat(objects.path(A)).st_mtime_ns, 1)
