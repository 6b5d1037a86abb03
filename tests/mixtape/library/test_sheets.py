"""Albums of one file: in the library, and in mixtapes, as the tracks of their CUE sheets."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from audio_cache import AudioCache, MusicRoots
from mixtape.database.units_of_work import Database
from mixtape.files.walk import get_folder
from mixtape.library.catalogue import Catalogue
from mixtape.library.covers import Artwork
from mixtape.library.folders import Folders
from mixtape.library.library_watch import LibraryWatch
from mixtape.library.scanner import Scanner
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.sheets import RATE, SAMPLES, STARTS, sheet_text, write_sheet
from tests.helpers.tracks import embed, make_picture, place, present, scan
from tests.helpers.waiting import wait_until

SHEET = b"Album/album.cue"
PATHS = [SHEET + b"/%02d.flac" % number for number in (1, 2, 3)]


@pytest.fixture
def album(music: Path, image: Path) -> Path:
    """Return the folder of an album of one file, with its sheet."""
    folder = music / "Album"
    write_sheet(folder / "album.cue", "album.flac")
    shutil.copy2(image, folder / "album.flac")
    return folder


def test_an_album_of_one_file_is_listed_as_its_tracks(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    found = present(database)
    assert list(found) == PATHS
    two = found[PATHS[1]]
    assert (two.title, two.artist, two.album, two.genre) == ("Song 2", "The Band", "First", "Rock")
    assert (two.track_no, two.year, two.album_artist) == (2, 1999, "The Band")
    assert (two.folder, two.lossless, two.codec, two.is_sheet_track) == (
        b"Album",
        True,
        "flac",
        True,
    )
    assert two.duration_s == (STARTS[2] - STARTS[1]) / 75
    assert sum(track.duration_s or 0 for track in found.values()) == pytest.approx(SAMPLES / RATE)
    assert sum(track.size_bytes for track in found.values()) == pytest.approx(
        (album / "album.flac").stat().st_size, abs=3
    )


def test_a_scan_with_nothing_changed_reads_no_track_again(
    scanner: Scanner, album: Path, opened: list[str]
) -> None:
    scan(scanner)
    assert sorted(opened) == ["01.flac", "02.flac", "03.flac"]
    opened.clear()
    scan(scanner)
    assert opened == []
    assert scanner.progress.seen == 3


def test_a_changed_sheet_gives_the_same_tracks_other_lengths(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    ids = {path: track.id for path, track in present(database).items()}
    write_sheet(album / "album.cue", "album.flac", (0, 300))
    # As old as a backup may be.
    os.utime(album / "album.cue", (10**9, 10**9))
    scan(scanner)
    found = present(database)
    assert {path: track.id for path, track in found.items()} == {
        each: ids[each] for each in PATHS[:2]
    }
    assert found[PATHS[0]].duration_s == 4.0


def test_a_file_that_a_mixtape_holds_as_a_whole_stays_until_it_does_not(
    scanner: Scanner, database: Database, album: Path
) -> None:
    text = (album / "album.cue").read_text()
    (album / "album.cue").unlink()
    scan(scanner)
    (whole,) = present(database).values()
    saved = Mixtapes(database).create(MixtapeState("Tape", track_ids=(whole.id,)))
    (album / "album.cue").write_text(text)
    for _ in range(2):
        scan(scanner)
        assert list(present(database)) == [*PATHS, b"Album/album.flac"]
    assert not Mixtapes(database).get(saved.slug).items[0].is_missing
    Mixtapes(database).delete(saved.slug)
    scan(scanner)
    assert list(present(database)) == PATHS


def test_a_page_shows_the_tracks_in_the_order_of_the_sheet(
    scanner: Scanner, database: Database, album: Path
) -> None:
    page = Folders(scanner, Catalogue(database)).get_page(b"Album")
    assert [track.title for track in page.tracks] == ["Song 1", "Song 2", "Song 3"]
    assert page.folders == ()
    assert page.is_complete


def test_without_its_sheet_the_file_is_a_track_again(
    scanner: Scanner, database: Database, album: Path
) -> None:
    scan(scanner)
    (album / "album.cue").unlink()
    scan(scanner)
    found = present(database)
    assert list(found) == [b"Album/album.flac"]
    assert found[b"Album/album.flac"].title == "All of it"


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (sheet_text("album.flac", (0, 75 * 60)), "track 2 begins at 60.0 s, and 'album.flac' ends"),
        (sheet_text("album.flac").replace("00:05:17", "soon"), "line 10: INDEX needs a place"),
        ("\0\1\2", "names no track"),
    ],
)
def test_of_a_sheet_that_is_wrong_the_file_is_listed_and_the_reason(
    scanner: Scanner, database: Database, album: Path, sheet: str, said: str
) -> None:
    (album / "album.cue").write_text(sheet)
    scan(scanner)
    found = present(database)
    assert list(found) == [SHEET, b"Album/album.flac"]
    assert found[b"Album/album.flac"].problem is None
    assert said in (found[SHEET].problem or "")
    assert "This CUE sheet is not used" in (found[SHEET].problem or "")
    write_sheet(album / "album.cue", "album.flac")
    scan(scanner)
    assert list(present(database)) == PATHS


def test_a_sheet_of_files_that_are_cut_already_is_not_listed(
    scanner: Scanner, database: Database, album: Path
) -> None:
    (album / "album.flac").rename(album / "01 Song 1.flac")
    scan(scanner)
    assert list(present(database)) == [b"Album/01 Song 1.flac"]


def test_a_file_that_is_a_link_to_elsewhere_is_not_cut(
    music: Path, album: Path, tmp_path: Path
) -> None:
    (album / "album.flac").rename(tmp_path / "album.flac")
    (album / "album.flac").symlink_to(tmp_path / "album.flac")
    assert get_folder(MusicRoots.of(music), b"Album").files == ()


def test_an_album_that_is_moved_keeps_its_places_in_mixtapes(
    scanner: Scanner, database: Database, album: Path, music: Path
) -> None:
    scan(scanner)
    ids = tuple(track.id for track in present(database).values())
    saved = Mixtapes(database).create(MixtapeState("Tape", track_ids=ids))
    album.rename(music / "Moved")
    scan(scanner)
    items = Mixtapes(database).get(saved.slug).items
    assert [item.path for item in items] == [path.replace(b"Album/", b"Moved/") for path in PATHS]
    assert not any(item.is_missing for item in items)


def test_a_copy_of_an_album_takes_nothing_from_the_first(
    scanner: Scanner, database: Database, album: Path, music: Path
) -> None:
    scan(scanner)
    shutil.copytree(album, music / "Copy")
    scanner.scan_folder(b"Copy")
    copies = [path.replace(b"Album/", b"Copy/") for path in PATHS]
    assert list(present(database)) == [*PATHS, *copies]


def test_the_cover_is_that_of_the_file(
    scanner: Scanner, database: Database, album: Path, music: Path, tmp_path: Path
) -> None:
    scan(scanner)
    keys = {track.cover_key for track in present(database).values()}
    assert len(keys) == 1
    artwork = Artwork(database, music, tmp_path / "data")
    assert artwork.get_cover(keys.pop() or "", 96).stat().st_size
    assert artwork.find_folder_cover(b"Album", 96) is not None


def test_the_cover_of_the_folder_stands_in(
    scanner: Scanner, database: Database, album: Path, music: Path, tmp_path: Path
) -> None:
    embed(album / "album.flac")
    (album / "cover.jpg").write_bytes(make_picture())
    scan(scanner)
    (key,) = {track.cover_key for track in present(database).values()}
    assert Artwork(database, music, tmp_path / "data").get_cover(key or "", 96).stat().st_size


def test_a_folder_of_the_name_of_a_sheet_is_a_folder(
    scanner: Scanner, database: Database, music: Path, image: Path, opened: list[str]
) -> None:
    place(image, music / "odd.cue" / "01.flac", title="One")
    scan(scanner)
    (track,) = present(database).values()
    assert (track.folder, track.is_sheet_track) == (b"odd.cue", False)
    opened.clear()
    scan(scanner)
    assert opened == []


def test_a_sheet_that_comes_is_heard(
    scanner: Scanner, database: Database, album: Path, music: Path, tmp_path: Path
) -> None:
    text = (album / "album.cue").read_text()
    (album / "album.cue").unlink()
    watch = LibraryWatch(scanner, AudioCache(tmp_path / "cache"), music, "auto")
    try:
        watch.start()
        wait_until(lambda: list(present(database)) == [b"Album/album.flac"])
        (album / "album.cue").write_text(text)
        wait_until(lambda: list(present(database)) == PATHS)
        write_sheet(album / "album.cue", "album.flac", (0, 300))
        wait_until(lambda: list(present(database)) == PATHS[:2])
    finally:
        watch.close()
