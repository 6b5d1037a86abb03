"""The library by its tags: artists, their albums, the tracks on these, genres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....library.listed import Artist
from ..answers import TEXT, Payload
from ..call import Call
from ..errors import NOT_FOUND, SubsonicError
from ..fields import album_fields, artist_fields, track_fields
from ..ids import read_id
from ..listed import IGNORED_ARTICLES, by_letter, folder_of
from .media import find_track


def get_artists(call: Call) -> Payload:
    """Return all artists under their letters, also those who appear on albums of others alone."""
    artists = call.services.lists.artists.all(folder_of(call))

    def fields(some: Sequence[Artist]) -> list[dict[str, Any]]:
        return artist_fields(call, some)

    index = by_letter(artists, lambda artist: artist.key, fields)
    return {"artists": {"ignoredArticles": IGNORED_ARTICLES, "index": index}}


def get_artist(call: Call) -> Payload:
    """Return an artist with the albums."""
    (key,) = read_id(call.arguments.text("id"), "ar").keys
    found = call.services.lists.artists.find(key)
    if found is None:
        raise SubsonicError(NOT_FOUND, "There is no such artist.")
    albums = call.services.lists.albums.of_artist(key)
    [fields] = artist_fields(call, [found])
    return {"artist": {**fields, "album": album_fields(call, albums)}}


def get_album(call: Call) -> Payload:
    """Return an album with its tracks."""
    artist_key, key = read_id(call.arguments.text("id"), "al").keys
    found = call.services.lists.albums.get(artist_key, key)
    if found is None:
        raise SubsonicError(NOT_FOUND, "There is no such album.")
    tracks = call.services.catalogue.album_tracks(artist_key, key)
    [fields] = album_fields(call, [found])
    return {"album": {**fields, "song": track_fields(call, tracks)}}


def get_song(call: Call) -> Payload:
    """Return a track."""
    [fields] = track_fields(call, [find_track(call)])
    return {"song": fields}


def get_genres(call: Call) -> Payload:
    """Return all genres with how much there is of each."""
    return {
        "genres": {
            "genre": [
                {TEXT: genre.name, "songCount": genre.tracks, "albumCount": genre.albums}
                for genre in call.services.lists.genres.all()
            ]
        }
    }
