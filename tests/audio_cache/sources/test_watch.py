"""The watch over a folder of sources: everything that happens there is told, and soon."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from audio_cache.sources import watch as watch_module
from audio_cache.sources.watch import News, SourceWatch, find_file_system
from tests.helpers.waiting import wait_until


class Ear:
    """Whoever is told the news."""

    def __init__(self) -> None:
        self.news: list[News] = []

    def __call__(self, news: News) -> None:
        self.news.append(news)

    @property
    def paths(self) -> set[str]:
        return {path for news in self.news if news is not None for path in news}

    def has_heard(self, *paths: Path) -> Callable[[], bool]:
        return lambda: {os.fspath(path) for path in paths} <= self.paths

    def times_of_anything(self) -> int:
        return self.news.count(None)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def root(tmp_path: Path, flac: Path) -> Path:
    folder = tmp_path / "music" / "Album"
    folder.mkdir(parents=True)
    shutil.copy(flac, folder / "one.flac")
    return folder.parent


@pytest.fixture
def watch(root: Path, ear: Ear) -> Iterator[SourceWatch]:
    """Return a watch that has begun to listen."""
    watch = SourceWatch(root, ear)
    watch.start()
    wait_until(lambda: ear.news == [None])
    yield watch
    watch.close()


def test_what_is_added_changed_moved_or_deleted_is_told(
    watch: SourceWatch, root: Path, ear: Ear, flac: Path
) -> None:
    one, added = root / "Album" / "one.flac", root / "added.flac"
    shutil.copy(flac, added)
    wait_until(ear.has_heard(added))
    ear.news.clear()
    with one.open("ab") as file:
        file.write(b"more")
    wait_until(ear.has_heard(one))
    ear.news.clear()
    moved = root / "Album" / "moved.flac"
    one.rename(moved)
    wait_until(ear.has_heard(one, moved))
    ear.news.clear()
    moved.unlink()
    wait_until(ear.has_heard(moved))
    assert ear.times_of_anything() == 0


def test_a_folder_that_is_made_later_is_watched_too(
    watch: SourceWatch, root: Path, ear: Ear, flac: Path
) -> None:
    later = root / "Later" / "CD 1"
    later.mkdir(parents=True)
    wait_until(ear.has_heard(root / "Later"))
    track = later / "two.flac"

    def is_told() -> bool:
        shutil.copy(flac, track)
        return str(track) in ear.paths

    wait_until(is_told)


def test_hidden_names_are_not_told(watch: SourceWatch, root: Path, ear: Ear) -> None:
    (root / ".one.flac.Xy12").write_bytes(b"half a copy")
    (root / ".trash").mkdir()
    (root / ".trash" / "two.flac").write_bytes(b"gone")
    (root / "last.flac").touch()
    wait_until(ear.has_heard(root / "last.flac"))
    assert ear.paths == {str(root / "last.flac")}


def test_a_name_that_is_no_text_makes_anything_possible(
    watch: SourceWatch, root: Path, ear: Ear
) -> None:
    odd = os.path.join(os.fsencode(root), b"\xff.flac")
    with open(odd, "wb"):
        pass
    wait_until(lambda: ear.times_of_anything() >= 2)
    (root / "after.flac").touch()
    wait_until(ear.has_heard(root / "after.flac"))


def test_an_error_of_who_is_told_does_not_end_the_watch(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[News] = []

    def fail(news: News) -> None:
        heard.append(news)
        raise RuntimeError("cannot listen")

    watch = SourceWatch(root, fail)
    watch.start()
    wait_until(lambda: heard == [None])
    (root / "two.flac").touch()
    wait_until(lambda: len(heard) > 1)
    watch.close()
    assert "could not be told" in caplog.text


def test_nothing_is_told_after_the_end(root: Path, ear: Ear) -> None:
    watch = SourceWatch(root, ear)
    watch.start()
    wait_until(lambda: ear.news == [None])
    watch.close()
    assert watch.is_over
    assert not any(each.name == "source watch" for each in threading.enumerate())
    SourceWatch(root, ear).close()  # one that never began


def test_a_number_looks_again_and_again(root: Path, ear: Ear) -> None:
    watch = SourceWatch(root, ear, 0.01)
    watch.start()
    wait_until(lambda: ear.times_of_anything() > 3)
    watch.close()
    assert ear.paths == set()


def test_where_the_system_cannot_watch_it_is_rescanned_and_says_why(
    root: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[None]:
        raise OSError(28, "OS file watch limit reached")
        yield

    monkeypatch.setattr(watchfiles, "watch", refuse)
    monkeypatch.setattr(watch_module, "_SLOW_S", 0.01)
    watch = SourceWatch(root, ear)
    watch.start()
    wait_until(lambda: ear.times_of_anything() > 3)
    watch.close()
    assert "fs.inotify.max_user_watches" in caplog.text


def test_a_network_is_rescanned(
    root: Path,
    ear: Ear,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / {os.path.realpath(root)} rw - nfs4 server:/music rw\n")
    monkeypatch.setattr(watch_module, "_MOUNTS", str(mounts))
    monkeypatch.setattr(watch_module, "_SLOW_S", 0.01)
    caplog.set_level(logging.INFO)
    watch = SourceWatch(root, ear)
    watch.start()
    wait_until(lambda: ear.times_of_anything() > 3)
    watch.close()
    assert "is on a network" in caplog.text


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
40 22 0:50 / /srv/my\040music rw shared:9 master:2 - nfs4 nas:/music rw,vers=4.2
41 40 0:51 / /srv/my\040music/local rw - fuseblk /dev/sdb1 rw
42 22 0:52 / /mnt rw - ext4 /dev/sdc1 rw
43 22 0:53 / /mnt rw - fuse.sshfs host:/ rw
a line that says nothing
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_far"),
    [
        ("/home/a", "ext4", False),
        ("/srv/my music/Album", "nfs4", True),
        ("/srv/my music", "nfs4", True),
        ("/srv/my music 2", "ext4", False),
        ("/srv/my music/local/a", "fuseblk", False),
        ("/mnt/x", "fuse.sshfs", True),
        ("/procession", "ext4", False),
    ],
)
def test_the_file_system_of_a_path_is_the_last_that_is_mounted_above_it(
    path: str, kind: str, is_far: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_file_system(path, MOUNTS) == kind
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(watch_module, "_MOUNTS", str(mounts))
    assert watch_module.is_remote(path) is is_far


def test_where_nothing_tells_of_mounts_nothing_is_far(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_file_system("/home", "") == ""
    monkeypatch.setattr(watch_module, "_MOUNTS", str(tmp_path / "none"))
    assert not watch_module.is_remote("/home")
