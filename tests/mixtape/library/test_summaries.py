"""Albums and artists stay right through whatever happens to the files of a library."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete

from audio_cache import MusicRoots
from mixtape.accounts.marks import Liking, Marks
from mixtape.accounts.plays import HeardTrack, Plays
from mixtape.accounts.sealing import Sealer
from mixtape.backups.backups import Backups
from mixtape.database.account_tables import Play
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from mixtape.library.covers import Artwork
from mixtape.library.inventory import FORGET_AFTER
from mixtape.library.roots import adopt_roots
from mixtape.library.scanner import Scanner
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.summaries import check_summaries
from tests.helpers.tracks import NOON, Clock, find_track, make_picture, place
from tests.helpers.waiting import LIMIT_S


def scanned(scanner: Scanner, database: Database) -> list[tuple[str, str, int]]:
    """Return artist, title and number of tracks of each album after a scan."""
    scanner.start()
    progress = scanner.wait(LIMIT_S)
    assert not progress.running
    check_summaries(database)
    albums = Catalogue(database).albums().items
    return [(album.artist, album.title, album.tracks) for album in albums]


def test_albums_follow_files_that_come_change_go_and_return(
    database: Database, scanner: Scanner, music: Path, flac: Path, clock: Clock
) -> None:
    one, two = music / "Ann" / "1.flac", music / "Ann" / "2.flac"
    place(flac, one, 1, title="1", artist="Ann", album="First", genre="Rock", date="1990")
    place(flac, two, 2, title="2", artist="Ann", album="First", genre="Pop")
    assert scanned(scanner, database) == [("Ann", "First", 2)]
    Plays(database).count(FIRST_USER, [HeardTrack(b"Ann/1.flac", NOON)])
    check_summaries(database)
    # Another tag, on an album of its own from now on.
    place(flac, two, 3, title="2", artist="Ann feat. Ben", album="Second")
    assert scanned(scanner, database) == [("Ann", "First", 1), ("Ann", "Second", 1)]
    (music / "Ann" / "cover.jpg").write_bytes(make_picture())
    scanned(scanner, database)
    assert all(album.cover_key for album in Catalogue(database).albums().items)
    # Moved: what was heard of it goes with it.
    (music / "Moved").mkdir()
    os.rename(one, music / "Moved" / "other.flac")
    assert len(scanned(scanner, database)) == 2
    shutil.move(music / "Ann", music.parent / "away")
    assert scanned(scanner, database) == [("Ann", "First", 1)]
    shutil.move(music.parent / "away", music / "Ann")
    assert len(scanned(scanner, database)) == 2
    two.unlink()
    assert len(scanned(scanner, database)) == 1
    clock.advance(days=FORGET_AFTER.days + 1)
    assert len(scanned(scanner, database)) == 1
    assert find_track(database, b"Ann/2.flac") is None


def test_a_folder_that_is_opened_is_in_the_lists_at_once(
    database: Database, scanner: Scanner, music: Path, flac: Path
) -> None:
    place(flac, music / "New" / "1.flac", title="1", artist="Ann", album="First")
    scanner.scan_folder(b"New")
    check_summaries(database)
    assert [artist.name for artist in Catalogue(database).artists().items] == ["Ann"]


def test_albums_follow_music_folders_that_come_and_go(
    database: Database, scanner: Scanner, music: Path, flac: Path
) -> None:
    adopt_roots(database, MusicRoots(music))
    place(flac, music / "Ann" / "1.flac", title="1", artist="Ann", album="First")
    scanned(scanner, database)
    Plays(database).count(FIRST_USER, [HeardTrack(b"Ann/1.flac", NOON)])
    other = music.parent / "other"
    other.mkdir()
    for roots, count in ((MusicRoots(music, other), 1), (MusicRoots(other), 0)):
        adopt_roots(database, roots)
        check_summaries(database)
        assert len(Catalogue(database).albums().items) == count
    adopt_roots(database, MusicRoots(music))
    scanned(scanner, database)
    assert len(Catalogue(database).albums().items) == 1


def test_a_backup_that_is_restored_leaves_albums_as_they_are(
    database: Database, scanner: Scanner, music: Path, flac: Path, tmp_path: Path
) -> None:
    place(flac, music / "1.flac", title="1", artist="Ann", album="First")
    scanned(scanner, database)
    [track] = Catalogue(database).search("first").items
    mixtapes = Mixtapes(database)
    slug = mixtapes.create(MixtapeState("A tape", track_ids=(track.id,))).slug
    plays = Plays(database)
    for minute in range(2):
        plays.count(FIRST_USER, [HeardTrack(b"1.flac", NOON + timedelta(minutes=minute))])
    data = tmp_path / "data"
    backups = Backups(database, Artwork(database, music, data), data, Sealer("0123456789" * 4))
    backups.save(tmp_path / "backup.zip")
    mixtapes.delete(slug)
    with database.write() as session:
        session.execute(delete(Play))
    check_summaries(database)
    plays.count(FIRST_USER, [HeardTrack(b"1.flac", NOON)])
    # Twice: what is there already is not added again.
    for _ in range(2):
        backups.restore(tmp_path / "backup.zip", "keep")
        check_summaries(database)
    assert len(Catalogue(database).albums().items) == 1
    heard = Marks(database).of_albums(FIRST_USER, [("ann", "first")])
    said = Liking(plays=2, last_played_at=NOON + timedelta(minutes=1))
    assert heard == {("ann", "first"): said}
