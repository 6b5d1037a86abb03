"""Lyrics, from files beside tracks and from their tags."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from ....database.tables import Track
from ....files.lyrics import Lyrics
from ....files.tags import sort_key
from ..answers import TEXT, Payload
from ..call import Call
from ..fields import artist_name
from .media import find_track

# Each is opened; a library has a thousand that are called “Intro”.
_MOST_OPENED: Final = 20


def get_lyrics(call: Call) -> Payload:
    """Return the words of the first track with an artist and a title that has some."""
    artist, title = call.arguments.text("artist", ""), call.arguments.text("title", "")
    titled = call.services.lists.songs.titled(sort_key(artist), title)
    for track in islice(titled, _MOST_OPENED):
        for lyrics in call.services.lyrics.find(track):
            return {
                "lyrics": {
                    "artist": artist_name(track.artist),
                    "title": track.title,
                    TEXT: lyrics.text,
                }
            }
    return {"lyrics": {TEXT: ""}}


def get_lyrics_by_song_id(call: Call) -> Payload:
    """Return all lyrics of a track, those with times first."""
    track = find_track(call)
    found = call.services.lyrics.find(track)
    return {"lyricsList": {"structuredLyrics": [_fields(track, lyrics) for lyrics in found]}}


def _fields(track: Track, lyrics: Lyrics) -> dict[str, Any]:
    return {
        "displayArtist": lyrics.artist or artist_name(track.artist),
        "displayTitle": lyrics.title or track.title,
        "lang": lyrics.language,
        "offset": lyrics.offset_ms,
        "synced": lyrics.is_synced,
        "line": [{"start": start_ms, TEXT: words} for start_ms, words in lyrics.lines],
    }
