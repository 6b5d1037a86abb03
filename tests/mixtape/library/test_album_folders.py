from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.files.names import disc_of
from mixtape.files.tags import VARIOUS_ARTISTS, sort_key
from mixtape.library.album_folders import AlbumTrack, album_artists
from mixtape.library.catalogue import Catalogue
from mixtape.library.scanner import LOCK_NAME, Scanner
from tests.helpers.tracks import Clock, place
from tests.helpers.waiting import LIMIT_S

V = VARIOUS_ARTISTS


@pytest.fixture
def scanner(database: Database, music: Path, tmp_path: Path, clock: Clock) -> Scanner:
    return Scanner(database, music, tmp_path / "data" / LOCK_NAME, clock)


def scan(scanner: Scanner) -> None:
    assert scanner.start()
    assert scanner.wait(LIMIT_S).error is None


def albums(database: Database) -> dict[str, tuple[str, int]]:
    found = Catalogue(database).albums().items
    assert len({album.title for album in found}) == len(found)
    return {album.title: (album.artist, album.tracks) for album in found}


def filed(*tracks: tuple[str, str, str]) -> list[str]:
    """Return whose album each track of a folder is on, told by artist, album and album artist."""
    given = [
        AlbumTrack(number, b"f", sort_key(album), artist, "", tagged)
        for number, (artist, album, tagged) in enumerate(tracks)
    ]
    return list(album_artists(given).values())


@pytest.mark.parametrize(
    ("folder", "disc"),
    [
        (b"Album/CD1", 1),
        (b"Album/cd 02", 2),
        (b"Album/Disc 3 - Live", 3),
        (b"Album/disk_4", 4),
        (b"CD-10", 10),
        (b"Album/CDs", None),
        (b"Album/Discovery", None),
        (b"Album/Disc 1999", None),
        (b"Album/Volume 1", None),
        (b"CD1/Album", None),
        (b"", None),
    ],
)
def test_a_folder_tells_by_its_name_which_disc_it_holds(folder: bytes, disc: int | None) -> None:
    assert disc_of(folder) == disc


@pytest.mark.parametrize(
    ("tracks", "artists"),
    [
        ([("A", "X", ""), ("B", "X", "")], [V, V]),
        ([("A", "X", ""), ("", "X", "")], ["A", "A"]),
        ([("A", "X", ""), ("A feat. B", "X", ""), ("A (ft. C)", "X", "")], ["A"] * 3),
        ([("Ann", "X", ""), ("Ann & Ben", "X", ""), ("ANN, Cid", "X", "")], ["Ann"] * 3),
        ([("Ann", "X", ""), ("Annabel", "X", "")], [V, V]),
        # A tag on some speaks for the others; tags that disagree speak for themselves.
        ([("A", "X", V), ("B", "X", "")], [V, V]),
        ([("A", "X", "The Label"), ("B", "X", "")], ["The Label", "The Label"]),
        ([("A", "X", "A"), ("B", "X", "B"), ("C", "X", "")], ["A", "B", "C"]),
        # Music that was put into a folder as it came.
        ([("A", "Hits", ""), ("B", "Hits", ""), ("C", "Y", "")], ["A", "B", "C"]),
        # What names no album is nobody's but its artist's.
        ([("A", "X", ""), ("B", "X", ""), ("C", "", "")], [V, V, "C"]),
        ([("A", "", ""), ("B", "", "")], ["A", "B"]),
    ],
)
def test_an_album_folder_is_one_album(
    tracks: list[tuple[str, str, str]], artists: list[str]
) -> None:
    assert filed(*tracks) == artists


def test_a_folder_with_many_artists_is_one_album_and_each_of_them_appears_on_it(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    for number, artist in enumerate(("Ann", "Ben feat. Ann", "Cid")):
        place(flac, music / "Hits" / f"{number}.flac", artist=artist, album="Hits")
    place(flac, music / "Solo" / "1.flac", artist="Ann", album="Solo")
    scan(scanner)
    assert albums(database) == {"Solo": ("Ann", 1), "Hits": (V, 3)}
    catalogue = Catalogue(database)
    found = {
        artist.name: (artist.albums, artist.appears_on, artist.tracks)
        for artist in catalogue.artists().items
    }
    assert found == {"Ann": (1, 1, 2), "Ben": (0, 1, 1), "Cid": (0, 1, 1), V: (1, 0, 3)}
    assert catalogue.counts().artists == 4
    for name in ("ann", "ben", "cid"):
        assert [album.title for album in catalogue.appears_on(name).items] == ["Hits"]
    assert catalogue.appears_on("various artists").items == ()
    assert [artist.name for artist in catalogue.artists("ci").items] == ["Cid"]
    assert catalogue.artist_name("ben") == "Ben"
    assert catalogue.artist_name("nobody") is None


def test_compilations_that_their_tags_name_are_one_album_wherever_their_files_are(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    tags: list[dict[str, Any]] = [{"compilation": "1"}, {"albumartist": "various artists"}]
    for number, tag in enumerate(tags):
        folder = music / str(number)
        place(flac, folder / "1.flac", artist=f"Artist {number}", album="Tagged", **tag)
    scan(scanner)
    assert albums(database)["Tagged"][1] == 2


def test_discs_in_folders_of_their_own_are_one_album(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    for disc, artists in (("CD1", ["Ann", "Ann"]), ("CD2", ["Ben", "Cid"])):
        for number, artist in enumerate(artists):
            path = music / "Both" / disc / f"{number}.flac"
            place(flac, path, title=f"{disc} {number}", artist=artist, album="Both")
    scan(scanner)
    assert albums(database) == {"Both": (V, 4)}
    tracks = Catalogue(database).album_tracks("various artists", "both")
    assert [track.title for track in tracks] == ["CD1 0", "CD1 1", "CD2 0", "CD2 1"]
    assert [track.disc_no for track in tracks] == [1, 1, 2, 2]


def test_what_comes_later_changes_whose_album_it_is(
    scanner: Scanner, database: Database, music: Path, flac: Path
) -> None:
    place(flac, music / "X" / "1.flac", artist="Ann", album="X")
    scan(scanner)
    assert albums(database) == {"X": ("Ann", 1)}
    place(flac, music / "X" / "2.flac", artist="Ben", album="X")
    scanner.scan_folder(b"X")
    assert albums(database) == {"X": (V, 2)}


def test_what_an_earlier_mixtape_read_is_read_again_once(
    scanner: Scanner, database: Database, music: Path, flac: Path, opened: list[str]
) -> None:
    place(flac, music / "1.flac", artist="Ann", album="X", discsubtitle="Live", discnumber="2")
    scan(scanner)
    with database.write() as session:
        session.execute(update(Track).values(read_version=0, artist_key="", disc_subtitle=""))
    scan(scanner)
    with database.read() as session:
        track = session.scalars(select(Track)).one()
    assert (track.artist_key, track.disc_subtitle, track.disc_no) == ("ann", "Live", 2)
    scan(scanner)
    assert opened == ["1.flac", "1.flac"]
