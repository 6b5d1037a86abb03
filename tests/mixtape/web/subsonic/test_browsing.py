"""The library as players walk through it, search it and read all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import insert

from mixtape.database.account_tables import ALBUM, Mark, Play
from mixtape.database.tables import FIRST_USER
from mixtape.library.music_folders import music_folders
from tests.helpers.host import make_app
from tests.helpers.subsonic import Player, Refused, add_device, services_of
from tests.helpers.tracks import NOON, add_track

LISTS = (
    *("random", "newest", "highest", "frequent", "recent"),
    *("alphabeticalByName", "alphabeticalByArtist", "starred", "byYear", "byGenre"),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Return an application with a library that no test here changes."""
    app = make_app(tmp_path_factory.mktemp("browsing"))
    database = services_of(app).database
    for number, (path, artist, album, year, genre) in enumerate(
        (
            ("a/The Zed/Alpha/10.flac", "The Zed", "Alpha", 1990, "Rock"),
            ("a/The Zed/Alpha/2.flac", "The Zed", "Alpha", 1990, "Rock, Pop"),
            ("a/Änn/Gamma/1.mp3", "Änn feat. Ben", "Gamma", 1970, "Pop"),
            ("b/loose.flac", "Änn", "", None, ""),
            ("none.flac", "", "", None, ""),
        )
    ):
        add_track(
            database,
            path.encode(),
            artist=artist,
            album=album,
            album_artist=artist.partition(" feat.")[0],
            year=year,
            genre=genre,
            track_no=None if "loose" in path or path == "none.flac" else 10 - number,
            lossless=path.endswith("flac"),
            added_at=NOON + timedelta(days=number),
        )
    for number in (1, 2):
        add_track(
            database,
            b"a/Mix/%d.flac" % number,
            artist="Guest",
            album="Mix",
            album_artist="Various Artists",
            year=2000,
            genre="Rock",
            disc_no=number,
            disc_subtitle="Second" if number == 2 else "",
            cover_key="c" * 32,
        )
    add_track(database, b"a/Gone/1.flac", artist="Gone", album="Gone", missing_since=NOON)
    with database.write() as session:
        heard = {"user_id": FIRST_USER, "path": b"a/Mix/1.flac", "plays": 3}
        session.execute(insert(Play).values(**heard, last_played_at=NOON))
        mark = {"user_id": FIRST_USER, "kind": ALBUM, "key": b"zed\1alpha", "rating": 4}
        session.execute(insert(Mark).values(**mark, starred_at=NOON))
    yield app
    services_of(app).close()


@pytest.fixture(scope="module")
def player(app: Flask) -> Player:
    return Player(app, add_device(app))


def names(items: list[dict[str, Any]], name: str = "name") -> list[str]:
    return [item[name] for item in items]


