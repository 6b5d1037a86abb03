from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mixtape.accounts.marks import Marks, Subject
from mixtape.database.tables import FIRST_USER, Track
from mixtape.database.units_of_work import Database
from mixtape.files.audio_file import AudioFile
from mixtape.files.opening import Identity
from mixtape.files.sandbox import SANDBOXES
from mixtape.library import scanner as scanner_module
from mixtape.library.scanner import LOCK_NAME, Scanner, ScanProgress
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.tracks import Clock, embed, make_picture, place
from tests.helpers.waiting import LIMIT_S


@pytest.fixture
def scanner(database: Database, music: Path, tmp_path: Path, clock: Clock) -> Scanner:
    return Scanner(database, music, tmp_path / "data" / LOCK_NAME, clock)


def scan(scanner: Scanner, **options: Any) -> ScanProgress:
    assert scanner.start(**options)
    progress = scanner.wait(LIMIT_S)
    assert not progress.running
    return progress


def tracks(database: Database) -> dict[bytes, Track]:
    with database.read() as session:
        return {track.path: track for track in session.scalars(select(Track))}


def test_a_first_scan_adds_every_file_with_its_tags(
    scanner: Scanner, database: Database, music: Path, flac: Path, mp3: Path, clock: Clock
) -> None:
    place(flac, music / "a" / "1.flac", title="One", artist="The Band", album="First")
    place(mp3, music / "b.mp3", title="Two")
    assert scan(scanner) == ScanProgress(seen=2, added=2, total_estimate=2)
    found = tracks(database)
    one = found[b"a/1.flac"]
    assert (one.folder, one.title, one.artist, one.album) == (b"a", "One", "The Band", "First")
    assert (one.album_artist, one.album_artist_key, one.album_key) == ("The Band", "band", "first")
    assert (one.lossless, one.duration_s, one.codec) == (True, 3.0, "flac")
    assert (one.added_at, one.missing_since) == (clock.now, None)
    assert one.size_bytes == (music / "a" / "1.flac").stat().st_size
    assert (found[b"b.mp3"].title, found[b"b.mp3"].lossless) == ("Two", False)


def test_a_scan_with_nothing_changed_opens_no_file(
    scanner: Scanner, music: Path, flac: Path, opened: list[str]
) -> None:
    place(flac, music / "a.flac")
    scan(scanner)
    opened.clear()
    assert scan(scanner) == ScanProgress(seen=1, total_estimate=1)
    assert opened == []


def test_only_what_changed_in_size_or_date_is_opened(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str]
) -> None:
    place(flac, music / "old.flac", 1_000, title="Old")
    place(flac, music / "same.flac", 1_000, title="Same")
    scan(scanner)
    opened.clear()
    place(flac, music / "old.flac", 999, title="New")
    assert scan(scanner) == ScanProgress(seen=2, updated=1, total_estimate=2)
    assert opened == ["old.flac"]
    assert tracks(database)[b"old.flac"].title == "New"


def test_rereading_opens_every_file_and_keeps_ids(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str]
) -> None:
    place(flac, music / "a.flac")
    scan(scanner)
    before = tracks(database)[b"a.flac"]
    opened.clear()
    assert scan(scanner, reread=True).updated == 1
    assert opened == ["a.flac"]
    after = tracks(database)[b"a.flac"]
    assert (after.id, after.added_at) == (before.id, before.added_at)


def test_a_removed_file_is_marked_and_comes_back_unopened(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str], clock: Clock
) -> None:
    path = place(flac, music / "a" / "b.flac")
    scan(scanner)
    path.rename(path.with_suffix(".away"))
    assert scan(scanner).removed == 1
    assert tracks(database)[b"a/b.flac"].missing_since == clock.now
    assert scan(scanner).removed == 0
    opened.clear()
    path.with_suffix(".away").rename(path)
    assert scan(scanner) == ScanProgress(seen=1, total_estimate=1)
    assert tracks(database)[b"a/b.flac"].missing_since is None
    assert opened == []


def test_a_removed_folder_takes_its_tracks_along(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "a" / "b" / "c.flac")
    place(flac, music / "a.flac")
    scan(scanner)
    (music / "a" / "b" / "c.flac").unlink()
    (music / "a" / "b").rmdir()
    (music / "a").rmdir()
    assert scan(scanner).removed == 1
    missing = {path for path, track in tracks(database).items() if track.missing_since}
    assert missing == {b"a/b/c.flac"}


