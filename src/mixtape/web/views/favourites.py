"""The page of what a user has starred, and of what they have heard most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from flask import Blueprint, render_template, request

from ...accounts.marks import read_album_mark
from ...database.account_tables import ALBUM, ARTIST, TRACK
from ...database.tables import Track
from ...library.catalogue import PAGE_SIZE
from ...library.listed import Album, Artist, Page
from ...services import current_services
from ..visitors import current_user

blueprint = Blueprint("favourites", __name__)
_MOST_PLAYED: Final = 25
T = TypeVar("T")


@blueprint.get("/favourites")
def page() -> str:
    """Show the user's favourites, the latest first, and what they have heard most."""
    services, user_id = current_services(), current_user().id
    offset = max(0, request.args.get("offset", 0, int))
    album_offset = max(0, request.args.get("album_offset", 0, int))
    artist_offset = max(0, request.args.get("artist_offset", 0, int))
    paths = services.marks.starred(user_id, TRACK)
    most_played = services.plays.most_played(user_id, _MOST_PLAYED) if not offset else []
    shown = paths[offset : offset + PAGE_SIZE]
    likings = services.marks.of_tracks(user_id, [*shown, *most_played])
    return render_template(
        "favourites.html",
        starred=Page(_there(shown), offset, len(paths) > offset + PAGE_SIZE),
        albums=_albums(user_id, album_offset),
        artists=_artists(user_id, artist_offset),
        most_played=_there(most_played),
        plays={path: liking.plays for path, liking in likings.items()},
        next_offset=offset + PAGE_SIZE,
    )


def _albums(user_id: int, offset: int) -> Page[Album]:
    services = current_services()
    keys = [read_album_mark(mark) for mark in services.marks.starred(user_id, ALBUM)]
    found = services.catalogue.albums_by_keys(keys)
    return _page([found[key] for key in keys if key in found], offset)


def _artists(user_id: int, offset: int) -> Page[Artist]:
    services = current_services()
    keys = [mark.decode() for mark in services.marks.starred(user_id, ARTIST)]
    found = services.catalogue.artists_by_keys(keys)
    return _page([found[key] for key in keys if key in found], offset)


def _page(items: Sequence[T], offset: int) -> Page[T]:
    end = offset + PAGE_SIZE
    return Page(tuple(items[offset:end]), offset, len(items) > end)


def _there(paths: Sequence[bytes]) -> tuple[Track, ...]:
    found = current_services().catalogue.tracks_by_paths(paths)
    return tuple(found[path] for path in paths if path in found)
