"""What the player asks for beside the music: tracks by their ids, loudness lines, addresses."""

from __future__ import annotations

import logging
import os
from typing import Final

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from audio_cache import AudioCacheError, find_loudness
from audio_cache.flask_ext import get_state

from ...database.tables import MAX_ID, Track
from ...services import current_services
from ..urls import public_url
from ..visitors import current_mark, current_user
from .as_json import track_fields
from .json_api import fresh_json, no_content

blueprint = Blueprint("listening", __name__, url_prefix="/api/tracks")
MAX_IDS: Final = 500
LINE_AGE_S: Final = 24 * 3600

logger = logging.getLogger(__name__)


@blueprint.get("")
def tracks() -> Response:
    """Send tracks by their ids, as a player that was reloaded knows them."""
    return fresh_json({"tracks": [track_fields(track) for track in _asked_tracks()]})


@blueprint.get("/addresses")
def addresses() -> Response:
    """Send addresses by which a device that cannot sign in plays tracks, for a day."""
    links = current_services().library_links
    sign = links.signing_for_session(current_user().id, current_mark())
    found = {
        str(track.id): public_url("library_links.stream", token=sign(track.id))
        for track in _asked_tracks()
    }
    return fresh_json({"addresses": found})


@blueprint.get("/<int:track_id>/loudness")
def loudness(track_id: int) -> Response:
    """Send the loudness line of a track: a byte for each part, 204 where none can be told yet."""
    found = current_services().catalogue.tracks([min(track_id, MAX_ID)])
    if not found:
        abort(404, "The library has no such track.")
    return send_loudness(found[0].path)


def _asked_tracks() -> list[Track]:
    """Return the tracks that `ids` names and that can be played; 400 where it names none."""
    words = request.args.get("ids", "").split(",")
    ids = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 20]
    if len(ids) < len(words) or len(ids) > MAX_IDS:
        abort(400, f"`ids` has to be up to {MAX_IDS} numbers with commas between them.")
    found = current_services().catalogue.tracks(ids)
    return [track for track in found if not track.problem and not track.missing_since]


def send_loudness(path: bytes) -> Response:
    """Return the answer with the loudness line of a track, by its path in the library."""
    state = get_state()
    try:
        with state.roots.opened(path) as (track, _):
            line = find_loudness(state.cache, track)
    except (AudioCacheError, OSError) as error:
        logger.info("no loudness line of %s: %s", ascii(os.fsdecode(path)), error)
        line = None
    if line is None:
        # Later there may be one, so that nothing keeps this.
        nothing = no_content()
        nothing.cache_control.no_store = True
        return nothing
    response = Response(line.levels, mimetype="application/octet-stream")
    response.set_etag(line.etag)
    response.cache_control.private = True
    response.cache_control.max_age = LINE_AGE_S
    return response.make_conditional(request)
