"""Being told that a file grows, and when its writer is done or dead."""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audio_cache.live.file_watch import FileWatch, Notice
from tests.helpers.processes import open_files
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "name with spaces \udcff.part"
    path.write_bytes(b"start")
    return path


def test_nothing_happens(path: Path) -> None:
    with FileWatch(path) as watch:
        assert watch.wait(0.01) is Notice.NOTHING


def test_a_write_is_growth(path: Path) -> None:
    with FileWatch(path) as watch, path.open("ab", buffering=0) as file:
        file.write(b"more")
        assert watch.wait(LIMIT_S) is Notice.GREW
        file.write(b"more")
        assert watch.wait(LIMIT_S) is Notice.GREW
        assert watch.wait(0.01) is Notice.NOTHING


def test_being_cut_shorter_is_told(path: Path) -> None:
    with FileWatch(path) as watch, path.open("rb+") as file:
        os.ftruncate(file.fileno(), 0)
        assert watch.wait(LIMIT_S) is Notice.GREW


def test_the_writer_closes(path: Path) -> None:
    file = path.open("ab", buffering=0)
    with FileWatch(path) as watch:
        file.write(b"more")
        file.close()
        assert watch.wait(LIMIT_S) is Notice.RELEASED


def test_a_reader_who_closes_is_of_no_interest(path: Path) -> None:
    with FileWatch(path) as watch:
        path.read_bytes()
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
        assert watch.wait(0.01) is Notice.NOTHING


def test_the_file_gets_its_final_name(path: Path) -> None:
    with FileWatch(path) as watch:
        path.rename(path.with_suffix(".mp3"))
        assert watch.wait(LIMIT_S) is Notice.RELEASED


def test_the_file_is_deleted(path: Path) -> None:
    with FileWatch(path) as watch, path.open("rb"):
        path.unlink()
        assert watch.wait(LIMIT_S) is Notice.RELEASED


def test_a_writer_that_is_killed_is_noticed_at_once(path: Path) -> None:
    writer = "import sys; file = open(sys.argv[1], 'ab'); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", writer, os.fsencode(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with FileWatch(path) as watch:
            process.kill()
            assert watch.wait(LIMIT_S) is Notice.RELEASED


def test_a_missing_file_is_looked_for_in_short_turns(tmp_path: Path) -> None:
    with FileWatch(tmp_path / "missing") as watch:
        assert watch.wait(0.01) is Notice.NOTHING


def test_without_inotify_it_says_nothing_soon(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: object, **_: object) -> object:
        return object()

    monkeypatch.setattr(ctypes, "CDLL", load)
    with FileWatch(path) as watch:
        path.write_bytes(b"more")
        assert watch.wait(LIMIT_S) is Notice.NOTHING  # and not after LIMIT_S


def test_no_descriptor_stays_open(path: Path, tmp_path: Path) -> None:
    before = open_files()
    for watched in (path, tmp_path / "missing"):
        with FileWatch(watched) as watch:
            watch.wait(0)
        watch.close()
    assert open_files() == before
