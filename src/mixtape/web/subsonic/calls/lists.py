"""Lists of albums and of tracks: in some order, by chance, of a genre or of some years."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ....accounts.listening import MarkOrder, PlayOrder
from ....library.album_lists import AlbumOrder
from ....library.listed import Album
from ..answers import Payload
from ..call import Call
from ..fields import album_fields, album_folder_fields, track_fields
from ..listed import folder_of, page_of


def get_album_list(call: Call) -> Payload:
    """Return a list of albums as folders."""
    return {"albumList": {"album": album_folder_fields(call, _albums(call))}}


def get_album_list2(call: Call) -> Payload:
    """Return a list of albums."""
    return {"albumList2": {"album": album_fields(call, _albums(call))}}


def get_songs_by_genre(call: Call) -> Payload:
    """Return the tracks of a genre."""
    songs = call.services.lists.songs.of_genre(
        call.arguments.text("genre"), folder_of(call), **page_of(call)
    )
    return {"songsByGenre": {"song": track_fields(call, songs)}}


def get_random_songs(call: Call) -> Payload:
    """Return some tracks by chance."""
    arguments = call.arguments
    songs = call.services.lists.songs.random(
        folder_of(call),
        genre=arguments.text("genre", ""),
        first_year=arguments.number("fromYear") if arguments.text("fromYear", "") else None,
        last_year=arguments.number("toYear") if arguments.text("toYear", "") else None,
        limit=page_of(call, "size")["limit"],
    )
    return {"randomSongs": {"song": track_fields(call, songs)}}


def _albums(call: Call) -> tuple[Album, ...]:
    return call.arguments.choice("type", _TYPES)(call)


def _in_order(order: AlbumOrder, call: Call) -> tuple[Album, ...]:
    return call.services.lists.albums.all(order, folder_of(call), **page_of(call, "size"))


def _played(order: PlayOrder, call: Call) -> tuple[Album, ...]:
    keys = call.services.listening.played_albums(
        call.user.id, order, folder_of(call), **page_of(call, "size")
    )
    return call.services.lists.albums.read(keys)


def _marked(order: MarkOrder, call: Call) -> tuple[Album, ...]:
    keys = call.services.listening.marked_albums(call.user.id, order)
    return call.services.lists.albums.some(keys, folder_of(call), **page_of(call, "size"))


def _of_years(call: Call) -> tuple[Album, ...]:
    first, last = call.arguments.number("fromYear"), call.arguments.number("toYear")
    return call.services.lists.albums.of_years(
        first, last, folder_of(call), **page_of(call, "size")
    )


def _of_genre(call: Call) -> tuple[Album, ...]:
    genre = call.arguments.text("genre")
    return call.services.lists.albums.of_genre(genre, folder_of(call), **page_of(call, "size"))


_TYPES: Final[Mapping[str, Callable[[Call], tuple[Album, ...]]]] = {
    "random": partial(_in_order, "random"),
    "newest": partial(_in_order, "newest"),
    "highest": partial(_marked, "highest"),
    "frequent": partial(_played, "frequent"),
    "recent": partial(_played, "recent"),
    "alphabeticalByName": partial(_in_order, "name"),
    "alphabeticalByArtist": partial(_in_order, "artist"),
    "starred": partial(_marked, "starred"),
    "byYear": _of_years,
    "byGenre": _of_genre,
}
