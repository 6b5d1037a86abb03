from __future__ import annotations

from datetime import timedelta

import pytest

from mixtape.database.units_of_work import Database
from mixtape.errors import NotFoundError
from mixtape.library.catalogue import Catalogue, Folder, LibraryCounts
from tests.helpers.tracks import NOON, add_track


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


def test_artists_are_listed_once_with_their_counts_by_name(
    database: Database, catalogue: Catalogue
) -> None:
    add_track(database, b"1", artist="The Beatles", album="Help!")
    add_track(database, b"2", artist="Beatles", album="Help!", cover_key="c" * 32)
    add_track(database, b"3", artist="The Beatles", album="Revolver")
    add_track(database, b"4", artist="The Beatles")
    add_track(database, b"5", artist="ABBA", album="Arrival")
    abba, beatles = catalogue.artists().items
    assert (abba.name, abba.albums, abba.tracks, abba.cover_key) == ("ABBA", 1, 1, None)
    assert (beatles.albums, beatles.tracks, beatles.cover_key) == (2, 4, "c" * 32)


def test_tracks_without_an_artist_are_under_an_empty_name(
    database: Database, catalogue: Catalogue
) -> None:
    add_track(database, b"1")
    (artist,) = catalogue.artists().items
    assert (artist.key, artist.name, artist.albums) == ("", "", 0)


def test_a_compilation_is_one_album_of_its_album_artist(
    database: Database, catalogue: Catalogue
) -> None:
    for number, artist in enumerate(("A", "B", "C")):
        add_track(
            database, b"%d" % number, artist=artist, album="Hits", album_artist="Various Artists"
        )
    (album,) = catalogue.albums().items
    assert (album.title, album.artist, album.tracks) == ("Hits", "Various Artists", 3)
    names = [artist.name for artist in catalogue.artists().items]
    assert names == ["A", "B", "C", "Various Artists"]
    pages = [catalogue.artists(offset=offset, limit=2) for offset in (0, 2)]
    assert [artist.name for page in pages for artist in page.items] == names
    assert [page.has_more for page in pages] == [True, False]


def test_albums_of_the_same_name_by_two_artists_are_two(
    database: Database, catalogue: Catalogue
) -> None:
    add_track(database, b"1", artist="A", album="Greatest Hits", duration_s=10.5)
    add_track(database, b"2", artist="A", album="greatest hits", duration_s=20.0)
    add_track(database, b"3", artist="B", album="Greatest Hits")
    first, second = catalogue.albums().items
    assert (first.artist, first.tracks, first.duration_s) == ("A", 2, 30.5)
    assert (second.artist, second.tracks) == ("B", 1)
    assert catalogue.get_album(first.artist_key, first.key) == first


def test_an_artists_albums_are_listed_oldest_first(
    database: Database, catalogue: Catalogue
) -> None:
    add_track(database, b"1", artist="A", album="Undated")
    add_track(database, b"2", artist="A", album="Second", year=1990)
    add_track(database, b"3", artist="A", album="Third", year=1999)
    add_track(database, b"4", artist="A", album="First", year=1980)
    add_track(database, b"5", artist="B", album="Other", year=1970)
    titles = [album.title for album in catalogue.albums(artist_key="a").items]
    assert titles == ["First", "Second", "Third", "Undated"]


def test_albums_can_be_listed_with_what_was_added_last_first(
    database: Database, catalogue: Catalogue
) -> None:
    for days, album in enumerate(("First", "Second", "Third")):
        added_at = NOON + timedelta(days=days)
        add_track(database, album.encode(), artist="A", album=album, added_at=added_at)
    titles = [album.title for album in catalogue.albums(order="newest").items]
    assert titles == ["Third", "Second", "First"]


def test_albums_and_artists_can_be_narrowed_by_what_is_typed(
    database: Database, catalogue: Catalogue
) -> None:
    add_track(database, b"1", title="Vespertine", artist="Someone", album="Other")
    add_track(database, b"2", artist="Björk", album="Vespertine")
    add_track(database, b"3", artist="Björk", album="Post")
    assert [album.title for album in catalogue.albums("vesp").items] == ["Vespertine"]
    assert [album.title for album in catalogue.albums("bjork").items] == ["Post", "Vespertine"]
    assert [artist.name for artist in catalogue.artists("bjo").items] == ["Björk"]
    assert catalogue.artists("vesp").items == ()


