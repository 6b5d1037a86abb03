"""The lists that players ask for, on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.library.listed import Album, Artist, Song
from mixtape.library.lists import Lists
from mixtape.library.music_folders import MusicFolder
from tests.helpers.tracks import NOON, add_track

ALL = {"offset": 0, "limit": 100}


@pytest.fixture
def lists(database: Database) -> Lists:
    """Return the lists of a small library: two music folders, a compilation, and loose ends."""
    add = [
        ("a/Zed/1.flac", "Zed", "Alpha", 1990, "Rock", 5),
        ("a/Zed/2.flac", "Zed", "Alpha", 1991, "Rock, Pop", 5),
        ("a/Zed/3.flac", "Zed", "beta", None, "", 1),
        ("a/Ann/1.flac", "Ann", "Gamma", 1970, "pop", 3),
        ("b/Ann/2.flac", "Ann", "", 1975, "Jazz", 2),
        ("b/none.flac", "", "", None, "", 0),
    ]
    for path, artist, album, year, genre, day in add:
        add_track(
            database,
            path.encode(),
            artist=artist,
            album=album,
            year=year,
            genre=genre,
            added_at=NOON + timedelta(days=day),
        )
    for number, artist in enumerate(("Ann", "Guest")):
        add_track(
            database,
            b"b/Mix/%d.flac" % number,
            artist=artist,
            album="Mix",
            album_artist="Various Artists",
            year=2000,
            genre="Rock",
            disc_no=number + 1,
            disc_subtitle="Late" if number else "",
            cover_key="c" if number else None,
            added_at=NOON + timedelta(days=4),
        )
    add_track(
        database, b"a/Gone/1.flac", artist="Gone", album="Gone", genre="Gone", missing_since=NOON
    )
    return Lists.of(database)


def titles(albums: tuple[Album, ...]) -> list[str]:
    return [f"{album.artist}/{album.title}" for album in albums]


def names(artists: tuple[Artist, ...]) -> list[str]:
    return [artist.name for artist in artists]


def files(tracks: Iterable[Track | Song]) -> list[str]:
    return [track.path.decode() for track in tracks]


def test_albums_are_listed_in_each_order(lists: Lists) -> None:
    albums = lists.albums
    by_artist = ["/", "Ann/", "Ann/Gamma", "Various Artists/Mix", "Zed/Alpha", "Zed/beta"]
    assert titles(albums.all("artist", **ALL)) == by_artist
    assert titles(albums.all("artist", offset=2, limit=2)) == by_artist[2:4]
    assert albums.all("artist", offset=2**70, limit=2) == ()
    assert titles(albums.all("name", **ALL)) == [
        *("/", "Ann/", "Zed/Alpha", "Zed/beta", "Ann/Gamma", "Various Artists/Mix")
    ]
    assert titles(albums.all("newest", offset=0, limit=3)) == [
        *("Zed/Alpha", "Various Artists/Mix", "Ann/Gamma")
    ]
    by_chance = titles(albums.all("random", **ALL))
    assert sorted(by_chance) == sorted(by_artist)
    assert any(titles(albums.all("random", **ALL)) != by_chance for _ in range(50))


def test_albums_are_listed_by_year_both_ways_and_by_genre(lists: Lists) -> None:
    albums = lists.albums
    years = ["Ann/Gamma", "Ann/", "Zed/Alpha", "Various Artists/Mix"]
    assert titles(albums.of_years(1970, 2000, **ALL)) == years
    assert titles(albums.of_years(2000, 1970, **ALL)) == years[::-1]
    # An album is of the year of its first track.
    assert titles(albums.of_years(1991, 1999, **ALL)) == []
    assert titles(albums.of_years(1975, 1975, **ALL)) == ["Ann/"]
    assert titles(albums.of_genre("POP", **ALL)) == ["Ann/Gamma", "Zed/Alpha"]
    assert titles(albums.of_genre("rock", offset=1, limit=5)) == ["Zed/Alpha"]
    for nothing in ("", "Po", "Gone", "%"):
        assert albums.of_genre(nothing, **ALL) == ()
    assert [(one.name, one.tracks, one.albums) for one in lists.genres.all()] == [
        *(("Jazz", 1, 1), ("Pop", 2, 2), ("Rock", 4, 2))
    ]


def test_an_album_knows_what_its_tracks_say(lists: Lists) -> None:
    album = lists.albums.get("zed", "alpha")
    assert album is not None
    assert (album.tracks, album.duration_s, album.year) == (2, 360.0, 1990)
    assert album.added_at == NOON + timedelta(days=5)
    assert sorted(album.genres) == ["Pop", "Rock"]
    mix = lists.albums.get("various artists", "mix")
    assert mix is not None
    assert mix.disc_titles == ((2, "Late"),)
    assert mix.cover_key == "c"
    assert lists.albums.get("zed", "nothing") is None
    assert lists.albums.get("gone", "gone") is None
    keys = [("zed", "beta"), ("gone", "gone"), ("ann", "gamma"), ("", ""), ("zed\0", 'al"pha')]
    assert titles(lists.albums.some(keys, **ALL)) == ["Zed/beta", "Ann/Gamma", "/"]
    assert titles(lists.albums.some(keys, offset=1, limit=1)) == ["Ann/Gamma"]
    assert lists.albums.some([], **ALL) == ()


def test_artists_lead_albums_or_appear_on_those_of_others(lists: Lists) -> None:
    everybody = lists.artists.all()
    assert names(everybody) == ["", "Ann", "Guest", "Various Artists", "Zed"]
    counted = {one.name: (one.albums, one.has_loose, one.appears_on) for one in everybody}
    assert counted == {
        "": (0, True, 0),
        "Ann": (1, True, 1),
        "Guest": (0, False, 1),
        "Various Artists": (1, False, 0),
        "Zed": (2, False, 0),
    }
    for one in everybody:
        listed = lists.albums.of_artist(one.key)
        assert len(listed) == one.albums + one.has_loose + one.appears_on
    # Those of their own come first, oldest first, and what is of no album last.
    assert titles(lists.albums.of_artist("ann")) == ["Ann/Gamma", "Ann/", "Various Artists/Mix"]
    # The first track of the compilation has no cover, and the other one has.
    assert {one.name for one in everybody if one.cover_key} == {"Guest", "Various Artists"}
    found = lists.artists.find("zed")
    assert found is not None
    assert found in everybody
    assert lists.artists.find("gone") is None
    assert names(lists.artists.like("zed", 9)) == ["Various Artists", "Ann"]
    assert names(lists.artists.like("zed", 1)) == ["Various Artists"]
    assert names(lists.artists.like("", 9)) == []


def test_everything_is_found_by_no_word_page_by_page(lists: Lists) -> None:
    for nothing in ("", '""', " ", "*", "''"):
        assert len(lists.songs.matching(nothing, **ALL)) == 8
        assert len(lists.albums.matching(nothing, **ALL)) == 6
        assert names(lists.artists.matching(nothing, **ALL)) == names(lists.artists.all())
    whole = files(lists.songs.matching("", **ALL))
    pages = [files(lists.songs.matching("", offset=at, limit=3)) for at in (0, 3, 6, 9)]
    assert [name for page in pages for name in page] == whole
    assert names(lists.artists.matching("", offset=1, limit=2)) == ["Ann", "Guest"]
    assert titles(lists.albums.matching("mi", **ALL)) == ["Various Artists/Mix"]
    assert titles(lists.albums.matching("zed al", **ALL)) == ["Zed/Alpha"]
    assert names(lists.artists.matching("gue", **ALL)) == ["Guest"]
    assert files(lists.songs.matching("gamma ann", **ALL)) == ["a/Ann/1.flac"]
    assert lists.songs.matching("nowhere", **ALL) == ()
    assert files(lists.songs.titled("ann", "2.FLAC")) == ["b/Ann/2.flac"]


def test_one_music_folder_is_asked_for_alone(lists: Lists) -> None:
    first, second = MusicFolder(1, "a", b"a"), MusicFolder(2, "b", b"b")
    whole = MusicFolder(3, "music", b"")
    assert names(lists.artists.all(first)) == ["Ann", "Zed"]
    assert names(lists.artists.all(second)) == ["", "Ann", "Guest", "Various Artists"]
    assert lists.artists.all(whole) == lists.artists.all()
    assert names(lists.artists.matching("", second, offset=2, limit=9)) == [
        *("Guest", "Various Artists")
    ]
    for order in ("artist", "name", "newest", "random"):
        found = lists.albums.all(order, second, **ALL)
        assert sorted(titles(found)) == ["/", "Ann/", "Various Artists/Mix"]
    assert titles(lists.albums.of_years(1900, 2100, first, **ALL)) == ["Ann/Gamma", "Zed/Alpha"]
    assert titles(lists.albums.of_genre("rock", second, **ALL)) == ["Various Artists/Mix"]
    assert titles(lists.albums.some([("zed", "beta"), ("ann", "")], second, **ALL)) == ["Ann/"]
    assert len(lists.songs.matching("", first, **ALL)) == 4
    assert files(lists.songs.matching("ann", first, **ALL)) == ["a/Ann/1.flac"]
    assert len(lists.songs.of_genre("rock", second, **ALL)) == 2
    assert {file[0] for file in files(lists.songs.random(second, limit=9))} == {"b"}


def test_tracks_by_chance_are_within_what_is_asked_for(lists: Lists, database: Database) -> None:
    add_track(database, b"a/broken.flac", artist="Zed", genre="Rock", problem="broken")
    assert len(lists.songs.random(limit=100)) == 8
    assert len(lists.songs.random(limit=3)) == 3
    years = lists.songs.random(first_year=1975, last_year=1990, limit=9)
    assert sorted(track.year or 0 for track in years) == [1975, 1990]
    assert {track.genre for track in lists.songs.random(genre="pop", limit=9)} == {
        *("pop", "Rock, Pop")
    }
    orders = {tuple(files(lists.songs.random(limit=9))) for _ in range(50)}
    assert len(orders) > 1


def test_what_goes_with_something_is_of_its_artist_its_genres_and_its_years(
    database: Database,
) -> None:
    for artist, year in (("Zed", 1990), ("Near", 1992), ("Far", 1950), ("Many", 1991)):
        for number in range(20 if artist in {"Zed", "Many"} else 1):
            add_track(
                database,
                f"{artist}/{number}.flac".encode(),
                artist=artist,
                album=artist,
                year=year,
                genre="Rock, Pop" if artist == "Near" else "Rock",
            )
    add_track(database, b"Other/1.flac", artist="Other", year=1990, genre="Jazz")
    add_track(database, b"Broken/1.flac", artist="Broken", genre="Rock", problem="broken")
    lists = Lists.of(database)
    found = lists.similar.to_artist("zed", 16)
    assert [track.artist for track in found].count("Zed") == 12
    assert {track.artist for track in found} == {"Zed", "Near", "Far", "Many"}
    # One of the artist, then two of others, and of one artist an eighth at most.
    assert [track.artist == "Zed" for track in found[:4]] == [True, False, False, True]
    assert [track.artist for track in found].count("Many") == 2
    others = [track.artist for track in found if track.artist != "Zed"]
    assert others[-1] == "Far"
    assert files(lists.similar.to_artist("zed", 16)) == files(found)
    [seed] = lists.songs.matching("Zed 7", **ALL)
    to_track = lists.similar.to_tracks([seed], 5)
    assert len(to_track) == 5
    assert seed.path not in {track.path for track in to_track}
    assert lists.similar.to_artist("nobody", 5) == ()