def under_letters(index: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {letter["name"]: names(letter["artist"]) for letter in index}


def test_artists_stand_under_their_letters_and_lead_to_their_tracks(player: Player) -> None:
    found = player.ask("getArtists")["artists"]
    assert found["ignoredArticles"] == "The"
    assert under_letters(found["index"]) == {
        "#": ["Unknown artist"],
        "A": ["Änn"],
        "G": ["Guest"],
        "V": ["Various Artists"],
        "Z": ["The Zed"],
    }
    reached = set()
    for letter in found["index"]:
        for listed in letter["artist"]:
            artist = player.ask("getArtist", {"id": listed["id"]})["artist"]
            assert artist["name"] == listed["name"]
            assert len(artist["album"]) == artist["albumCount"] == listed["albumCount"] > 0
            for in_list in artist["album"]:
                album = player.ask("getAlbum", {"id": in_list["id"]})["album"]
                songs = album.pop("song")
                assert album == in_list
                assert album["songCount"] == len(songs)
                assert album["duration"] == 180 * len(songs)
                reached |= {song["id"] for song in songs}
                for song in songs:
                    assert song["albumId"] == song["parent"] == album["id"]
                    assert player.ask("getSong", {"id": song["id"]})["song"] == song
    every = player.ask("search3", {"query": ""})["searchResult3"]["song"]
    assert reached == {song["id"] for song in every}
    assert len(every) == 7


def test_each_track_names_an_artist_that_is_there(player: Player) -> None:
    every = player.ask("search3", {"query": ""})["searchResult3"]["song"]
    for song in every:
        assert player.ask("getArtist", {"id": song["artistId"]})
        [leader] = song["artists"]
        [album_artist] = song["albumArtists"]
        assert leader["id"] == song["artistId"]
        assert (
            player.ask("getArtist", {"id": album_artist["id"]})["artist"]["name"]
            == (album_artist["name"])
        )
    by_path = {song["path"]: song for song in every}
    gamma = by_path["a/Änn/Gamma/1.mp3"]
    assert (gamma["artist"], gamma["artists"][0]["name"]) == ("Änn feat. Ben", "Änn")
    assert (gamma["contentType"], gamma["suffix"]) == ("audio/mpeg", "mp3")
    none = by_path["none.flac"]
    assert (none["artist"], none["album"]) == ("Unknown artist", "Unknown album")


def test_an_album_says_all_that_is_known_of_it(player: Player) -> None:
    [mix] = player.ask("search3", {"query": "mix"})["searchResult3"]["album"]
    assert mix["isCompilation"] is True
    assert mix["discTitles"] == [{"disc": 2, "title": "Second"}]
    assert (mix["playCount"], mix["played"]) == (3, "2024-05-01T12:00:00.000Z")
    assert (mix["genre"], mix["genres"]) == ("Rock", [{"name": "Rock"}])
    assert (mix["coverArt"], mix["year"], mix["created"]) == (
        *("cv-" + "c" * 32, 2000, "2024-05-01T12:00:00.000Z"),
    )
    [alpha] = player.ask("search3", {"query": "alp"})["searchResult3"]["album"]
    assert alpha["isCompilation"] is False
    assert alpha["discTitles"] == []
    assert (alpha["userRating"], alpha["starred"]) == (4, "2024-05-01T12:00:00.000Z")
    assert (alpha["artist"], alpha["playCount"]) == ("The Zed", 0)
    assert sorted(names(alpha["genres"])) == ["Pop", "Rock"]


def test_lists_of_albums_are_of_each_type(player: Player) -> None:
    def listed(kind: str, **more: object) -> list[str]:
        albums = player.ask("getAlbumList2", {"type": kind, **more})["albumList2"]["album"]
        folders = player.ask("getAlbumList", {"type": kind, **more})["albumList"]["album"]
        if kind != "random":
            assert names(folders, "title") == names(folders) == names(albums)
        for folder in folders:
            assert folder["isDir"] is True
            assert folder["parent"] == folder["artistId"]
        return names(albums)

    unknown = "Unknown album"
    assert listed("alphabeticalByArtist") == [unknown, unknown, "Gamma", "Mix", "Alpha"]
    assert listed("alphabeticalByName") == [unknown, unknown, "Alpha", "Gamma", "Mix"]
    assert listed("alphabeticalByName", size=2, offset=2) == ["Alpha", "Gamma"]
    assert listed("alphabeticalByName", size=0) == []
    assert listed("newest") == [unknown, unknown, "Gamma", "Alpha", "Mix"]
    assert sorted(listed("random")) == sorted(listed("newest"))
    assert listed("frequent") == listed("recent") == ["Mix"]
    assert listed("highest") == listed("starred") == ["Alpha"]
    assert listed("byYear", fromYear=1970, toYear=1995) == ["Gamma", "Alpha"]
    assert listed("byYear", fromYear=2010, toYear=1990) == ["Mix", "Alpha"]
    assert listed("byGenre", genre="rock") == ["Mix", "Alpha"]
    for wrong in ({"type": "best"}, {"type": "byYear"}, {"type": "byYear", "fromYear": 1}):
        with pytest.raises(Refused):
            player.ask("getAlbumList2", wrong)
    with pytest.raises(Refused, match="10: The parameter “type” is missing"):
        player.ask("getAlbumList2")


def test_genres_and_what_is_of_them(player: Player) -> None:
    assert player.ask("getGenres")["genres"]["genre"] == [
        {"value": "Pop", "songCount": 2, "albumCount": 2},
        {"value": "Rock", "songCount": 4, "albumCount": 2},
    ]
    songs = player.ask("getSongsByGenre", {"genre": "Pop"})["songsByGenre"]["song"]
    assert names(songs, "path") == ["a/The Zed/Alpha/2.flac", "a/Änn/Gamma/1.mp3"]
    assert (
        len(player.ask("getSongsByGenre", {"genre": "Rock", "count": 3})["songsByGenre"]["song"])
        == 3
    )
    by_chance = player.ask("getRandomSongs", {"genre": "Rock", "toYear": 1995})["randomSongs"]
    assert {song["year"] for song in by_chance["song"]} == {1990}
    assert len(player.ask("getRandomSongs", {"size": 2})["randomSongs"]["song"]) == 2


def test_search_finds_beginnings_of_words_and_everything_without_one(player: Player) -> None:
    for call, key in (("search2", "searchResult2"), ("search3", "searchResult3")):
        found = player.ask(call, {"query": '"zed" alp'})[key]
        assert names(found["album"]) == ["Alpha"]
        assert len(found["song"]) == 2
        assert found["artist"] == []
        assert names(player.ask(call, {"query": "ann"})[key]["artist"]) == ["Änn"]
        for nothing in ("", '""'):
            whole = player.ask(call, {"query": nothing})[key]
            assert [len(whole[kind]) for kind in ("artist", "album", "song")] == [5, 5, 7]
        paged = [
            player.ask(call, {"query": "", "songCount": 3, "songOffset": at, "artistCount": 0})[key]
            for at in (0, 3, 6, 9)
        ]
        assert [song for page in paged for song in page["song"]] == whole["song"]
        assert all(page["artist"] == [] for page in paged)
    old = player.ask("search", {"artist": "zed", "title": "2"})["searchResult"]
    assert (old["totalHits"], names(old["match"], "path")) == (1, ["a/The Zed/Alpha/2.flac"])
    some = player.ask("search", {"any": "flac", "count": 2, "offset": 1})["searchResult"]
    assert (some["totalHits"], some["offset"], len(some["match"])) == (6, 1, 2)
    later_ms = int((NOON + timedelta(days=3, hours=12)).timestamp() * 1000)
    newer = player.ask("search", {"any": "flac", "newerThan": later_ms})["searchResult"]
    assert names(newer["match"], "path") == ["none.flac"]
    with pytest.raises(Refused, match="10"):
        player.ask("search3")


def test_folders_are_those_on_disk(player: Player) -> None:
    [folder] = player.ask("getMusicFolders")["musicFolders"]["musicFolder"]
    assert folder == {"id": 1, "name": "music"}
    assert player.ask("getUser", {"username": "admin"})["user"]["folder"] == [1]
    indexes = player.ask("getIndexes")["indexes"]
    assert under_letters(indexes["index"]) == {"A": ["a"], "B": ["b"]}
    assert names(indexes["child"], "path") == ["none.flac"]
    again = player.ask("getIndexes", {"ifModifiedSince": indexes["lastModified"]})["indexes"]
    assert "index" not in again
    before = player.ask("getIndexes", {"ifModifiedSince": indexes["lastModified"] - 1})["indexes"]
    assert before == indexes

    def walk(directory: str) -> Iterator[str]:
        found = player.ask("getMusicDirectory", {"id": directory})["directory"]
        for child in found["child"]:
            assert child["parent"] == found["id"]
            if child["isDir"]:
                yield from walk(child["id"])
            else:
                yield child["path"]

    every = player.ask("search3", {"query": ""})["searchResult3"]["song"]
    for top in ("1", "fd-"):
        assert sorted(walk(top)) == sorted(names(every, "path"))
    zed = player.ask("getMusicDirectory", {"id": indexes["index"][0]["artist"][0]["id"]})
    assert names(zed["directory"]["child"], "title") == ["Mix", "The Zed", "Änn"]


def test_the_way_up_from_a_folder_ends_where_the_indexes_begin(player: Player) -> None:
    [letter, _] = player.ask("getIndexes")["indexes"]["index"]
    [top] = letter["artist"]
    found = player.ask("getMusicDirectory", {"id": top["id"]})["directory"]
    assert "parent" not in found
    deeper = player.ask("getMusicDirectory", {"id": found["child"][0]["id"]})["directory"]
    assert deeper["parent"] == top["id"]
    assert "parent" not in player.ask("getMusicDirectory", {"id": "fd-"})["directory"]


def test_artists_and_albums_are_folders_too(player: Player) -> None:
    [letter] = [
        each for each in player.ask("getArtists")["artists"]["index"] if each["name"] == "A"
    ]
    artist = player.ask("getMusicDirectory", {"id": letter["artist"][0]["id"]})["directory"]
    assert artist["name"] == "Änn"
    assert names(artist["child"], "title") == ["Gamma", "Unknown album"]
    album = player.ask("getMusicDirectory", {"id": artist["child"][0]["id"]})["directory"]
    assert (album["name"], album["parent"]) == ("Gamma", artist["id"])
    assert names(album["child"], "path") == ["a/Änn/Gamma/1.mp3"]
    for nothing in ("fd-Tm8", "ar-Tm8", "al-Tm8ATm8", "tr-1", "99"):
        with pytest.raises(Refused, match="70"):
            player.ask("getMusicDirectory", {"id": nothing})


def test_one_music_folder_is_asked_for_by_its_number(
    app: Flask, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = replace(services_of(app), music_folders=music_folders({"a": "/x/a", "b": "/y/b"}))
    monkeypatch.setitem(app.extensions, "mixtape", several)
    first, second = player.ask("getMusicFolders")["musicFolders"]["musicFolder"]
    assert (first["name"], second["name"]) == ("a", "b")
    one = {"musicFolderId": second["id"]}
    index = player.ask("getArtists", one)["artists"]["index"]
    assert under_letters(index) == {"A": ["Änn"]}
    assert player.ask("getIndexes", one)["indexes"]["index"] == []
    assert len(player.ask("getIndexes", one)["indexes"]["child"]) == 1
    whole = under_letters(player.ask("getIndexes")["indexes"]["index"])
    assert whole == {"A": ["Änn"], "M": ["Mix"], "Z": ["The Zed"]}
    # Up from what is listed leads nowhere, and so it does from all music folders.
    listed = player.ask("getIndexes")["indexes"]["index"][0]["artist"][0]["id"]
    for top in (first["id"], second["id"], "fd-", listed):
        directory = player.ask("getMusicDirectory", {"id": top})["directory"]
        assert "parent" not in directory, top
    found = player.ask("search3", {"query": "", **one})["searchResult3"]
    assert [len(found[kind]) for kind in ("artist", "album", "song")] == [1, 1, 1]
    for kind in LISTS:
        asked = {"type": kind, "genre": "Rock", "fromYear": 1, "toYear": 2100, **one}
        albums = player.ask("getAlbumList2", asked)["albumList2"]["album"]
        assert {album["artist"] for album in albums} <= {"Änn"}, kind
    assert names(player.ask("getRandomSongs", one)["randomSongs"]["song"], "path") == [
        "b/loose.flac"
    ]
    assert player.ask("getSongsByGenre", {"genre": "Rock", **one})["songsByGenre"]["song"] == []
    everything = player.ask("search3", {"query": "", "musicFolderId": -1})["searchResult3"]
    assert len(everything["song"]) == 7
    with pytest.raises(Refused, match="70: There is no music folder 77"):
        player.ask("getArtists", {"musicFolderId": 77})


def test_what_goes_with_an_artist_comes_from_the_library_itself(player: Player) -> None:
    index = player.ask("getArtists")["artists"]["index"]
    ids = {artist["name"]: artist["id"] for letter in index for artist in letter["artist"]}
    for asked in ({"artist": "Guest"}, {"id": ids["Guest"]}):
        assert names(player.ask("getTopSongs", asked)["topSongs"]["song"], "path") == [
            "a/Mix/1.flac"
        ]
    assert player.ask("getTopSongs", {"artist": "Nobody"})["topSongs"]["song"] == []
    zed = {"id": ids["The Zed"]}
    for call, key in (("getSimilarSongs", "similarSongs"), ("getSimilarSongs2", "similarSongs2")):
        songs = player.ask(call, zed)[key]["song"]
        assert {song["albumArtists"][0]["name"] for song in songs} == {
            *("The Zed", "Various Artists", "Änn")
        }
        assert player.ask(call, zed)[key]["song"] == songs
        assert len(player.ask(call, {**zed, "count": 1})[key]["song"]) == 1
        [alpha] = player.ask("search3", {"query": "alpha", "songCount": 1})["searchResult3"]["song"]
        for seed in (alpha["id"], alpha["albumId"]):
            similar = player.ask(call, {"id": seed})[key]["song"]
            assert alpha["id"] not in names(similar, "id")
            assert similar
    for call in ("getArtistInfo", "getArtistInfo2"):
        [info] = player.ask(call, zed).values()
        assert names(info["similarArtist"]) == ["Various Artists", "Änn"]
        # No address that needs a key stands in an answer.
        assert not [name for name in info if name.endswith("Url")]
    for call in ("getAlbumInfo", "getAlbumInfo2"):
        assert player.ask(call, {"id": alpha["albumId"]}) == {"albumInfo": {"notes": ""}}
    for call in ("getArtistInfo", "getArtistInfo2", "getSimilarSongs", "getAlbumInfo", "getAlbum"):
        with pytest.raises(Refused, match="70"):
            player.ask(call, {"id": "al-Tm8ATm8"})


def test_what_there_is_none_of_is_an_empty_list(player: Player) -> None:
    for call, whole, each in (
        ("getVideos", "videos", "video"),
        ("getPodcasts", "podcasts", "channel"),
        ("getNewestPodcasts", "newestPodcasts", "episode"),
        ("getInternetRadioStations", "internetRadioStations", "internetRadioStation"),
        ("getShares", "shares", "share"),
        ("getChatMessages", "chatMessages", "chatMessage"),
    ):
        assert player.ask(call) == {whole: {each: []}}


def test_xml_has_the_same(player: Player) -> None:
    with player.open("getArtists") as answer:
        root = ElementTree.fromstring(answer.get_data())
    artists = [one.get("name") for one in root.iter() if one.tag.endswith("}artist")]
    assert artists == ["Unknown artist", "Änn", "Guest", "Various Artists", "The Zed"]
    with player.open("getGenres") as answer:
        root = ElementTree.fromstring(answer.get_data())
    assert [one.text for one in root.iter() if one.tag.endswith("}genre")] == ["Pop", "Rock"]
