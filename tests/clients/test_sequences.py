"""What Feishin and Supersonic ask when they sign in, look through a library, and play.

They need a screen and a desktop that tests have not, so their requests are repeated here, with the
values that their sources give them: Feishin asks for JSON of 1.13.0, Supersonic for XML of 1.15.0.
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from tests.clients.site import ALBUMS, SHORT_S, TITLES, Site
from tests.helpers.renditions import undisturbed
from tests.helpers.subsonic import token
from tests.helpers.waiting import LIMIT_S

pytestmark = pytest.mark.slow
# Within quotes, since other servers take a query of nothing for none.
EVERYTHING = '""'
PAGE = 500
XML = "{http://subsonic.org/restapi}"


def read(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), None, LIMIT_S) as got:
        return got.status, dict(got.headers), got.read()


@dataclass(frozen=True)
class Feishin:
    """Asks as Feishin does."""

    site: Site

    @property
    def credential(self) -> str:
        proof = token(self.site.key, "abcdefghijkl")
        return f"u={self.site.name}&s={proof['s']}&t={proof['t']}"

    def ask(self, call: str, **values: object) -> dict[str, Any]:
        asked = urlencode({"c": "Feishin", "f": "json", "v": "1.13.0", **values}, doseq=True)
        url = f"{self.site.address}/rest/{call}?{self.credential}&{asked}"
        status, _, body = read(url, Origin="https://feishin.example")
        answer: dict[str, Any] = json.loads(body)["subsonic-response"]
        assert status == 200
        assert answer["status"] == "ok", answer
        return answer

    def songs_from(self, offset: int, count: int) -> list[dict[str, Any]]:
        none = {"albumCount": 0, "albumOffset": 0, "artistCount": 0, "artistOffset": 0}
        found = self.ask(
            "search3.view", query=EVERYTHING, songCount=count, songOffset=offset, **none
        )
        songs: list[dict[str, Any]] = found["searchResult3"].get("song", [])
        return songs


def test_feishin(site: Site, tmp_path: Path) -> None:
    player = Feishin(site)
    ping = player.ask("ping.view")
    assert ping["openSubsonic"] is True
    assert ping["serverVersion"]
    extensions = player.ask("getOpenSubsonicExtensions.view")["openSubsonicExtensions"]
    assert all(isinstance(each["versions"], list) for each in extensions)
    [folder] = player.ask("getMusicFolders.view")["musicFolders"]["musicFolder"]
    assert folder["name"]

    # It counts all songs by asking for one at every 5,000th place, then page by page.
    assert len(player.songs_from(0, 1)) == 1
    assert player.songs_from(5_000, 1) == []
    songs = player.songs_from(0, PAGE)
    assert sorted(song["title"] for song in songs) == sorted(TITLES)
    albums = player.ask(
        "getAlbumList2.view", type="newest", size=PAGE, offset=0, musicFolderId=folder["id"]
    )["albumList2"]["album"]
    assert {album["name"] for album in albums} == {album for _, _, album, *_ in ALBUMS}
    year = time.gmtime().tm_year
    by_year = player.ask("getAlbumList2.view", type="byYear", fromYear=year, toYear=0, size=100)
    assert [album["year"] for album in by_year["albumList2"]["album"]] == [2015, 2009, 2004, 1999]
    index = player.ask("getArtists.view")["artists"]["index"]
    artist = next(each for letter in index for each in letter["artist"] if each["name"] == "Ada")
    player.ask("getArtistInfo.view", id=artist["id"])
    assert len(player.ask("getArtist.view", id=artist["id"])["artist"]["album"]) == 2
    genres = player.ask("getGenres.view")["genres"]["genre"]
    assert {genre["value"] for genre in genres} == {"Jazz", "Folk", "Pop"}
    jazz = player.ask("getSongsByGenre.view", genre="Jazz", count=PAGE, offset=0)
    assert len(jazz["songsByGenre"]["song"]) == 5

    dark = next(song for song in songs if song["title"] == "Dark")
    assert (dark["duration"], dark["contentType"]) == (SHORT_S, "audio/flac")
    album = player.ask("getAlbum.view", id=dark["albumId"])["album"]
    assert [song["track"] for song in album["song"]] == [1, 2, 3]
    cover = f"{site.address}/rest/getCoverArt.view?id={dark['coverArt']}&{player.credential}"
    _, headers, _ = read(f"{cover}&v=1.13.0&c=feishin&size=300")
    assert headers["Content-Type"] == "image/jpeg"
    stream = f"{site.address}/rest/stream.view?id={dark['id']}&v=1.13.0&c=feishin_x1"
    stream += f"&{player.credential}&format=mp3&maxBitRate=128"
    player.ask("scrobble.view", id=dark["id"], submission="false")
    status, headers, body = read(stream, Range="bytes=0-")
    assert status == 206
    # It may run in a browser, from another site.
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert body == undisturbed(site.file_of("Dark"), tmp_path, "low")
    player.ask("scrobble.view", id=dark["id"], submission="true")
    player.ask("star.view", id=dark["id"])
    assert [song["id"] for song in player.ask("getStarred.view")["starred"]["song"]] == [dark["id"]]
    player.ask("unstar.view", id=dark["id"])
    player.ask("setRating.view", id=dark["id"], rating=3)
    player.ask("getTopSongs.view", artist="Ada", count=10)
    player.ask("getSimilarSongs", id=dark["id"], count=10)
    player.ask("getLyricsBySongId.view", id=dark["id"])

    made = player.ask("createPlaylist.view", name="Of Feishin")["playlist"]
    player.ask("updatePlaylist.view", playlistId=made["id"], songIdToAdd=[dark["id"], dark["id"]])
    player.ask("updatePlaylist.view", playlistId=made["id"], songIndexToRemove=["0"])
    [entry] = player.ask("getPlaylist.view", id=made["id"])["playlist"]["entry"]
    assert entry["id"] == dark["id"]
    player.ask("deletePlaylist.view", id=made["id"])


@dataclass(frozen=True)
class Supersonic:
    """Asks as Supersonic does."""

    site: Site

    def url(self, call: str, key: str, *pairs: tuple[str, object]) -> str:
        proof = token(key, "AbCdEfGhIj")
        known = {"f": "xml", "v": "1.15.0", "c": "supersonic", "u": self.site.name, **proof}
        return f"{self.site.address}/rest/{call}?{urlencode([*known.items(), *pairs])}"

    def ask(self, call: str, *pairs: tuple[str, object]) -> ElementTree.Element:
        status, _, body = read(self.url(call, self.site.key, *pairs))
        root = ElementTree.fromstring(body)
        assert status == 200
        assert root.tag == f"{XML}subsonic-response"
        assert root.get("status") == "ok", body
        return root


def all_of(root: ElementTree.Element, path: str) -> list[ElementTree.Element]:
    return root.findall("/".join(f"{XML}{part}" for part in path.split("/")))


def test_supersonic(site: Site, tmp_path: Path) -> None:
    player = Supersonic(site)
    # It asks who is there before it signs in, and takes any answer.
    status, _, body = read(player.url("ping", "").replace("&t=", "&t=&nothing="))
    assert status == 200
    assert ElementTree.fromstring(body).get("type") == "mixtape"
    player.ask("ping")
    [folder] = all_of(player.ask("getMusicFolders"), "musicFolders/musicFolder")
    assert int(folder.get("id", "")) >= 0
    names = [
        each.get("name")
        for each in all_of(player.ask("getOpenSubsonicExtensions"), "openSubsonicExtensions")
    ]
    assert "formPost" in names

    # It pages by `offset` and a `limit` that the API has no such value of.
    found: list[str] = []
    while True:
        page = all_of(
            player.ask("getAlbumList2", ("type", "newest"), ("offset", len(found)), ("limit", 20)),
            "albumList2/album",
        )
        found += [album.get("id", "") for album in page]
        if not page:
            break
    assert len(set(found)) == len(found) == len(ALBUMS)
    ups = ("type", "byYear"), ("fromYear", 0), ("toYear", 3000)
    years = [
        each.get("year") for each in all_of(player.ask("getAlbumList2", *ups), "albumList2/album")
    ]
    assert years == ["1999", "2004", "2009", "2015"]
    artists = all_of(player.ask("getArtists"), "artists/index/artist")
    assert [artist.get("name") for artist in artists] == ["Ada", "Bö & Co", "Cy"]
    counts = [("artistCount", 20), ("albumCount", 20), ("songCount", 20)]
    hits = player.ask("search3", ("query", "blue"), *counts)
    [song] = all_of(hits, "searchResult3/song")
    assert (song.get("title"), song.get("duration")) == ("Blue Sky", str(SHORT_S))
    assert [genre.get("name") for genre in all_of(song, "genres")] == ["Jazz"]
    [album] = all_of(player.ask("getAlbum", ("id", song.get("albumId"))), "album")
    assert [each.get("title") for each in all_of(album, "song")] == ["Dew", "Blue Sky"]
    player.ask("getArtistInfo2", ("id", song.get("artistId")))
    player.ask("getTopSongs", ("artist", "Ada"), ("count", 20))
    player.ask("getSimilarSongs2", ("id", song.get("artistId")), ("count", 20))
    player.ask("getLyricsBySongId", ("id", song.get("id")))
    player.ask("getRandomSongs", ("size", 50), ("musicFolderId", folder.get("id")))
    player.ask("getInternetRadioStations")

    known = song.get("id", "")
    asked = ("id", known), ("format", "mp3"), ("maxBitRate", "160")
    stream = player.url("stream", site.key, *asked)
    made = undisturbed(site.file_of("Blue Sky"), tmp_path, "low")
    now = ("time", int(time.time() * 1000))
    player.ask("scrobble", ("id", known), now, ("submission", "false"))
    # Its player, mpv, reads from wherever somebody jumps to.
    for start in (0, len(made) // 2, len(made) - 4_000):
        status, _, body = read(stream, Range=f"bytes={start}-")
        assert (status, body) == (206, made[start:])
    player.ask("scrobble", ("id", known), now, ("submission", "true"))
    for favourite in ("star", "unstar"):
        player.ask(favourite, ("id", known), ("albumId", album.get("id")))
    assert all_of(player.ask("getStarred2"), "starred2/song") == []
    queue = [("id", known), ("id", site.ids["Dew"])]
    player.ask("savePlayQueue", *queue, ("current", known), ("position", 4_000))
    [saved] = all_of(player.ask("getPlayQueue"), "playQueue")
    assert (saved.get("current"), saved.get("position")) == (known, "4000")
    assert [entry.get("id") for entry in all_of(saved, "entry")] == [value for _, value in queue]
    status, _, body = read(player.url("download", site.key, ("id", known)))
    assert body == site.file_of("Blue Sky").read_bytes()
