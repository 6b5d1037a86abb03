"""Albums of one file that holds its CUE sheet: in the library, and in mixtapes, as its tracks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen
import pytest

from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from mixtape.library.folders import Folders
from mixtape.library.inventory import FORGET_AFTER
from mixtape.library.scanner import Scanner
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState, SavedMixtape
from tests.helpers.sheets import RATE, SAMPLES, STARTS, sheet_text, write_sheet
from tests.helpers.tracks import Clock, present, scan

WHOLE = b"Album/album.flac"
PATHS = [WHOLE + b"/%02d.flac" % number for number in (1, 2, 3)]
BESIDE = [b"Album/album.cue/%02d.flac" % number for number in (1, 2, 3)]


@pytest.fixture
def album(music: Path, image: Path) -> Path:
    """Return an album that is one file, with its sheet as a tag."""
    path = music / "Album" / "album.flac"
    path.parent.mkdir(parents=True)
    shutil.copy2(image, path)
    tag(path, sheet_text("album.wav"))
    return path


def tag(path: Path, sheet: str | None) -> None:
    file = mutagen.File(path)
    if sheet is None:
        del file["CUESHEET"]
    else:
        file["CUESHEET"] = sheet
    file.save()


def hold(database: Database, *paths: bytes) -> SavedMixtape:
    found = present(database)
    ids = tuple(found[path].id for path in paths)
    return Mixtapes(database).create(MixtapeState("Tape", track_ids=ids))


def test_it_is_listed_as_its_tracks(scanner: Scanner, database: Database, album: Path) -> None:
    scan(scanner)
    found = present(database)
    assert list(found) == PATHS
    two = found[PATHS[1]]
    assert (two.title, two.artist, two.album, two.genre) == ("Song 2", "The Band", "First", "Rock")
    assert (two.folder, two.is_sheet_track, two.lossless, two.problem) == (
        b"Album",
        True,
        True,
        None,
    )
    assert two.duration_s == (STARTS[2] - STARTS[1]) / 75
    assert sum(track.duration_s or 0 for track in found.values()) == pytest.approx(SAMPLES / RATE)
    assert len({track.cover_key for track in found.values()} - {None}) == 1
    page = Folders(scanner, Catalogue(database)).get_page(b"Album")
    assert [track.title for track in page.tracks] == ["Song 1", "Song 2", "Song 3"]


def test_a_scan_with_nothing_changed_opens_nothing(
    scanner: Scanner, database: Database, album: Path, opened: list[str]
) -> None:
    scan(scanner)
    opened.clear()
    for _ in range(2):
        scan(scanner)
        assert scanner.scan_folder(b"Album")[1]
    assert opened == []
    assert list(present(database)) == PATHS


def test_another_sheet_gives_the_same_tracks_other_lengths(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    ids = {path: track.id for path, track in present(database).items()}
    tag(album, sheet_text("album.wav", (0, 300)))
    scan(scanner)
    found = present(database)
    assert {path: track.id for path, track in found.items()} == {
        each: ids[each] for each in PATHS[:2]
    }
    assert found[PATHS[0]].duration_s == 4.0


def test_without_its_sheet_it_is_a_track_and_with_one_it_is_cut_again(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    tag(album, None)
    for _ in range(2):
        scan(scanner)
        assert list(present(database)) == [WHOLE]
    tag(album, sheet_text("album.wav"))
    for _ in range(2):
        scan(scanner)
        assert list(present(database)) == PATHS


def test_what_a_mixtape_holds_as_a_whole_stays_until_it_does_not(
    scanner: Scanner, database: Database, album: Path
) -> None:
    tag(album, None)
    scan(scanner)
    saved = hold(database, WHOLE)
    tag(album, sheet_text("album.wav"))
    for _ in range(2):
        scan(scanner)
        assert sorted(present(database)) == [WHOLE, *PATHS]
    assert not Mixtapes(database).get(saved.slug).items[0].is_missing
    Mixtapes(database).delete(saved.slug)
    scan(scanner)
    assert list(present(database)) == PATHS


def test_a_sheet_beside_it_counts_first_and_takes_nothing_from_a_mixtape(
    scanner: Scanner, database: Database, album: Path, opened: list[str]
) -> None:
    scan(scanner)
    saved = hold(database, PATHS[1])
    write_sheet(album.parent / "album.cue", "album.flac")
    for _ in range(2):
        scan(scanner)
        assert list(present(database)) == [*BESIDE, PATHS[1]]
    assert not Mixtapes(database).get(saved.slug).items[0].is_missing
    (album.parent / "album.cue").unlink()
    scan(scanner)
    assert list(present(database)) == PATHS
    opened.clear()
    scan(scanner)
    assert opened == []


def test_all_its_tracks_come_back_when_some_were_forgotten(
    scanner: Scanner, database: Database, album: Path, clock: Clock
) -> None:
    scan(scanner)
    hold(database, PATHS[1])
    write_sheet(album.parent / "album.cue", "album.flac")
    scan(scanner)
    clock.now += 2 * FORGET_AFTER
    scan(scanner)
    (album.parent / "album.cue").unlink()
    scan(scanner)
    assert list(present(database)) == PATHS


def test_it_comes_back_as_its_tracks(
    scanner: Scanner, database: Database, album: Path, music: Path, tmp_path: Path
) -> None:
    shutil.copy2(album, music / "other.flac")
    scan(scanner)
    saved = hold(database, *PATHS)
    album.rename(tmp_path / "away.flac")
    scan(scanner)
    assert [path for path in present(database) if path in PATHS] == []
    (tmp_path / "away.flac").rename(album)
    scan(scanner)
    assert [path for path in present(database) if path.startswith(b"Album/")] == PATHS
    assert not any(item.is_missing for item in Mixtapes(database).get(saved.slug).items)


@pytest.mark.parametrize("by_page", [False, True])
def test_when_it_is_moved_it_keeps_its_places_in_mixtapes(
    scanner: Scanner, database: Database, album: Path, music: Path, by_page: bool
) -> None:
    scan(scanner)
    saved = hold(database, *PATHS)
    album.parent.rename(music / "Moved")
    if by_page:
        scanner.scan_folder(b"Moved")
    else:
        scan(scanner)
    items = Mixtapes(database).get(saved.slug).items
    assert [item.path for item in items] == [path.replace(b"Album/", b"Moved/") for path in PATHS]
    assert not any(item.is_missing for item in items)


def test_of_a_sheet_that_is_wrong_the_file_is_listed_and_the_log_says_why(
    scanner: Scanner, database: Database, album: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tag(album, sheet_text("album.wav", (0, 75 * 60)))
    scan(scanner)
    (whole,) = present(database).values()
    assert (whole.path, whole.problem) == (WHOLE, None)
    assert "is not used: it says that track 2 begins at 60.0 s" in caplog.text


def test_a_file_that_can_no_longer_be_read_is_listed_with_the_reason(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    content = album.read_bytes()
    album.write_bytes(b"no music")
    scan(scanner)
    assert [(path, bool(t.problem)) for path, t in present(database).items()] == [(WHOLE, True)]
    album.write_bytes(content)
    scan(scanner)
    assert list(present(database)) == PATHS


def test_a_link_out_of_the_library_is_not_cut(
    scanner: Scanner, database: Database, album: Path, tmp_path: Path
) -> None:
    album.rename(tmp_path / "album.flac")
    os.symlink(tmp_path / "album.flac", album)
    scan(scanner)
    assert present(database) == {}
