"""The library by artist, by album and by what somebody is looking for."""

from __future__ import annotations

from typing import Any, Final, cast

from flask import Blueprint, abort, current_app, render_template, request
from werkzeug.wrappers import Response

from ...database.tables import Track
from ...library.catalogue import PAGE_SIZE, AlbumOrder, Catalogue
from ...library.discs import discs_of
from ...library.initials import Initial, ListName
from ...library.listed import Album, Artist, Page
from ...services import current_services
from .as_json import album_fields, artist_fields, decode_key, scan_fields, track_fields
from .json_api import fresh_json

blueprint = Blueprint("catalogue", __name__)
ORDERS: Final = ("name", "newest")
MAX_RESULTS: Final = 100
_BEST_ALBUMS: Final = 6
_NEW_ALBUMS: Final = 12


@blueprint.get("/artists")
def artists() -> str:
    """Show whom albums are filed under."""
    initials = _initials("artists")
    page = _catalogue().artists(offset=_start(initials))
    return render_template(
        "artists.html", artists=page, counts=_counts(page), initials=initials, letter=_letter()
    )


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
    return albums_page()


def albums_page() -> str:
    """Return the page of albums: where they begin and in which order, the request says."""
    order = request.args.get("order", "name")
    if order not in ORDERS:
        abort(400, f"There is no order {order!r}: choose one of {', '.join(ORDERS)}.")
    initials = _initials("albums") if order == "name" else ()
    page = _catalogue().albums(order=cast(AlbumOrder, order), offset=_start(initials))
    # A library that one page shows needs no row that shows a part of it again.
    shows_new = order == "name" and not page.offset and page.has_more
    new = _catalogue().albums(order="newest", limit=_NEW_ALBUMS).items if shows_new else ()
    return render_template(
        "albums.html",
        albums=page,
        new=new,
        order=order,
        counts=_counts(page),
        initials=initials,
        letter=_letter(),
        is_demo=current_app.config["IS_DEMO"],
    )


@blueprint.get("/albums/<key>")
def album(key: str) -> str:
    """Show an album."""
    artist_key, album_key = decode_key(key, 2) or _no("album")
    found = _catalogue().get_album(artist_key, album_key)
    discs = discs_of(_catalogue().album_tracks(artist_key, album_key))
    return render_template("album.html", key=key, album=found, discs=discs)


@blueprint.get("/search")
def search_page() -> str:
    """Show what was found, to whoever comes by a link or has no JavaScript."""
    typed = request.args.get("q", "")
    found = _catalogue().search(typed, offset=_offset())
    named, albums = _found_beside(typed, found)
    return render_template("search.html", typed=typed, found=found, artists=named, albums=albums)


@blueprint.get("/api/search")
def search() -> Response:
    """Send the tracks that match what somebody is typing, and with `all` albums and artists too."""
    typed = request.args.get("q", "")
    limit = min(max(1, request.args.get("limit", PAGE_SIZE, int)), MAX_RESULTS)
    found = _catalogue().search(typed, offset=_offset(), limit=limit)
    answer = _as_json(found)
    if "all" in request.args:
        named, albums = _found_beside(typed, found)
        answer["albums"] = [album_fields(album) for album in albums]
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


def _letter() -> str | None:
    return request.args.get("letter")


def _initials(name: ListName) -> tuple[Initial, ...]:
    """Return the letters that a page offers; what is loaded below it offers none."""
    return () if _offset() else current_services().initials.of(name)


def _start(initials: tuple[Initial, ...]) -> int:
    """Return how many come before the page: those before its letter, if it is to have one."""
    letter = _letter()
    return next((each.offset for each in initials if each.label == letter), _offset())


def _found_beside(typed: str, found: Page[Track]) -> tuple[tuple[Artist, ...], tuple[Album, ...]]:
    """Return the artists and albums that a search shows above its first tracks."""
    if found.offset or not _catalogue().is_narrow(typed):
        return (), ()
    named = _catalogue().artists(typed, limit=_BEST_ALBUMS).items
    return named, _catalogue().albums(typed, limit=_BEST_ALBUMS).items


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
