"""What goes with an artist, an album or a track, as far as the library itself knows.

Nothing is asked of anybody outside. There are no words about artists and albums, and no addresses
of pictures: they would lead to where a device's key is needed, which stands in no address that a
player may pass on. Each artist, album and track has a `coverArt` to ask for.
"""

from __future__ import annotations

from typing import Any, Final

from ....database.tables import Track
from ....errors import NotFoundError
from ....files.tags import sort_key
from ..answers import Payload
from ..call import Call
from ..errors import NOT_FOUND, SubsonicError
from ..fields import artist_fields, track_fields
from ..ids import Id, read_id
from ..listed import page_of
from .media import find_track

_SONGS: Final = 50
_ARTISTS: Final = 20


def get_top_songs(call: Call) -> Payload:
    """Return what was played most of an artist: by the caller, then by everybody."""
    if call.arguments.text("id", ""):
        (key,) = read_id(call.arguments.text("id"), "ar").keys
    else:
        key = sort_key(call.arguments.text("artist"))
    limit = page_of(call, default=_SONGS)["limit"]
    songs = call.services.listening.top_tracks(call.user.id, key, limit)
    return {"topSongs": {"song": track_fields(call, songs)}}


def get_similar_songs(call: Call) -> Payload:
    """Return tracks that go with an artist, an album or a track."""
    return {"similarSongs": _similar(call)}


def get_similar_songs2(call: Call) -> Payload:
    """Return tracks that go with an artist, an album or a track."""
    return {"similarSongs2": _similar(call)}


def get_artist_info(call: Call) -> Payload:
    """Return the artists that are like one."""
    return {"artistInfo": {"biography": "", "similarArtist": _like(call)}}


def get_artist_info2(call: Call) -> Payload:
    """Return the artists that are like one."""
    return {"artistInfo2": {"biography": "", "similarArtist": _like(call)}}


def get_album_info(call: Call) -> Payload:
    """Return what is known of an album: nothing beyond what its lists have."""
    _tracks(call, read_id(call.arguments.text("id"), "al", "tr", "fd"))
    return {"albumInfo": {"notes": ""}}


def _similar(call: Call) -> dict[str, Any]:
    wanted = read_id(call.arguments.text("id"), "ar", "al", "tr")
    limit = page_of(call, default=_SONGS)["limit"]
    similar = call.services.lists.similar
    if wanted.kind == "ar":
        songs = similar.to_artist(wanted.keys[0], limit)
    else:
        songs = similar.to_tracks(_tracks(call, wanted), limit)
    return {"song": track_fields(call, songs)}


def _like(call: Call) -> list[dict[str, Any]]:
    wanted = read_id(call.arguments.text("id"), "ar", "al", "tr", "fd")
    limit = page_of(call, default=_ARTISTS)["limit"]
    if wanted.kind == "ar":
        (key,) = wanted.keys
        if call.services.lists.artists.find(key) is None:
            raise SubsonicError(NOT_FOUND, "There is no such artist.")
    else:
        key = _tracks(call, wanted)[0].album_artist_key
    return artist_fields(call, call.services.lists.artists.like(key, limit))


def _tracks(call: Call, wanted: Id) -> tuple[Track, ...]:
    """Return the tracks of an id; there is one at least, or the call is refused (70)."""
    catalogue = call.services.catalogue
    try:
        match wanted.kind:
            case "tr":
                return (find_track(call),)
            case "al":
                tracks = catalogue.album_tracks(*wanted.keys)
            case _:
                tracks = call.services.selection.of_folder(wanted.path).items
    except NotFoundError:
        tracks = ()
    if not tracks:
        raise SubsonicError(NOT_FOUND, "There is nothing with this id.")
    return tracks
