"""Tracks, albums and mixtapes as pages and scripts get them."""

from __future__ import annotations

import base64
import zlib
from dataclasses import fields
from typing import Any, Final

from flask import Flask, url_for
from flask_babel import lazy_gettext

from audio_cache import (
    QUALITY_LEVELS,
    QUALITY_SETTINGS,
    bitrate_bps,
)
from audio_cache.flask_ext import get_state

from ...database.tables import Track
from ...files.audio_file import NOT_AUDIO
from ...files.formats import mime_type
from ...library.covers import MIDDLE, SMALL
from ...library.damage import damage_of
from ...library.listed import Album, Artist
from ...library.sizes import sent_size
from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ..languages import in_language
from ..quality_names import quality_label
from ..urls import play_url, public_url
from .mixtape_covers import mixtape_cover_url

_LOST: Final = lazy_gettext("The file is missing at the moment.")
_NO_MUSIC: Final = lazy_gettext("This file holds no music that can be read.")


def init_app(app: Flask) -> None:
    """Give an app's templates the qualities, and the addresses of artists, albums and covers."""
    app.jinja_env.globals.update(
        album_url=album_url,
        album_marks=album_marks,
        artist_url=artist_url,
        art_url=art_url,
        mixtape_cover_url=mixtape_cover_url,
        album_tracks_url=album_tracks_url,
        artist_tracks_url=artist_tracks_url,
        public_url=public_url,
        track_fields=track_fields,
        scan_fields=scan_fields,
        default_quality=app.extensions["audio_cache"].settings.default_quality,
    )
    app.context_processor(lambda: {"qualities": quality_fields()})
    app.jinja_env.filters["quality_label"] = quality_label


def encode_key(*keys: str) -> str:
    """Return keys of the catalogue as one word of an address, whatever is in them."""
    joined = "\0".join(keys).encode()
    return base64.urlsafe_b64encode(joined).decode("ascii").rstrip("=") or "-"


def decode_key(word: str, count: int) -> tuple[str, ...] | None:
    """Return the keys that `encode_key` made a word of; None where it did not."""
    try:
        padded = "" if word == "-" else word + "=" * (-len(word) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
    keys = tuple(text.split("\0"))
    return keys if len(keys) == count else None


def artist_url(artist: Artist | Album) -> str:
    """Return the address of an artist's page, or of the page of an album's artist."""
    key = artist.key if isinstance(artist, Artist) else artist.artist_key
    return url_for("catalogue.artist", key=encode_key(key))


def album_url(album: Album) -> str:
    """Return the address of an album's page."""
    return url_for("catalogue.album", key=encode_key(album.artist_key, album.key))


def album_marks(album: Album) -> str:
    """Return what stands for an album in the addresses of its star and rating."""
    return f"albums/{encode_key(album.artist_key, album.key)}"


def album_tracks_url(album: Album) -> str:
    """Return the address of an album's tracks."""
    return url_for("selections.album", key=encode_key(album.artist_key, album.key))


def artist_tracks_url(artist_key: str) -> str:
    """Return the address of an artist's tracks."""
    return url_for("selections.artist", key=encode_key(artist_key))


def art_url(key: str | None, size: int, name: str = "") -> str:
    """Return the address of a cover, or of one that is drawn for a name where there is none."""
    if key is None:
        number = zlib.crc32(name.encode("utf-8", "replace"))
        return url_for("artwork.drawn", number=number)
    return url_for("artwork.picture", key=key, size=size)


def track_fields(track: Track) -> dict[str, Any]:
    """Return a track as the player, the lists and the editor need it."""
    return {
        "id": track.id,
        "title": track.file_name if track.problem else track.title,
        "artist": track.artist or track.album_artist,
        "album": track.album,
        "number": track.track_no,
        "duration": round(track.duration_s or 0.0, 3),
        "size": track.size_bytes,
        "sizes": {quality: sent_size(track, quality) for quality in QUALITY_LEVELS},
        "format": track.format_label,
        "mime": mime_type(
            "rendition.mp3" if track.is_sheet_track else track.file_name, track.codec
        ),
        "lossless": track.lossless,
        "url": play_url(track.path),
        "cover": art_url(track.cover_key, SMALL, track.album or track.title),
        "gain": _gain(track),
        "album_url": _album_url(track),
        "problem": _problem(track),
        "damage": _damage(track),
    }


def quality_fields() -> list[dict[str, Any]]:
    """Return the qualities as pages and scripts offer them, the best first."""
    return [
        {
            "name": level,
            "label": quality_label(level),
            "kbps": bitrate_bps(level) // 1000 if level in QUALITY_SETTINGS else 0,
        }
        for level in QUALITY_LEVELS
    ]


def album_fields(album: Album) -> dict[str, Any]:
    """Return an album as the search shows it."""
    return {
        "title": album.title,
        "artist": album.artist,
        "year": album.year,
        "tracks": album.tracks,
        "url": album_url(album),
        "tracks_url": album_tracks_url(album),
        "marks": album_marks(album),
        "cover": art_url(album.cover_key, MIDDLE, album.title),
    }


def artist_fields(artist: Artist) -> dict[str, Any]:
    """Return an artist as the search shows it."""
    return {
        "name": artist.name,
        "albums": artist.albums,
        "appears_on": artist.appears_on,
        "tracks": artist.tracks,
        "url": artist_url(artist),
        "cover": art_url(artist.cover_key, MIDDLE, artist.name),
    }


def scan_fields() -> dict[str, Any]:
    """Return the state of the scan for the page."""
    progress = current_services().scanner.progress
    told = {each.name: getattr(progress, each.name) for each in fields(progress)}
    told["total"] = told.pop("total_estimate")
    told["error"] = progress.error and in_language(progress.error)
    return told


def damage_fields(mixtape: SavedMixtape) -> dict[str, str]:
    """Return what is wrong with tracks of a mixtape, by their ids."""
    found = {str(track.id): _damage(track) for track in mixtape.tracks}
    return {track_id: damage for track_id, damage in found.items() if damage}


def _gain(track: Track) -> dict[str, list[float | None]] | None:
    """Return gain in decibels and peak of a track and of its album; None without any."""
    if track.track_gain_db is None and track.album_gain_db is None:
        return None
    return {
        "track": [track.track_gain_db, track.track_peak],
        "album": [track.album_gain_db, track.album_peak],
    }


def _album_url(track: Track) -> str:
    if not track.album_key:
        return ""
    return url_for("catalogue.album", key=encode_key(track.album_artist_key, track.album_key))


def _damage(track: Track) -> str:
    state = get_state()
    damage = damage_of(state.cache, state.roots, track)
    return "" if damage is None else in_language(damage)


def _problem(track: Track) -> str | None:
    if track.missing_since:
        return str(_LOST)
    # What the system says helps to mend it ("Permission denied"); what parsers say does not.
    return (
        str(_NO_MUSIC) if track.problem and track.problem.startswith(NOT_AUDIO) else track.problem
    )