def test_a_folder_that_cannot_be_listed_keeps_its_tracks(
    scanner: Scanner, database: Database, music: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(flac, music / "a" / "b" / "c.flac")
    scan(scanner)
    real = os.scandir

    def refuse(path: bytes) -> Any:
        if path.endswith(b"/a"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert scan(scanner) == ScanProgress()
    assert tracks(database)[b"a/b/c.flac"].missing_since is None


def test_a_music_folder_that_is_away_is_an_error_and_nothing_is_marked(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac")
    scan(scanner)
    music.rename(music.with_name("unmounted"))
    progress = scan(scanner)
    assert progress.error is not None
    assert "No such file" in str(progress.error)
    assert tracks(database)[b"a.flac"].missing_since is None


def test_a_damaged_file_is_listed_by_name_and_stops_nothing(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str]
) -> None:
    (music / "broken.flac").write_bytes(b"fLaC" + b"\xff" * 100)
    (music / "empty.mp3").write_bytes(b"")
    place(flac, music / "good.flac", title="Good")
    assert scan(scanner) == ScanProgress(seen=3, added=3, failed=2, total_estimate=3)
    broken = tracks(database)[b"broken.flac"]
    assert (broken.title, broken.duration_s, broken.lossless) == ("broken", None, False)
    assert broken.problem
    opened.clear()
    scan(scanner)
    assert opened == []


def test_a_file_that_is_mended_loses_its_problem(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    (music / "a.flac").write_bytes(b"broken")
    scan(scanner)
    place(flac, music / "a.flac")
    assert scan(scanner).updated == 1
    track = tracks(database)[b"a.flac"]
    assert (track.problem, track.duration_s) == (None, 3.0)


def test_a_name_that_is_not_text_is_shown_as_far_as_it_is(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / os.fsdecode(b"caf\xe9.flac"))
    scan(scanner)
    track = tracks(database)[b"caf\xe9.flac"]
    assert track.title == "caf\ufffd"
    assert track.file_name == "caf\ufffd.flac"


def test_a_file_that_was_renamed_keeps_its_id_its_place_in_a_mixtape_and_its_star(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    path = place(flac, music / "inbox" / "a.flac", title="Song", artist="Singer")
    scan(scanner)
    track_id = tracks(database)[b"inbox/a.flac"].id
    mixtapes = Mixtapes(database)
    slug = mixtapes.create(MixtapeState("Tape", track_ids=(track_id,))).slug
    marks = Marks(database)
    marks.star(FIRST_USER, [Subject.track(b"inbox/a.flac")])
    (music / "Singer").mkdir()
    path.rename(music / "Singer" / "01 Song.flac")
    progress = scan(scanner)
    assert (progress.added, progress.updated, progress.removed) == (0, 1, 0)
    assert {path: t.id for path, t in tracks(database).items()} == {
        b"Singer/01 Song.flac": track_id
    }
    (item,) = mixtapes.get(slug).items
    assert (item.path, item.is_missing) == (b"Singer/01 Song.flac", False)
    assert marks.starred_ids(FIRST_USER) == [track_id]


def test_a_file_that_was_copied_is_a_second_track(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac", 1_000, title="Song")
    scan(scanner)
    place(flac, music / "b.flac", 1_000, title="Song")
    assert scan(scanner).added == 1
    assert len({track.id for track in tracks(database).values()}) == 2


def test_another_file_in_the_place_of_a_missing_one_is_not_taken_for_it(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "a.flac", 1_000, title="Song A")
    scan(scanner)
    (music / "a.flac").unlink()
    place(flac, music / "b.flac", 1_000, title="Song B")
    progress = scan(scanner)
    assert (progress.added, progress.removed) == (1, 1)


def test_tracks_long_missing_are_forgotten_unless_a_mixtape_holds_them(
    scanner: Scanner, database: Database, music: Path, flac: Path, clock: Clock
) -> None:
    # An empty folder would be taken for one whose disk is away.
    (music / "notes.txt").touch()
    for name in ("held", "free"):
        place(flac, music / f"{name}.flac", title=name)
    scan(scanner)
    held = tracks(database)[b"held.flac"].id
    Mixtapes(database).create(MixtapeState("Tape", track_ids=(held,)))
    for name in ("held", "free"):
        (music / f"{name}.flac").unlink()
    scan(scanner)
    clock.advance(days=29)
    scan(scanner)
    assert len(tracks(database)) == 2
    clock.advance(days=2)
    scan(scanner)
    assert set(tracks(database)) == {b"held.flac"}


def test_covers_follow_the_picture_inside_and_then_the_folders(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str]
) -> None:
    with_picture = place(flac, music / "a" / "1.flac", title="1")
    embed(with_picture, (3, make_picture()))
    place(flac, music / "a" / "2.flac", title="2")
    scan(scanner)
    one, two = (tracks(database)[b"a/%d.flac" % number] for number in (1, 2))
    assert one.cover_key
    assert two.cover_key is None
    opened.clear()
    (music / "a" / "cover.jpg").write_bytes(make_picture(colour="red"))
    scan(scanner)
    two = tracks(database)[b"a/2.flac"]
    assert two.cover_key
    assert tracks(database)[b"a/1.flac"].cover_key == one.cover_key != two.cover_key
    (music / "a" / "cover.jpg").write_bytes(make_picture(colour="blue"))
    os.utime(music / "a" / "cover.jpg", (1, 1))
    scan(scanner)
    assert tracks(database)[b"a/2.flac"].cover_key not in {None, two.cover_key}
    (music / "a" / "cover.jpg").unlink()
    scan(scanner)
    assert tracks(database)[b"a/2.flac"].cover_key is None
    assert opened == []


class Gate:
    """Holds a scan at the first file that it opens."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def wait(self) -> None:
        """Wait until a scan stands here."""
        assert self._reached.wait(LIMIT_S)

    def open(self) -> None:
        """Let it and all others pass."""
        self._open.set()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._open.wait(LIMIT_S)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    read = scanner_module.read_audio_file

    def held(path: Path, known: Identity) -> AudioFile:
        gate.pass_through()
        return read(path, known)

    monkeypatch.setattr(scanner_module, "read_audio_file", held)
    yield gate
    gate.open()


def test_one_scan_runs_at_a_time_and_its_progress_can_be_read(
    scanner: Scanner, music: Path, flac: Path, gate: Gate
) -> None:
    place(flac, music / "a.flac")
    started: list[bool] = []
    starters = [threading.Thread(target=lambda: started.append(scanner.start())) for _ in range(10)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(LIMIT_S)
    assert sorted(started) == [False] * 9 + [True]
    assert scanner.progress.running
    gate.open()
    assert scanner.wait(LIMIT_S) == ScanProgress(seen=1, added=1, total_estimate=1)


def test_a_cancelled_scan_keeps_what_it_read_and_the_next_goes_on(
    scanner: Scanner, database: Database, music: Path, flac: Path, gate: Gate
) -> None:
    for number in range(3):
        place(flac, music / f"{number}.flac", title=str(number))
    scanner.start()
    gate.wait()
    scanner.cancel()
    gate.open()
    progress = scanner.wait(LIMIT_S)
    assert (progress.running, progress.error) == (False, None)
    assert progress.added == len(tracks(database)) == 1
    scan(scanner)
    assert len(tracks(database)) == 3


def test_another_scanner_with_the_same_lock_file_has_to_wait(
    scanner: Scanner, database: Database, music: Path, tmp_path: Path, flac: Path, gate: Gate
) -> None:
    place(flac, music / "a.flac")
    other = Scanner(database, music, tmp_path / "data" / LOCK_NAME)
    scanner.start()
    gate.wait()
    assert str(scan(other).error) == "another process is scanning already"
    gate.open()
    assert scanner.wait(LIMIT_S).error is None
    assert scan(other).error is None


def test_a_fault_of_ours_ends_the_scan_with_words_and_the_next_can_run(
    scanner: Scanner, music: Path, flac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(flac, music / "a.flac")

    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    with monkeypatch.context() as patch:
        patch.setattr(scanner_module, "compare_folder", fail)
        patch.setattr(scanner_module, "walk", fail)
        assert str(scan(scanner).error) == "unexpected ZeroDivisionError: oops"
    assert scan(scanner).added == 1


def test_a_file_that_could_not_be_read_for_the_moment_is_read_by_the_next_scan(
    scanner: Scanner,
    database: Database,
    music: Path,
    mp3: Path,
    flac: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place(mp3, music / "a.mp3", title="A")
    embed(place(flac, music / "b.flac", title="B"), (3, make_picture()))

    def refuse(*_: object) -> Any:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(SANDBOXES, "ask", refuse)
        assert scan(scanner).failed == 2
    assert {track.problem for track in tracks(database).values()} == {
        "Resource temporarily unavailable"
    }
    assert scan(scanner).failed == 0
    found = tracks(database)
    assert [found[path].problem for path in (b"a.mp3", b"b.flac")] == [None, None]
    assert (found[b"a.mp3"].title, found[b"b.flac"].picture_key is not None) == ("A", True)
    assert scan(scanner).updated == 0
