"""The tracks of an album, an artist or a folder, for playing or adding all of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from ...database.tables import Track
from ...library.listed import Page
from ...services import current_services
from ..urls import requested_path
from .as_json import decode_key, track_fields
from .json_api import fresh_json

blueprint = Blueprint("selections", __name__, url_prefix="/api")


@blueprint.get("/albums/<key>/tracks")
def album(key: str) -> Response:
    """Send the tracks of an album; with `shuffled`, here and below, in no order."""
    artist_key, album_key = decode_key(key, 2) or _no("album")
    found = current_services().selection.of_album(artist_key, album_key, shuffled=_shuffled())
    return _answer(found, "album")


@blueprint.get("/artists/<key>/tracks")
def artist(key: str) -> Response:
    """Send the tracks of an artist, album by album."""
    (artist_key,) = decode_key(key, 1) or _no("artist")
    found = current_services().selection.of_artist(artist_key, shuffled=_shuffled())
    return _answer(found, "artist")


@blueprint.get("/folder-tracks/")
@blueprint.get("/folder-tracks/<file_path:path>")
def folder(path: str = "") -> Response:
    """Send the tracks in and below a folder; the path is that of its page."""
    here = requested_path("/api/folder-tracks/")
    found = current_services().selection.of_folder(here, shuffled=_shuffled())
    return _answer(found, "folder with music")


def _shuffled() -> bool:
    return "shuffled" in request.args


def _answer(found: Page[Track], what: str) -> Response:
    if not found.items:
        _no(what)
    tracks = [track_fields(track) for track in found.items]
    return fresh_json({"tracks": tracks, "has_more": found.has_more})


def _no(what: str) -> Any:
    abort(404, f"The library has no such {what}. It may have gone with the last scan.")
