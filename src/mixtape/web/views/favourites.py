"""The page of what a user has starred, and of what they have heard most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, render_template, request

from ...database.account_tables import TRACK
from ...database.tables import Track
from ...library.catalogue import PAGE_SIZE
from ...library.listed import Page
from ...services import current_services
from ..visitors import current_user

blueprint = Blueprint("favourites", __name__)
_MOST_PLAYED: Final = 25


@blueprint.get("/favourites")
def page() -> str:
    """Show the user's favourites, the latest first, and what they have heard most."""
    services, user_id = current_services(), current_user().id
    offset = max(0, request.args.get("offset", 0, int))
    paths = services.marks.starred(user_id, TRACK)
    most_played = services.plays.most_played(user_id, _MOST_PLAYED) if not offset else []
    shown = paths[offset : offset + PAGE_SIZE]
    likings = services.marks.of_tracks(user_id, [*shown, *most_played])
    return render_template(
        "favourites.html",
        starred=Page(_there(shown), offset, len(paths) > offset + PAGE_SIZE),
        most_played=_there(most_played),
        plays={path: liking.plays for path, liking in likings.items()},
        next_offset=offset + PAGE_SIZE,
    )


def _there(paths: Sequence[bytes]) -> tuple[Track, ...]:
    found = current_services().catalogue.tracks_by_paths(paths)
    return tuple(found[path] for path in paths if path in found)