def test_lists_come_in_pages(database: Database, catalogue: Catalogue) -> None:
    for number in range(5):
        add_track(database, b"%d" % number, artist=f"Artist {number}", album=f"Album {number}")
    first = catalogue.artists(limit=3)
    second = catalogue.artists(offset=3, limit=3)
    assert [first.has_more, second.has_more] == [True, False]
    names = [artist.name for artist in first.items + second.items]
    assert names == [f"Artist {number}" for number in range(5)]
    assert catalogue.albums(offset=4, limit=3).items[0].title == "Album 4"


def test_an_albums_tracks_come_by_disc_and_number(database: Database, catalogue: Catalogue) -> None:
    places = {"d": (2, 1), "b": (1, 2), "e": (None, None), "a": (None, 1), "c": (1, 3)}
    for title, (disc, number) in places.items():
        add_track(
            database,
            title.encode(),
            title=title,
            artist="A",
            album="X",
            disc_no=disc,
            track_no=number,
        )
    titles = [track.title for track in catalogue.album_tracks("a", "x")]
    assert titles == ["a", "b", "c", "e", "d"]


def test_an_unknown_album_is_not_found(catalogue: Catalogue) -> None:
    with pytest.raises(NotFoundError):
        catalogue.get_album("nobody", "nothing")
    assert catalogue.album_tracks("nobody", "nothing") == ()


def test_a_folder_shows_its_tracks_and_the_folders_below(
    database: Database, catalogue: Catalogue
) -> None:
    for path in (
        b"0",
        b"a/1",
        b"a/b/2.flac",
        b"a/b/c/3.flac",
        b"a!/4",
        b"ab/c/5",
        b"\xff/6",
    ):
        add_track(database, path)
    root = catalogue.folder()
    assert [track.path for track in root.tracks] == [b"0"]
    names = [(folder.path, folder.tracks) for folder in root.folders]
    assert names == [(b"a", 3), (b"a!", 1), (b"ab", 1), (b"\xff", 1)]
    inner = catalogue.folder(b"a")
    assert [track.path for track in inner.tracks] == [b"a/1"]
    assert inner.folders == (Folder(b"a/b", 2),)
    assert catalogue.folder(b"nowhere").folders == ()


def test_tracks_are_given_by_ids_in_the_order_asked_for(
    database: Database, catalogue: Catalogue
) -> None:
    ids = [add_track(database, b"%d" % number) for number in range(3)]
    asked = [ids[2], 12345, ids[0], ids[2]]
    assert [track.id for track in catalogue.tracks(asked)] == [ids[2], ids[0], ids[2]]
    (track,) = catalogue.tracks(ids[1:2])
    assert track.path == b"1"


@pytest.mark.parametrize("number", [-1, 0, 2**63, 10**30])
def test_numbers_of_any_size_are_no_error(
    database: Database, catalogue: Catalogue, number: int
) -> None:
    add_track(database, b"1", title="Song", artist="A", album="X", problem="broken")
    assert catalogue.tracks([number]) == ()
    far = number > 0
    for listed in (
        catalogue.search("song", offset=number),
        catalogue.artists(offset=number),
        catalogue.albums(offset=number),
        catalogue.unreadable(offset=number),
    ):
        assert len(listed.items) == (0 if far else 1)


def test_missing_tracks_are_in_no_list(database: Database, catalogue: Catalogue) -> None:
    track_id = add_track(database, b"a/1", artist="A", album="X", missing_since=NOON)
    assert catalogue.artists().items == catalogue.albums().items == ()
    assert catalogue.album_tracks("a", "x") == ()
    assert catalogue.folder().folders == ()
    assert [track.id for track in catalogue.tracks([track_id])] == [track_id]


def test_counts_tell_what_is_there_and_what_is_not(
    database: Database, catalogue: Catalogue
) -> None:
    assert catalogue.counts() == LibraryCounts(0, 0, 0, 0.0, 0, 0, 0)
    add_track(database, b"1", artist="A", album="X", duration_s=1.5, size_bytes=10)
    add_track(database, b"2", artist="B", album="X", duration_s=1.5, size_bytes=10)
    add_track(database, b"3", artist="B", duration_s=None, size_bytes=10, problem="broken")
    add_track(database, b"4", artist="C", missing_since=NOON)
    assert catalogue.counts() == LibraryCounts(
        tracks=3, albums=2, artists=2, duration_s=3.0, size_bytes=30, unreadable=1, missing=1
    )
    assert [track.path for track in catalogue.unreadable().items] == [b"3"]
