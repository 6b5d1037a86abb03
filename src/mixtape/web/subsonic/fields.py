"""Tracks, albums and artists as players get them.

Nothing is without an artist or an album here: players find their way to a track by both. What names
none is of the unknown artist, whose key is empty, or on an unknown album of its artist.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from flask_babel import gettext

from audio_cache import BEST_QUALITY, audio_size, bitrate_bps, media_type, suffix_of

from ...accounts.marks import NOTHING, Liking
from ...database.tables import Track
from ...files.tags import VARIOUS_ARTISTS, lead_artist, sort_key, split_genres
from ...library.listed import Album, Artist, Song
from .answers import Plain
from .call import Call
from .ids import album_id, artist_id, cover_id, track_id

Fields = dict[str, Any]
MP3: Final = "audio/mpeg"
_VARIOUS: Final = sort_key(VARIOUS_ARTISTS)
# A page of hundreds of tracks has few genres, artists and kinds of files.
_remembered: Final = lru_cache(maxsize=1024)
_lead_artist: Final = _remembered(lead_artist)


def track_fields(call: Call, tracks: Iterable[Track | Song]) -> list[Fields]:
    """Return tracks as the API's `Child`, with what the caller has said of each."""
    listed = list(tracks)
    said = call.services.marks.of_tracks(call.user.id, (track.path for track in listed))
    return [_track(track, said.get(track.path, NOTHING)) for track in listed]


def album_fields(call: Call, albums: Iterable[Album]) -> list[Fields]:
    """Return albums as the API's `AlbumID3`, with what the caller has said of each."""
    listed = list(albums)
    keys = [(album.artist_key, album.key) for album in listed]
    said = call.services.marks.of_albums(call.user.id, keys)
    return [
        _album(album, said.get(pair, NOTHING)) for album, pair in zip(listed, keys, strict=True)
    ]


def album_folder_fields(call: Call, albums: Iterable[Album]) -> list[Fields]:
    """Return albums as folders, the API's `Child`, for players that know none but these."""
    return [
        {
            **fields,
            "isDir": True,
            "parent": fields["artistId"],
            "title": fields["name"],
            "album": fields["name"],
            "mediaType": "album",
        }
        for fields in album_fields(call, albums)
    ]


def artist_fields(call: Call, artists: Iterable[Artist]) -> list[Fields]:
    """Return artists as the API's `ArtistID3`, with what the caller has said of each."""
    listed = list(artists)
    said = call.services.marks.of_artists(call.user.id, (artist.key for artist in listed))
    return [_artist(artist, said.get(artist.key, NOTHING)) for artist in listed]


def artist_name(name: str) -> str:
    """Return what an artist is called; the one of tracks that name none too."""
    return name or gettext("Unknown artist")


def album_name(title: str) -> str:
    """Return what an album is called; that of tracks that name none too."""
    return title or gettext("Unknown album")


@_remembered
def genre_fields(names: tuple[str, ...]) -> Plain:
    """Return genres as the API's `ItemGenre`."""
    return Plain({"name": name} for name in names)


