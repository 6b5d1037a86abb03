"""The library by artist, by album and by what somebody is looking for."""

from __future__ import annotations

from typing import Any, Final, cast

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from ...database.tables import Track
from ...library.catalogue import PAGE_SIZE, AlbumOrder, Catalogue
from ...library.discs import discs_of
from ...library.listed import Page
from ...services import current_services
from .as_json import album_fields, artist_fields, decode_key, scan_fields, track_fields
from .json_api import fresh_json

blueprint = Blueprint("catalogue", __name__)
ORDERS: Final = ("name", "newest")
MAX_RESULTS: Final = 100
_BEST_ALBUMS: Final = 6


@blueprint.get("/artists")
def artists() -> str:
    """Show whom albums are filed under."""
    page = _catalogue().artists(offset=_offset())
    return render_template("artists.html", artists=page, counts=_counts(page))


@blueprint.get("/artists/<key>")
def artist(key: str) -> str:
    """Show an artist's albums, those of others with the artist on, and the tracks on no album."""
    (artist_key,) = decode_key(key, 1) or _no("artist")
    catalogue = _catalogue()
    albums = catalogue.albums(artist_key=artist_key, offset=_offset())
    loose = catalogue.album_tracks(artist_key, "") if not albums.offset else ()
    name = catalogue.artist_name(artist_key)
    if name is None:
        _no("artist")
    appears_on = catalogue.appears_on(artist_key, offset=_guest_offset())
    return render_template(
        "artist.html", key=key, name=name, albums=albums, appears_on=appears_on, loose=loose
    )


@blueprint.get("/albums")
def albums() -> str:
    """Show the albums, by artist or with the newest first."""
    order = request.args.get("order", "name")
    if order not in ORDERS:
        abort(400, f"There is no order {order!r}: choose one of {', '.join(ORDERS)}.")
    page = _catalogue().albums(order=cast(AlbumOrder, order), offset=_offset())
    return render_template("albums.html", albums=page, order=order, counts=_counts(page))


@blueprint.get("/albums/<key>")
def album(key: str) -> str:
    """Show an album."""
    artist_key, album_key = decode_key(key, 2) or _no("album")
    found = _catalogue().get_album(artist_key, album_key)
    discs = discs_of(_catalogue().album_tracks(artist_key, album_key))
    return render_template("album.html", album=found, discs=discs)


@blueprint.get("/search")
def search_page() -> str:
    """Show what was found, to whoever comes by a link or has no JavaScript."""
    typed = request.args.get("q", "")
    return render_template(
        "search.html", typed=typed, found=_catalogue().search(typed, offset=_offset())
    )


@blueprint.get("/api/search")
def search() -> Response:
    """Send the tracks that match what somebody is typing, and with `all` albums and artists too."""
    typed = request.args.get("q", "")
    limit = min(max(1, request.args.get("limit", PAGE_SIZE, int)), MAX_RESULTS)
    found = _catalogue().search(typed, offset=_offset(), limit=limit)
    answer = _as_json(found)
    if "all" in request.args and not found.offset and _catalogue().is_narrow(typed):
        more = _catalogue().albums(typed, limit=_BEST_ALBUMS).items
        answer["albums"] = [album_fields(album) for album in more]
        named = _catalogue().artists(typed, limit=_BEST_ALBUMS).items
        answer["artists"] = [artist_fields(artist) for artist in named]
    return fresh_json(answer)


@blueprint.get("/unreadable")
def unreadable() -> str:
    """Show the files that could not be read, with the reasons."""
    return render_template("unreadable.html", tracks=_catalogue().unreadable(offset=_offset()))


@blueprint.get("/api/scan")
def scan_progress() -> Response:
    """Send how far the scan is, or what the last one did."""
    return fresh_json(scan_fields())


@blueprint.post("/api/scan")
def scan() -> Response:
    """Look for changes in the music folder; nothing happens while that is under way."""
    current_services().scanner.start()
    return fresh_json(scan_fields())


def _catalogue() -> Catalogue:
    return current_services().catalogue


def _offset() -> int:
    return max(0, request.args.get("offset", 0, int))


def _guest_offset() -> int:
    return max(0, request.args.get("guest_offset", 0, int))


def _counts(page: Page[Any]) -> Any:
    """Return the figures of the whole library, which only the first page shows."""
    return None if page.offset else current_services().counts()


def _as_json(found: Page[Track]) -> dict[str, Any]:
    end = found.offset + len(found.items)
    return {
        "tracks": [track_fields(track) for track in found.items],
        "next_offset": end if found.has_more else None,
    }


def _no(what: str) -> Any:
    abort(404, f"The library has no such {what}. It may have gone with the last scan.")
