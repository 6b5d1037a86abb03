"""Playlists of the library for players that cannot sign in: an address is all that they need."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from flask import Blueprint, abort, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from audio_cache import QualityError, QualityLevel, parse_quality
from audio_cache.flask_ext import requested_quality, send_library_track

from ...database.tables import Track
from ...errors import LinkError, NotFoundError
from ...library.catalogue import Catalogue
from ...library.parts import Part
from ...mixtapes.open_answers import answers_to
from ...services import current_services
from ...takeaway.playlists import PlaylistEntry, m3u8_entry, m3u8_head
from ..device_use import note_use
from ..guests import refuse_link
from ..security import let_receivers_play
from ..urls import public_url
from ..visitors import current_user, find_mark
from .json_api import fresh_json, read_object
from .player import keep_out_of_search_engines

blueprint = Blueprint("library_links", __name__)
blueprint.after_request(keep_out_of_search_engines)
_AT_ONCE: Final = 500
_NO_LINK: Final = lazy_gettext(
    "There is no such link to the library. It may have been removed: make another one on the page "
    "“Devices”."
)


@blueprint.post("/api/library-links")
def add() -> Response:
    """Make a link to a playlist of the library, which this answer alone tells."""
    body = read_object()
    name, quality = body.get("name"), body.get("quality")
    if not isinstance(name, str) or not isinstance(quality, str):
        abort(400, gettext('This needs "name" and "quality", both texts.'))
    try:
        level = parse_quality(quality)
    except QualityError as error:
        abort(400, str(error))
    device, key = current_services().devices.add(
        current_user().id, name, is_recoverable=False, is_link=True
    )
    address = public_url(".playlist", key=key, quality=level)
    return fresh_json({"id": device.id, "name": device.name, "address": address}, 201)


@blueprint.get("/library/<key>.m3u8")
def playlist(key: str) -> Response:
    """Send the library as an M3U8 playlist, or what an artist, album, genre or folder has of it."""
    quality, part, services = requested_quality(), _asked_part(), current_services()
    try:
        link = services.library_links.get(key)
    except LinkError:
        refuse_link(str(_NO_LINK))
    note_use(link.id, _client())
    # Not `url_for` with each: that takes longer than all the rest.
    start = public_url(".stream", token="_").removesuffix("_")
    sign = services.library_links.signing(link)
    response = Response(
        _written(
            part.name or gettext("Library"),
            services.parts.ids(part),
            services.catalogue,
            lambda track: f"{start}{sign(track.id)}?quality={quality}",
        ),
        content_type="audio/x-mpegurl; charset=utf-8",
    )
    response.headers["Content-Disposition"] = 'attachment; filename="library.m3u8"'
    response.cache_control.no_cache = True
    response.cache_control.private = True
    return response


@blueprint.get("/library/tracks/<token>")
def stream(token: str) -> Response:
    """Play a track of such a playlist, or of a page that plays elsewhere, at any quality."""
    quality: QualityLevel = requested_quality()
    answers = current_services().open_answers
    ends = answers.ends
    link_id, path = _linked_track(token)
    response = let_receivers_play(send_library_track(os.fsdecode(path), quality))
    if link_id is None:
        return response
    note_use(link_id, _client())
    answers.add(answers_to(link_id), request.environ, response)
    if answers.ends != ends:
        # One was removed between the look and now: perhaps this one.
        _linked_track(token)
    return response


def _linked_track(token: str) -> tuple[int | None, bytes]:
    """Return the link, if it is of one, and the track of a token; 404 where there is none (now)."""
    try:
        return current_services().library_links.find_track(token, find_mark)
    except LinkError:
        refuse_link(str(_NO_LINK))
    except NotFoundError:
        abort(404, gettext("This track is no longer there."))


def _written(
    title: str, ids: array[int], catalogue: Catalogue, address: Callable[[Track], str]
) -> Iterator[str]:
    """Yield a playlist piece by piece: no more of the library is in memory than its numbers."""
    yield m3u8_head(title)
    for start in range(0, len(ids), _AT_ONCE):
        tracks = catalogue.tracks(ids[start : start + _AT_ONCE])
        yield "".join(
            m3u8_entry(
                PlaylistEntry(
                    location=address(track),
                    title=track.title,
                    artist=track.artist or track.album_artist,
                    duration_s=track.duration_s or 0.0,
                    album=track.album,
                )
            )
            for track in tracks
            if track.problem is None
        )


def _asked_part() -> Part:
    # Folders have names of any bytes.
    query = request.environ.get("QUERY_STRING", "")
    given = dict(parse_qsl(query, errors="surrogateescape"))
    folder = given.get("folder", "").encode("utf-8", "surrogateescape").strip(b"/")
    names = {name: request.args.get(name, "") for name in ("artist", "album", "genre")}
    return Part(**names, folder=folder)


def _client() -> str:
    """Return what a player calls itself: the first word of a line such as "VLC/3.0 LibVLC/3.0"."""
    return request.user_agent.string.partition(" ")[0].partition("/")[0]
