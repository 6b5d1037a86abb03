"""Music and covers: renditions of exact length, originals, pictures."""

from __future__ import annotations

import os
from typing import Final

from flask import request
from werkzeug.exceptions import NotFound, ServiceUnavailable
from werkzeug.wrappers import Response

from audio_cache import (
    BEST_QUALITY,
    QUALITY_SETTINGS,
    AudioCacheError,
    Composition,
    LiveUnavailableError,
    QualityLevel,
    bitrate_bps,
)
from audio_cache.flask_ext import send_library_track

from ....database.tables import Track
from ....errors import NotFoundError
from ....library.collages import collage_key
from ....library.covers import LARGE, SIZES
from ...views.artwork import send_cover, unchanging
from ..call import Call
from ..errors import NOT_FOUND, SubsonicError
from ..fields import MP3
from ..ids import Id, read_id

_RAW: Final = "raw"
_NO_TRACK: Final = "The library has no such track, or its file is missing at the moment."
_NO_COVER: Final = "There is no such cover."


def stream(call: Call) -> Response:
    """Send a track at the quality that `format` and `maxBitRate` ask for.

    The length is exact in every answer, whatever `estimateContentLength` says. A `timeOffset` is
    for what is made of a track: of the file itself a player can have any range.
    """
    track = find_track(call)
    wanted = call.arguments.text("format", "")
    limit_kbit_s = call.arguments.number("maxBitRate", 0)
    from_s = call.arguments.decimal("timeOffset", 0)
    quality = choose_quality(track, wanted, limit_kbit_s)
    if from_s and quality == "original" and track.lossless and wanted != _RAW:
        quality = BEST_QUALITY
    return send_from(call, track, quality, from_s)


def download(call: Call) -> Response:
    """Send a track as it is."""
    return send(find_track(call), "original")


def get_cover_art(call: Call) -> Response:
    """Send the cover of an id as a JPEG that is at least as large as asked, as far as there is."""
    wanted = read_id(call.arguments.text("id"))
    size_px = call.arguments.number("size", LARGE, least=1)
    size = next((size for size in SIZES if size >= size_px), LARGE)
    keys = _cover_parts(call, wanted)
    if not keys:
        raise SubsonicError(NOT_FOUND, _NO_COVER)
    try:
        response = send_cover(collage_key(keys), size, keys)
    except NotFoundError as error:
        raise SubsonicError(NOT_FOUND, _NO_COVER) from error
    return unchanging(response) if wanted.kind == "cv" else response


def choose_quality(track: Track, wanted: str, limit_kbit_s: int) -> QualityLevel:
    """Return the quality that comes nearest to what is asked for without being above it.

    Args:
        track: what is to be played.
        wanted: the format: "raw" for the file as it is, "" where the player does not mind. MP3 is
            all that is made, so any other word asks for that.
        limit_kbit_s: how much it may take; 0 for any.

    Returns:
        The lowest quality where all are above the limit. "original" where nothing has to be made.
    """
    if wanted == _RAW or not track.lossless:
        return "original"
    if not wanted and (not limit_kbit_s or _is_within(track, limit_kbit_s)):
        return "original"
    if not limit_kbit_s:
        return BEST_QUALITY
    qualities = sorted(QUALITY_SETTINGS, key=bitrate_bps, reverse=True)
    within = (quality for quality in qualities if bitrate_bps(quality) <= limit_kbit_s * 1000)
    return next(within, qualities[-1])


def find_track(call: Call, name: str = "id") -> Track:
    """Return the track that an id names; it is there, or the call is refused (70)."""
    wanted = read_id(call.arguments.text(name), "tr")
    found = call.services.catalogue.tracks([wanted.number])
    if not found or found[0].missing_since is not None:
        raise SubsonicError(NOT_FOUND, _NO_TRACK)
    return found[0]


def send(track: Track, quality: QualityLevel) -> Response:
    """Return the answer with a track."""
    try:
        return send_library_track(os.fsdecode(track.path), quality)
    except NotFound as error:
        raise SubsonicError(NOT_FOUND, _NO_TRACK) from error


def send_from(call: Call, track: Track, quality: QualityLevel, from_s: float) -> Response:
    """Return the answer with what is left of a track from a second on.

    The file as it is, which "original" stands for, is sent from its beginning.
    """
    if not from_s or (quality == "original" and not track.is_sheet_track):
        return send(track, quality)
    takeaway = call.services.takeaway
    asked = request._get_current_object()  # type: ignore[attr-defined]
    try:
        path, status = takeaway.find(track.path)
        tail = takeaway.composer.describe(path, quality, status).tail(from_s)
        if tail is None:
            return send(track, quality)
        return takeaway.composer.answer(asked, Composition((tail,)), MP3)
    except LiveUnavailableError as error:
        raise ServiceUnavailable("This track cannot be played now.", retry_after=5) from error
    except (AudioCacheError, OSError) as error:
        raise SubsonicError(NOT_FOUND, _NO_TRACK) from error


def _is_within(track: Track, limit_kbit_s: int) -> bool:
    if track.is_sheet_track or not track.duration_s:
        return False
    return track.size_bytes * 8 <= limit_kbit_s * 1000 * track.duration_s


def _cover_parts(call: Call, wanted: Id) -> tuple[str, ...]:
    """Return the covers that the cover of an id is made of; none where it has none."""
    catalogue = call.services.catalogue
    try:
        match wanted.kind:
            case "cv":
                return wanted.keys
            case "tr":
                tracks = catalogue.tracks([wanted.number])
                key = tracks[0].cover_key if tracks else None
            case "al":
                key = catalogue.get_album(*wanted.keys).cover_key
            case "ar":
                albums = catalogue.albums(artist_key=wanted.keys[0], limit=1).items
                key = albums[0].cover_key if albums else None
            case "fd":
                tracks = catalogue.folder(wanted.path).tracks
                key = next((track.cover_key for track in tracks if track.cover_key), None)
            case "pl":
                return (
                    call.services.tapes_of(call.user.id)
                    .mixtapes.get_by_id(wanted.number)
                    .cover_parts
                )
    except NotFoundError:
        return ()
    return (key,) if key else ()
