"""Stars and ratings of what the library holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ....accounts.marks import BEST_RATING, Subject, read_album_mark
from ....database.account_tables import ALBUM, ARTIST, TRACK
from ....library.listed import Album
from ..answers import Payload
from ..call import Call
from ..errors import FAILED, MISSING_PARAMETER, NOT_FOUND, SubsonicError
from ..fields import Fields, album_fields, album_folder_fields, artist_fields, track_fields
from ..ids import Id, read_id
from ..listed import folder_of

_NAMES: Final = ("id", "albumId", "artistId")


def star(call: Call) -> Payload:
    """Give stars to tracks, albums and artists."""
    call.services.marks.star(call.user.id, _subjects(call, must_be_there=True))
    return {}


def unstar(call: Call) -> Payload:
    """Take stars back."""
    call.services.marks.unstar(call.user.id, _subjects(call, must_be_there=False))
    return {}


def set_rating(call: Call) -> Payload:
    """Rate a track, an album or an artist from 1 to 5; 0 takes the rating back."""
    rating = call.arguments.number("rating")
    if rating > BEST_RATING:
        raise SubsonicError(
            FAILED, f"“rating={rating}” has to be a number from 0 to {BEST_RATING}."
        )
    [subject] = _find(call, [call.arguments.text("id")], must_be_there=rating > 0)
    call.services.marks.rate(call.user.id, subject, rating)
    return {}


def get_starred(call: Call) -> Payload:
    """Return what the caller has starred, the latest first, albums as folders."""
    return {"starred": _starred(call, album_folder_fields)}


def get_starred2(call: Call) -> Payload:
    """Return what the caller has starred, the latest first."""
    return {"starred2": _starred(call, album_fields)}


def _starred(
    call: Call, fields_of: Callable[[Call, Iterable[Album]], list[Fields]]
) -> dict[str, list[Fields]]:
    marks, catalogue, user_id = call.services.marks, call.services.catalogue, call.user.id
    folder = folder_of(call)
    artist_keys = [key.decode() for key in marks.starred(user_id, ARTIST)]
    album_keys = [read_album_mark(key) for key in marks.starred(user_id, ALBUM)]
    paths = marks.starred(user_id, TRACK)
    if folder is not None and not folder.is_all:
        some_artists = catalogue.artists_in(folder, artist_keys)
        some_albums = catalogue.albums_in(folder, album_keys)
        artist_keys = [key for key in artist_keys if key in some_artists]
        album_keys = [keys for keys in album_keys if keys in some_albums]
        paths = [path for path in paths if folder.holds(path)]
    artists = catalogue.artists_by_keys(artist_keys)
    albums = catalogue.albums_by_keys(album_keys)
    tracks = catalogue.tracks_by_paths(paths)
    return {
        "artist": artist_fields(call, (artists[key] for key in artist_keys if key in artists)),
        "album": fields_of(call, (albums[key] for key in album_keys if key in albums)),
        "song": track_fields(call, (tracks[path] for path in paths if path in tracks)),
    }


def _subjects(call: Call, *, must_be_there: bool) -> list[Subject]:
    """Return all that a call names; it is all there, or the call is refused."""
    texts = [text for name in _NAMES for text in call.arguments.texts(name)]
    if not texts:
        raise SubsonicError(MISSING_PARAMETER, "Give id, albumId or artistId, one at least.")
    return _find(call, texts, must_be_there=must_be_there)


def _find(call: Call, texts: Sequence[str], *, must_be_there: bool) -> list[Subject]:
    ids = list(dict.fromkeys(read_id(text, "tr", "al", "ar", "fd") for text in texts))
    if any(one.kind == "fd" for one in ids):
        raise SubsonicError(
            NOT_FOUND, "Folders have no stars and ratings here: give them to the album or artist."
        )
    catalogue = call.services.catalogue
    found = catalogue.tracks([one.number for one in ids if one.kind == "tr"])
    paths = {track.id: track.path for track in found}
    albums = [(one.keys[0], one.keys[1]) for one in ids if one.kind == "al"]
    artists = [one.keys[0] for one in ids if one.kind == "ar"]
    if must_be_there:
        known_albums = catalogue.albums_by_keys(albums)
        known_artists = catalogue.artists_by_keys(artists)
        if len(known_albums) < len(albums) or len(known_artists) < len(artists):
            raise SubsonicError(NOT_FOUND, "The library has no such album or artist.")
    return [_subject(one, paths) for one in ids]


def _subject(one: Id, paths: dict[int, bytes]) -> Subject:
    if one.kind == "al":
        return Subject.album(*one.keys)
    if one.kind == "ar":
        return Subject.artist(*one.keys)
    if one.number not in paths:
        raise SubsonicError(NOT_FOUND, "The library has no such track.")
    return Subject.track(paths[one.number])
