"""py-opensonic, which Music Assistant plays Subsonic servers with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from libopensonic import AsyncConnection
from libopensonic.errors import SonicError

from tests.clients.site import ALBUMS, SHORT_S, TITLES, Site
from tests.helpers.renditions import undisturbed

pytestmark = pytest.mark.slow
T = TypeVar("T")
PAGE = 4


@pytest.fixture(params=["token", "password", "apiKey", "GET"])
def ways(request: pytest.FixtureRequest, site: Site) -> dict[str, object]:
    """Return each of the ways in which it signs in."""
    if request.param == "apiKey":
        return {"api_key": site.key}
    known: dict[str, object] = {"username": site.name, "password": site.key}
    more = {"password": {"legacy_auth": True}, "GET": {"use_get": True, "use_views": False}}
    return {**known, **more.get(request.param, {})}


def ask(site: Site, talk: Callable[[AsyncConnection], Awaitable[T]], **ways: object) -> T:
    async def run() -> T:
        known = ways or {"username": site.name, "password": site.key}
        connection = AsyncConnection("http://127.0.0.1", port=site.recorder.port, **known)
        try:
            return await talk(connection)
        finally:
            await connection.cleanup()

    # In a thread of its own: another test of the same process may have a loop that is running.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def test_it_signs_in_by_each_way_that_it_has(site: Site, ways: dict[str, object]) -> None:
    async def talk(player: AsyncConnection) -> None:
        assert await player.ping()
        assert (await player.get_user(site.name)).username == site.name

    ask(site, talk, **ways)


def test_a_wrong_key_is_refused(site: Site) -> None:
    async def talk(player: AsyncConnection) -> None:
        with pytest.raises(SonicError, match="Players sign in with the key of a device"):
            await player.ping()

    ask(site, talk, username=site.name, password="wrong")


def test_it_finds_the_whole_library(site: Site) -> None:
    async def talk(player: AsyncConnection) -> None:
        index = (await player.get_artists()).index or []
        artists = [artist for each in index for artist in each.artist or []]
        assert {artist.name for artist in artists} == {artist for _, artist, *_ in ALBUMS}
        found = []
        for artist in artists:
            for album in (await player.get_artist(artist.id)).album or []:
                whole = await player.get_album(album.id)
                assert whole.song_count == len(whole.song or [])
                found += [song.title for song in whole.song or []]
        assert sorted(found) == sorted(TITLES)
        listed = await player.get_album_list2("alphabeticalByName", size=500)
        assert [album.name for album in listed] == sorted(album for _, _, album, *_ in ALBUMS)
        by_year = await player.get_album_list2("byYear", from_year=2010, to_year=2000)
        assert [album.name for album in by_year] == ["Daybreak", "Nightfall"]
        of_jazz = await player.get_album_list2("byGenre", genre="Jazz")
        assert {album.name for album in of_jazz} == {"Daybreak", "Nightfall"}
        genres = {genre.value: genre.song_count for genre in await player.get_genres()}
        assert genres == {"Jazz": 5, "Folk": 3, "Pop": 1}
        assert len(await player.get_songs_by_genre("Jazz")) == 5
        assert len(await player.get_random_songs(size=3)) == 3

    ask(site, talk)


def test_it_pages_through_everything_by_an_empty_search(site: Site) -> None:
    async def talk(player: AsyncConnection) -> None:
        found: list[str] = []
        while True:
            page = await player.search3(
                "", artist_count=0, album_count=0, song_count=PAGE, song_offset=len(found)
            )
            songs = page.song or []
            found += [song.id for song in songs]
            if len(songs) < PAGE:
                break
        assert sorted(found) == sorted(site.ids.values())
        hit = await player.search3("blue sky")
        assert [song.title for song in hit.song or []] == ["Blue Sky"]

    ask(site, talk)


def test_it_walks_through_the_folders(site: Site) -> None:
    async def talk(player: AsyncConnection) -> None:
        index = (await player.get_indexes()).index or []
        names = {artist.name: artist.id for each in index for artist in each.artist or []}
        inside = (await player.get_music_directory(names["Ada"])).child or []
        assert {child.title for child in inside} == {"Daybreak", "Nightfall"}
        assert all(child.is_dir for child in inside)
        [night] = [child.id for child in inside if child.title == "Nightfall"]
        songs = (await player.get_music_directory(night)).child or []
        assert [song.title for song in songs] == ["Dusk", "Dark", "Deep"]

    ask(site, talk)


def test_it_plays_saves_and_decides(site: Site, tmp_path: Path) -> None:
    dark = site.ids["Dark"]

    async def talk(player: AsyncConnection) -> bytes:
        song = await player.get_song(dark)
        assert (song.duration, song.suffix) == (SHORT_S, "flac")
        assert song.cover_art is not None
        cover = await player.get_cover_art(song.cover_art, size=300)
        assert (await cover.read()).startswith(b"\xff\xd8")
        saved = await player.download(dark)
        assert await saved.read() == site.file_of("Dark").read_bytes()
        info = {
            "name": "p",
            "platform": "p",
            "transcodingProfiles": [{"container": "mp3", "audioCodec": "mp3", "protocol": "http"}],
            "maxTranscodingAudioBitrate": 128_000,
        }
        decision = await player.get_transcode_decision(dark, "song", info)
        assert decision.can_transcode
        assert decision.transcode_params is not None
        made = await player.get_transcode_stream(dark, "song", decision.transcode_params)
        part = await player.stream(dark, max_bit_rate=128, byte_range="bytes=1000-1999")
        assert part.status == 206
        whole = await made.read()
        assert await part.read() == whole[1000:2000]
        return whole

    assert ask(site, talk) == undisturbed(site.file_of("Dark"), tmp_path, "low")


def test_what_it_says_of_a_track_is_kept(site: Site) -> None:
    deep = site.ids["Deep"]

    async def talk(player: AsyncConnection) -> None:
        await player.star(sids=[deep])
        await player.set_rating(deep, 4)
        await player.scrobble(deep, submission=True)
        assert [song.id for song in (await player.get_starred2()).song or []] == [deep]
        song = await player.get_song(deep)
        assert song.starred is not None
        assert (song.user_rating, song.play_count) == (4, 1)
        await player.unstar(sids=[deep])
        assert not (await player.get_starred2()).song
        await player.save_play_queue([deep, site.ids["Far"]], current=deep, position=5_000)
        queue = await player.get_play_queue()
        assert (queue.current, queue.position) == (deep, 5_000)
        assert [song.id for song in queue.entry or []] == [deep, site.ids["Far"]]
        await player.create_bookmark(deep, 7_000)
        assert [mark.position for mark in await player.get_bookmarks()] == [7_000]
        await player.delete_bookmark(deep)
        assert await player.get_bookmarks() == []

    ask(site, talk)


def test_mixtapes_are_its_playlists(site: Site) -> None:
    async def talk(player: AsyncConnection) -> None:
        assert [each.name for each in await player.get_playlists()] == ["Evening"]
        await player.create_playlist(name="Morning", song_ids=[site.ids["Dew"]])
        [made] = [each for each in await player.get_playlists() if each.name == "Morning"]
        await player.update_playlist(made.id, song_ids_to_add=[site.ids["Blue Sky"]])
        tape = await player.get_playlist(made.id)
        assert [song.title for song in tape.entry or []] == ["Dew", "Blue Sky"]
        await player.update_playlist(made.id, song_indices_to_remove=[0])
        tape = await player.get_playlist(made.id)
        assert [song.title for song in tape.entry or []] == ["Blue Sky"]
        await player.delete_playlist(made.id)
        assert [each.name for each in await player.get_playlists()] == ["Evening"]

    ask(site, talk)
