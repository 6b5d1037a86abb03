"""The library and the cache hear the same news of the music folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from audio_cache import AudioCache
from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.files.walk import FoundFolder
from mixtape.library.library_watch import LibraryWatch
from mixtape.library.scanner import Scanner
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.tracks import make_picture, place
from tests.helpers.waiting import LIMIT_S, wait_until


@pytest.fixture
def database_url() -> None:
    """One database will do: the other one makes no difference to files."""


@pytest.fixture
def ffmpeg(tmp_path: Path) -> StubFFmpeg:
    return StubFFmpeg(tmp_path / "stub")


@pytest.fixture
def cache(tmp_path: Path, ffmpeg: StubFFmpeg) -> AudioCache:
    return AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)


@pytest.fixture
def watch(scanner: Scanner, cache: AudioCache, music: Path) -> Iterator[LibraryWatch]:
    """Return a watch that has not begun."""
    watch = LibraryWatch(scanner, cache, music, "auto")
    yield watch
    watch.close()


def paths(database: Database) -> dict[bytes, int]:
    """Return the ids of the tracks that are there."""
    with database.read() as session:
        found = session.scalars(select(Track).where(Track.missing_since.is_(None)))
        return {track.path: track.id for track in found}


def begin(watch: LibraryWatch, scanner: Scanner) -> None:
    """Return when the watch listens and its first scan is over."""
    watch.start()
    wait_until(lambda: scanner.version[0].total_estimate or scanner.progress.seen)
    scanner.wait(LIMIT_S)


def test_it_begins_with_a_scan_and_hears_what_comes_after(
    watch: LibraryWatch, scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "Album" / "1.flac", title="One")
    begin(watch, scanner)
    assert set(paths(database)) == {b"Album/1.flac"}
    place(flac, music / "Album" / "2.flac", title="Two")
    wait_until(lambda: b"Album/2.flac" in paths(database))
    (music / "Album" / "1.flac").unlink()
    wait_until(lambda: set(paths(database)) == {b"Album/2.flac"})


def test_a_cover_that_comes_to_an_album_comes_to_its_discs(
    watch: LibraryWatch, scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "Album" / "CD1" / "1.flac", title="One")
    begin(watch, scanner)

    def cover_keys() -> list[str | None]:
        with database.read() as session:
            return list(session.scalars(select(Track.cover_key)))

    assert cover_keys() == [None]
    (music / "Album" / "cover.jpg").write_bytes(make_picture())
    wait_until(lambda: cover_keys()[0] is not None)


def test_a_track_that_is_moved_stays_the_same_and_nothing_is_encoded(
    watch: LibraryWatch,
    scanner: Scanner,
    cache: AudioCache,
    database: Database,
    music: Path,
    flac: Path,
    ffmpeg: StubFFmpeg,
) -> None:
    place(flac, music / "Album" / "1.flac", title="One")
    entry = cache.transcode_file(music / "Album" / "1.flac", "low")
    begin(watch, scanner)
    (track_id,) = paths(database).values()
    before = len(ffmpeg.starts())
    (music / "Other").mkdir()
    moved = music / "Other" / "renamed.flac"
    (music / "Album" / "1.flac").rename(moved)
    wait_until(lambda: paths(database) == {b"Other/renamed.flac": track_id})
    assert cache.is_cached(moved, "low")
    assert cache.get_cache_path(moved, "low").samefile(entry)
    assert len(ffmpeg.starts()) == before


def test_a_folder_that_is_moved_in_renamed_or_deleted_is_scanned_whole(
    watch: LibraryWatch,
    scanner: Scanner,
    database: Database,
    music: Path,
    tmp_path: Path,
    flac: Path,
) -> None:
    place(flac, music / "first.flac")
    begin(watch, scanner)
    album = tmp_path / "elsewhere" / "Album"
    place(flac, album / "CD 1" / "1.flac", title="One")
    album.rename(music / "Album")
    wait_until(lambda: b"Album/CD 1/1.flac" in paths(database))
    track_id = paths(database)[b"Album/CD 1/1.flac"]
    (music / "Album").rename(music / "Renamed")
    wait_until(lambda: paths(database).get(b"Renamed/CD 1/1.flac") == track_id)
    shutil.rmtree(music / "Renamed")
    wait_until(lambda: set(paths(database)) == {b"first.flac"})


def test_news_during_a_scan_are_followed_by_another(
    scanner: Scanner,
    cache: AudioCache,
    database: Database,
    music: Path,
    flac: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A scan that has passed a folder before something changed in it does not see that."""
    begun: list[bool] = []
    start = Scanner.start
    answers = iter([False, False])

    def started(self: Scanner) -> bool:
        begun.append(next(answers, True) and start(self))
        return begun[-1]

    monkeypatch.setattr(Scanner, "start", started)
    place(flac, music / "1.flac")
    LibraryWatch(scanner, cache, music, "off").hear(None)
    assert begun == [False, False, True]
    scanner.wait(LIMIT_S)
    assert set(paths(database)) == {b"1.flac"}


def test_the_cache_forgets_what_it_knew_of_what_changed(
    scanner: Scanner, cache: AudioCache, music: Path, flac: Path
) -> None:
    watch = LibraryWatch(scanner, cache, music, "off")
    tracks = [music / name for name in ("a/1.flac", "a/2.flac", "b/3.flac")]
    for number, track in enumerate(tracks):
        place(flac, track, title=str(number))
        cache.transcode_file(track, "low")
    known = cache._lookups._known
    assert {path for path, _ in known} == set(map(str, tracks))
    watch.hear(frozenset({str(tracks[0])}))
    assert {path for path, _ in known} == set(map(str, tracks[1:]))
    watch.hear(frozenset({str(music / "a")}))
    assert {path for path, _ in known} == {str(tracks[2])}
    assert all(cache.is_cached(track, "low") for track in tracks)


def test_files_that_are_no_music_are_no_news(
    scanner: Scanner, cache: AudioCache, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[bytes | None] = []

    def scan_folder(self: Scanner, path: bytes) -> tuple[FoundFolder, bool]:
        scanned.append(path)
        return FoundFolder(path), True

    monkeypatch.setattr(Scanner, "start", lambda self: scanned.append(None) or True)
    monkeypatch.setattr(Scanner, "scan_folder", scan_folder)
    watch = LibraryWatch(scanner, cache, music, "off")
    (music / "notes.txt").write_text("no music")
    watch.hear(frozenset({str(music / "notes.txt")}))
    assert scanned == []
    (music / "cover.jpg").write_bytes(b"a picture")
    watch.hear(frozenset({str(music / "cover.jpg"), str(music / "a" / "1.flac")}))
    assert scanned == [b"", b"a"]


def test_one_that_is_off_scans_once(
    scanner: Scanner, cache: AudioCache, database: Database, music: Path, flac: Path
) -> None:
    watch = LibraryWatch(scanner, cache, music, "off")
    place(flac, music / "1.flac")
    watch.start()
    scanner.wait(LIMIT_S)
    assert set(paths(database)) == {b"1.flac"}
    watch.close()


def test_names_that_are_no_text_are_found(
    watch: LibraryWatch, scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "1.flac")
    begin(watch, scanner)
    odd = os.fsdecode(os.fsencode(music) + b"/\xff.flac")
    shutil.copy(flac, odd)
    wait_until(lambda: b"\xff.flac" in paths(database))
