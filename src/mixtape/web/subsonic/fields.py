"""Tracks, albums and artists as players get them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from audio_cache import BEST_QUALITY, bitrate_bps, media_type, suffix_of

from ...accounts.marks import NOTHING, Liking, album_mark, artist_mark
from ...database.account_tables import ALBUM, ARTIST
from ...database.tables import Track
from ...library.listed import Album, Artist
from .call import Call
from .ids import album_id, artist_id, cover_id, folder_id, track_id

Fields = dict[str, Any]
_MP3: Final = "audio/mpeg"


def track_fields(call: Call, tracks: Iterable[Track]) -> list[Fields]:
    """Return tracks as the API's `Child`, with what the caller has said of each."""
    listed = list(tracks)
    said = call.services.marks.of_tracks(call.user.id, (track.path for track in listed))
    return [_track(track, said.get(track.path, NOTHING)) for track in listed]


def album_fields(call: Call, albums: Iterable[Album]) -> list[Fields]:
    """Return albums as the API's `AlbumID3`, with what the caller has said of each."""
    listed = list(albums)
    marks = [album_mark(album.artist_key, album.key) for album in listed]
    said = call.services.marks.of_kind(call.user.id, ALBUM, marks)
    return [
        _album(album, said.get(mark, NOTHING)) for album, mark in zip(listed, marks, strict=True)
    ]


def artist_fields(call: Call, artists: Iterable[Artist]) -> list[Fields]:
    """Return artists as the API's `ArtistID3`, with what the caller has said of each."""
    listed = list(artists)
    marks = [artist_mark(artist.key) for artist in listed]
    said = call.services.marks.of_kind(call.user.id, ARTIST, marks)
    return [
        _artist(artist, said.get(mark, NOTHING)) for artist, mark in zip(listed, marks, strict=True)
    ]


def genre_fields(genre: str) -> list[Fields]:
    """Return the genres of a track, which its tag joins with commas, as the API's `ItemGenre`."""
    return [{"name": name} for name in map(str.strip, genre.split(",")) if name]


def _track(track: Track, said: Liking) -> Fields:
    duration_s = track.duration_s or 0.0
    is_cut = track.is_sheet_track
    suffix = "mp3" if is_cut else suffix_of(track.file_name).removeprefix(".")
    kbit_s = round(track.size_bytes * 8 / duration_s / 1000) if duration_s else None
    artist = track.artist or track.album_artist
    has_album = bool(track.album_key)
    fields: Fields = {
        "id": track_id(track.id),
        "parent": album_id(track.album_artist_key, track.album_key)
        if has_album
        else folder_id(track.folder),
        "isDir": False,
        "title": track.title,
        "album": track.album or None,
        "artist": artist or None,
        "track": track.track_no,
        "year": track.year,
        "genre": track.genre or None,
        "coverArt": cover_id(track.cover_key),
        "size": None if is_cut else track.size_bytes,
        "contentType": _MP3 if is_cut else media_type(track.file_name),
        "suffix": suffix,
        "duration": round(duration_s),
        "bitRate": bitrate_bps(BEST_QUALITY) // 1000 if is_cut else kbit_s,
        "bitDepth": track.bits,
        "samplingRate": track.rate_hz,
        "channelCount": track.channels,
        "path": track.path.decode("utf-8", "replace"),
        "isVideo": False,
        "discNumber": track.disc_no,
        "created": track.added_at,
        "albumId": album_id(track.album_artist_key, track.album_key) if has_album else None,
        "artistId": artist_id(track.album_artist_key) if track.album_artist_key else None,
        "type": "music",
        "mediaType": "song",
        "genres": genre_fields(track.genre),
        "displayArtist": artist,
        "displayAlbumArtist": track.album_artist,
        "replayGain": _gain(track),
        **_said(said),
        "playCount": said.plays,
        "played": said.last_played_at,
        "bookmarkPosition": said.bookmark_ms,
    }
    if track.lossless and not is_cut:
        fields |= {"transcodedContentType": _MP3, "transcodedSuffix": "mp3"}
    return fields


def _gain(track: Track) -> Mapping[str, float | None]:
    return {
        "trackGain": track.track_gain_db,
        "albumGain": track.album_gain_db,
        "trackPeak": track.track_peak,
        "albumPeak": track.album_peak,
    }


def _album(album: Album, said: Liking) -> Fields:
    return {
        "id": album_id(album.artist_key, album.key),
        "name": album.title,
        "artist": album.artist or None,
        "artistId": artist_id(album.artist_key) if album.artist_key else None,
        "displayArtist": album.artist,
        "coverArt": cover_id(album.cover_key),
        "songCount": album.tracks,
        "duration": round(album.duration_s),
        "year": album.year,
        **_said(said),
    }


def _artist(artist: Artist, said: Liking) -> Fields:
    return {
        "id": artist_id(artist.key),
        "name": artist.name,
        "coverArt": cover_id(artist.cover_key),
        "albumCount": artist.albums + artist.appears_on,
        **_said(said),
    }


def _said(said: Liking) -> Fields:
    return {"starred": said.starred_at, "userRating": said.rating}
