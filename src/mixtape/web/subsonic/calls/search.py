"""Search, which gives everything, page by page, to players that keep the library themselves."""

from __future__ import annotations

from typing import Final

from ....database.search import Field
from ....library.listed import Album, Artist, Song
from ..answers import Payload
from ..call import Call
from ..fields import album_fields, album_folder_fields, artist_fields, track_fields
from ..listed import folder_of, page_of

_DEFAULT: Final = 20
# A page that is shorter than a player asked for is the last one to it, so that few ask for more.
_MOST: Final = 5_000
_Found = tuple[tuple[Artist, ...], tuple[Album, ...], tuple[Song, ...]]
_FIELDS: Final[dict[str, Field]] = {"artist": "artist", "album": "album", "title": "title"}


def search(call: Call) -> Payload:
    """Return the tracks that have words in certain places; players of long ago ask so."""
    arguments = call.arguments
    typed = {field: arguments.text(name, "") for name, field in _FIELDS.items()}
    newer_than = arguments.moments("newerThan")
    page = page_of(call, default=_DEFAULT)
    ids = call.services.lists.songs.matching_fields(
        typed, arguments.text("any", ""), newer_than[0] if newer_than else None
    )
    some = ids[page["offset"] : page["offset"] + page["limit"]]
    return {
        "searchResult": {
            "offset": page["offset"],
            "totalHits": len(ids),
            "match": track_fields(call, call.services.catalogue.tracks(some)),
        }
    }


def search2(call: Call) -> Payload:
    """Return artists, albums as folders, and tracks."""
    artists, albums, songs = _find(call)
    return {
        "searchResult2": {
            "artist": artist_fields(call, artists),
            "album": album_folder_fields(call, albums),
            "song": track_fields(call, songs),
        }
    }


def search3(call: Call) -> Payload:
    """Return artists, albums and tracks."""
    artists, albums, songs = _find(call)
    return {
        "searchResult3": {
            "artist": artist_fields(call, artists),
            "album": album_fields(call, albums),
            "song": track_fields(call, songs),
        }
    }


def _find(call: Call) -> _Found:
    """Find what has the beginnings of words; without a word, as in "" or in two quotes, all."""
    query, folder, lists = call.arguments.text("query"), folder_of(call), call.services.lists
    pages = [
        page_of(call, f"{kind}Count", f"{kind}Offset", default=_DEFAULT, most=_MOST)
        for kind in ("artist", "album", "song")
    ]
    # Players ask for one kind at a time while they read everything.
    return (
        lists.artists.matching(query, folder, **pages[0]) if pages[0]["limit"] else (),
        lists.albums.matching(query, folder, **pages[1]) if pages[1]["limit"] else (),
        lists.songs.matching(query, folder, **pages[2]) if pages[2]["limit"] else (),
    )
