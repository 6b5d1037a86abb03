"""The page of a mixtape, for everybody who has its link, and what that page plays and shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, NoReturn

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from audio_cache.flask_ext import get_state, requested_quality, send_library_track

from ...errors import LinkError, NotFoundError
from ...library.covers import LARGE, MIDDLE, SIZES, SIZES_TEXT, SMALL
from ...mixtapes.values import MixtapeItem, SavedMixtape
from ...services import current_services
from ..auth import is_owner
from ..limits import WRONG_LINKS, make_limiter
from ..urls import public_url
from .artwork import send_cover, unchanging
from .as_json import track_fields

_WRONG_LINKS: Final = "mixtape.wrong_links"
COVER_AGE_S: Final = 7 * 24 * 3600
_NO_MIXTAPE: Final = (
    "There is no mixtape at this address. It may have been closed or given a new link: "
    "ask whoever sent it to you."
)
_NO_TRACK: Final = "This track is no longer there."


def init_app(app: Flask) -> None:
    """Add the mixtapes' pages to an app."""
    app.extensions[_WRONG_LINKS] = make_limiter(app).shared_limit(WRONG_LINKS, scope="wrong-links")
    blueprint = Blueprint("player", __name__, url_prefix="/mixtapes")
    views: dict[str, Callable[..., str | Response]] = {
        "/<slug>": page,
        "/<slug>/tracks/<token>": stream,
        "/<slug>/covers/<key>": cover,
    }
    for rule, view in views.items():
        blueprint.add_url_rule(rule, view.__name__, view)
    blueprint.after_request(_keep_out_of_search_engines)
    app.register_blueprint(blueprint)


def page(slug: str) -> str:
    """Show a mixtape with its player."""
    mixtape = get_mixtape(slug)
    rows = tuple(_row(mixtape, place, item) for place, item in enumerate(mixtape.items))
    return render_template(
        "mixtape.html",
        mixtape=mixtape,
        rows=rows,
        duration_s=mixtape.duration_s,
        cover_url=_cover_url(mixtape, mixtape.cover_key, LARGE),
        link_cover_url=_cover_url(mixtape, mixtape.cover_key, LARGE, is_absolute=True),
        default_quality="auto",
        auto_quality=get_state().settings.default_quality,
    )


def stream(slug: str, token: str) -> Response:
    """Play the track that a token stands for, at the quality that is asked for."""
    quality = requested_quality()
    may_hear_all = is_owner()
    answers = current_services().open_answers
    ends = answers.ends
    path = _path_of(slug, token, may_hear_all)
    response = send_library_track(os.fsdecode(path), quality)
    if not may_hear_all:
        answers.add(slug, request.environ, response)
        if answers.ends != ends:
            # One was closed between the look and now: perhaps this one.
            _path_of(slug, token, may_hear_all)
    return response


def cover(slug: str, key: str) -> Response:
    """Send a cover of the mixtape: its own, or one of its tracks'."""
    mixtape = get_mixtape(slug)
    size = request.args.get("size", MIDDLE, int)
    if size not in SIZES:
        abort(400, f"There is no such size: choose one of {SIZES_TEXT}.")
    if key not in mixtape.cover_keys:
        abort(404, "This mixtape has no such cover.")
    try:
        response = send_cover(key, size)
    except NotFoundError:
        abort(404, "This mixtape has no such cover.")
    return unchanging(response, COVER_AGE_S)


def _path_of(slug: str, token: str, may_hear_all: bool) -> bytes:
    """Return the path of the track that a token stands for; 404 where there is none (now)."""
    try:
        return current_services().sharing.find_path(slug, token, is_owner=may_hear_all)
    except LinkError:
        _refuse_link()
    except NotFoundError:
        abort(404, _NO_TRACK)


def get_mixtape(slug: str) -> SavedMixtape:
    """Return a mixtape that is shared, or whose owner asks; 404 for anything else."""
    mixtapes = current_services().mixtapes
    try:
        return mixtapes.get(slug) if is_owner() else mixtapes.get_shared(slug)
    except NotFoundError:
        _refuse_link()


def _refuse_link() -> NoReturn:
    """Answer 404, or 429 to a visitor with too many wrong links.

    Only these are counted, so that whoever has a right link gets in by it also while somebody at
    the same address (a household, a company, a proxy that was not declared) tries wrong ones.
    """
    with current_app.extensions[_WRONG_LINKS]:
        abort(404, _NO_MIXTAPE)


def _row(mixtape: SavedMixtape, place: int, item: MixtapeItem) -> dict[str, Any]:
    """Return a track as the page lists it; `key` tells two places of the same track apart."""
    track = item.track
    if track is None or item.is_missing:
        return {"title": item.title, "problem": "This file is missing at the moment."}
    if track.problem:
        return {"title": item.title, "problem": "This file cannot be read."}
    token = current_services().sharing.sign(mixtape, track)
    return {
        **track_fields(track),
        # Instead of the addresses for owners.
        "key": place,
        "url": url_for("player.stream", slug=mixtape.slug, token=token),
        "cover": _cover_url(mixtape, track.cover_key, MIDDLE),
        "thumb": _cover_url(mixtape, track.cover_key, SMALL),
    }


def _cover_url(
    mixtape: SavedMixtape, key: str | None, size: int, *, is_absolute: bool = False
) -> str:
    """Return the address of a cover; "" where there is none."""
    if key is None:
        return ""
    address = public_url if is_absolute else url_for
    return address("player.cover", slug=mixtape.slug, key=key, size=size)


def _keep_out_of_search_engines(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