def _track(track: Track | Song, said: Liking) -> Fields:
    duration_s = track.duration_s or 0.0
    is_cut = track.is_sheet_track
    suffix = ".mp3" if is_cut else suffix_of(track.file_name)
    kbit_s = round(track.size_bytes * 8 / duration_s / 1000) if duration_s else None
    album_artist = artist_name(track.album_artist)
    artist = track.artist or album_artist
    leader = artist_id(_leader(track))
    album = album_id(track.album_artist_key, track.album_key)
    fields: Fields = {
        "id": track_id(track.id),
        "parent": album,
        "isDir": False,
        "title": track.title,
        "album": album_name(track.album),
        "artist": artist,
        "track": track.track_no,
        "year": track.year,
        "genre": track.genre or None,
        "coverArt": cover_id(track.cover_key),
        "size": _cut_bytes(track) if is_cut else track.size_bytes,
        "contentType": _media_type(suffix),
        "suffix": suffix.removeprefix("."),
        "duration": round(duration_s),
        "bitRate": bitrate_bps(BEST_QUALITY) // 1000 if is_cut else kbit_s,
        "bitDepth": track.bits,
        "samplingRate": track.rate_hz,
        "channelCount": track.channels,
        "path": track.path.decode("utf-8", "replace"),
        "isVideo": False,
        "discNumber": track.disc_no,
        "created": track.added_at,
        "albumId": album,
        "artistId": leader,
        "type": "music",
        "mediaType": "song",
        "genres": genre_fields(_genres(track.genre)),
        "artists": _artists(leader, _lead_artist(artist)),
        "displayArtist": artist,
        "albumArtists": _artists(artist_id(track.album_artist_key), album_artist),
        "displayAlbumArtist": album_artist,
        "replayGain": _gain(track),
        **_said(said),
        **_heard(said),
        "bookmarkPosition": said.bookmark_ms,
    }
    if track.lossless and not is_cut:
        fields |= {"transcodedContentType": MP3, "transcodedSuffix": "mp3"}
    return fields


@_remembered
def _artists(key: str, name: str) -> Plain:
    """Return one artist as a list of the API's `ArtistID3`, with what every list of them has."""
    return Plain([{"id": key, "name": name}])


@_remembered
def _media_type(suffix: str) -> str:
    return media_type(f"track{suffix}")


@_remembered
def _genres(text: str) -> tuple[str, ...]:
    return tuple(split_genres(text))


def _cut_bytes(track: Track | Song) -> int:
    """Return what a track of a CUE sheet takes as an MP3; players leave out what has no size."""
    rate_hz = track.rate_hz or 1
    return audio_size(round((track.duration_s or 0.0) * rate_hz), rate_hz, BEST_QUALITY)


def _gain(track: Track | Song) -> Fields:
    return {
        "trackGain": track.track_gain_db,
        "albumGain": track.album_gain_db,
        "trackPeak": track.track_peak,
        "albumPeak": track.album_peak,
    }


def _leader(track: Track | Song) -> str:
    """Return the key of whom a track is by, as far as there is such an artist in the library."""
    return track.artist_key if track.artist_key and track.album_key else track.album_artist_key


def _album(album: Album, said: Liking) -> Fields:
    artist, by = artist_name(album.artist), artist_id(album.artist_key)
    return {
        "id": album_id(album.artist_key, album.key),
        "name": album_name(album.title),
        "artist": artist,
        "artistId": by,
        "artists": _artists(by, artist),
        "displayArtist": artist,
        "coverArt": cover_id(album.cover_key),
        "songCount": album.tracks,
        "duration": round(album.duration_s),
        "created": album.added_at,
        "year": album.year,
        "genre": album.genres[0] if album.genres else None,
        "genres": genre_fields(album.genres),
        "sortName": album.key,
        "isCompilation": album.artist_key == _VARIOUS,
        "discTitles": Plain({"disc": disc, "title": title} for disc, title in album.disc_titles),
        **_said(said),
        **_heard(said),
    }


def _artist(artist: Artist, said: Liking) -> Fields:
    is_leader, is_guest = artist.albums or artist.has_loose, artist.appears_on
    return {
        "id": artist_id(artist.key),
        "name": artist_name(artist.name),
        "coverArt": cover_id(artist.cover_key),
        "albumCount": artist.albums + artist.has_loose + artist.appears_on,
        "sortName": artist.key,
        "roles": ["albumartist"] * bool(is_leader) + ["artist"] * bool(is_guest),
        **_said(said),
    }


def _said(said: Liking) -> Fields:
    return {"starred": said.starred_at, "userRating": said.rating}


def _heard(said: Liking) -> Fields:
    return {"playCount": said.plays, "played": said.last_played_at}
