"""The page of a mixtape, for everybody who has its link, and what that page plays and shows."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    abort,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from audio_cache.flask_ext import get_state, requested_quality, send_library_track

from ...errors import LinkError, NotFoundError
from ...library.covers import LARGE, MIDDLE, SMALL
from ...mixtapes.liner_notes import liner_notes_html
from ...mixtapes.links import LinkedTrack
from ...mixtapes.values import MixtapeItem, SavedMixtape
from ...services import current_services
from .. import guests
from ..guests import (
    ask_for_password,
    find_mixtape,
    heard_token,
    knows_password,
    open_mixtape,
    refuse_link,
)
from ..guests import unlock as remember_unlocked
from ..limits import SIGN_INS, make_limiter
from ..security import let_receivers_play
from ..visitors import owns, visitor_id
from .artwork import send_cover, unchanging
from .as_json import track_fields
from .json_api import no_content, read_object
from .link_preview import preview_fields
from .listening import send_loudness
from .mixtape_covers import NO_SUCH_SIZE, find_parts, find_size, mixtape_cover_url

COVER_AGE_S: Final = 7 * 24 * 3600
_NO_TRACK: Final = lazy_gettext("This track is no longer there.")


def init_app(app: Flask) -> None:
    """Add the mixtapes' pages to an app."""
    guests.init_app(app)
    blueprint = Blueprint("player", __name__, url_prefix="/mixtapes")
    views: dict[str, Callable[..., str | Response]] = {
        "/<slug>": page,
        "/<slug>/tracks/<token>": stream,
        "/<slug>/tracks/<token>/loudness": loudness,
        "/<slug>/covers/<key>": cover,
    }
    for rule, view in views.items():
        blueprint.add_url_rule(rule, view.__name__, view)
    limited = make_limiter(app).limit(SIGN_INS)(unlock)
    blueprint.add_url_rule("/<slug>/unlock", "unlock", limited, methods=["POST"])
    # Its token is that of the page, so that nobody needs a cookie for it.
    blueprint.add_url_rule("/<slug>/heard", "heard", heard, methods=["POST"])
    app.extensions["csrf"].exempt(heard)
    blueprint.after_request(keep_out_of_search_engines)
    app.register_blueprint(blueprint)


def page(slug: str) -> str:
    """Show a mixtape with its player."""
    mixtape = open_mixtape(slug)
    rows = track_rows(mixtape)
    tells = mixtape.link.tells_progress and not owns(mixtape)
    return render_template(
        "mixtape.html",
        mixtape=mixtape,
        rows=rows,
        sides=mixtape.sides,
        notes_html=liner_notes_html(mixtape.notes),
        duration_s=mixtape.duration_s,
        cover_url=mixtape_cover_url(mixtape, LARGE),
        preview=preview_fields(mixtape),
        heard_token=heard_token(mixtape.link) if tells else None,
        default_quality="auto",
        player_scope=_scope(slug),
        # Nobody else has any: of who comes by a link nothing is kept.
        counts_plays=owns(mixtape),
        auto_quality=get_state().settings.default_quality,
        auto_best=current_services().caching.best,
    )


def unlock(slug: str) -> Response:
    """Let a listener in who knows the password of a link, and remember that for this link."""
    mixtape = find_mixtape(slug)
    link = mixtape.link
    if link.has_password and not owns(mixtape):
        if not knows_password(link, request.form.get("password", "")):
            ask_for_password(link, is_wrong=True)
        remember_unlocked(link)
    return redirect(url_for("player.page", slug=slug), 303)


def heard(slug: str) -> Response:
    """Keep how far the listener of a link came, where its owner asked for that and nothing else."""
    mixtape = find_mixtape(slug)
    link = mixtape.link
    body = read_object()
    token, place, second = body.get("token"), body.get("place"), body.get("second")
    if not isinstance(token, str) or not hmac.compare_digest(
        token.encode("utf-8", "replace"), heard_token(link).encode()
    ):
        abort(403, gettext("This page is from before the link was changed. Reload it."))
    if type(place) is not int or type(second) not in {int, float}:
        abort(400, gettext('This needs "place", a whole number from 0, and "second", a number.'))
    if not owns(mixtape):
        current_services().share_links.note_heard(slug, place, float(str(second)))
    return no_content()


def stream(slug: str, token: str) -> Response:
    """Play the track that a token stands for, at the quality that is asked for."""
    quality = requested_quality()
    answers = current_services().open_answers
    ends = answers.ends
    track = _linked_track(slug, token)
    response = let_receivers_play(send_library_track(os.fsdecode(track.path), quality))
    if not track.is_own:
        answers.add(slug, request.environ, response)
        if answers.ends != ends:
            # One was closed between the look and now: perhaps this one.
            _linked_track(slug, token)
    return response


def loudness(slug: str, token: str) -> Response:
    """Send the loudness line of the track that a token stands for."""
    return send_loudness(_linked_track(slug, token).path)


def cover(slug: str, key: str) -> Response:
    """Send a cover of the mixtape: its own, chosen or made, or one of its tracks'."""
    mixtape = open_mixtape(slug)
    size = find_size(request.args.get("size"))
    if size is None:
        abort(400, NO_SUCH_SIZE)
    parts = find_parts(mixtape, key)
    if not parts:
        abort(404, gettext("This mixtape has no such cover."))
    try:
        response = send_cover(key, size, parts)
    except NotFoundError:
        abort(404, gettext("This mixtape has no such cover."))
    return unchanging(response, COVER_AGE_S)


def _scope(slug: str) -> str:
    """Return the name under which a browser keeps the place; the link itself is not kept."""
    return hashlib.sha256(f"{request.script_root}/{slug}".encode()).hexdigest()[:16]


def _linked_track(slug: str, token: str) -> LinkedTrack:
    """Return the track that a token stands for; 404 where there is none (now)."""
    try:
        return current_services().sharing.find_track(slug, token, user_id=visitor_id())
    except LinkError:
        refuse_link()
    except NotFoundError:
        abort(404, str(_NO_TRACK))


def track_rows(mixtape: SavedMixtape) -> tuple[dict[str, Any], ...]:
    """Return the tracks of a mixtape as pages for its listeners list them."""
    return tuple(_row(mixtape, place, item) for place, item in enumerate(mixtape.items))


def _row(mixtape: SavedMixtape, place: int, item: MixtapeItem) -> dict[str, Any]:
    """Return a track as the page lists it; `key` tells two places of the same track apart."""
    track = item.track
    if track is None or item.is_missing:
        problem = gettext("This file is missing at the moment.")
        return {"title": item.title, "note": item.note, "problem": problem}
    if track.problem:
        problem = gettext("This file cannot be read.")
        return {"title": item.title, "note": item.note, "problem": problem}
    token = current_services().sharing.sign(mixtape, track)
    return {
        **track_fields(track),
        # Instead of the addresses for owners.
        "key": place,
        "note": item.note,
        "url": url_for("player.stream", slug=mixtape.slug, token=token),
        "cover": cover_url(mixtape, track.cover_key, MIDDLE),
        "thumb": cover_url(mixtape, track.cover_key, SMALL),
    }


def cover_url(mixtape: SavedMixtape, key: str | None, size: int) -> str:
    """Return the address of the cover of a track; "" where there is none."""
    return url_for("player.cover", slug=mixtape.slug, key=key, size=size) if key else ""


def keep_out_of_search_engines(response: Response) -> Response:
    """Mark an answer as none for search engines."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
