"""The small player of a mixtape, for pages of others: needs no cookie, and shows nothing else."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, make_response, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from audio_cache.flask_ext import get_state

from ...library.covers import MIDDLE
from ...services import current_services
from ..guests import find_mixtape
from ..security import policy_for_frames
from ..urls import public_url
from .link_preview import may_embed
from .mixtape_covers import mixtape_cover_url
from .player import track_rows

blueprint = Blueprint("embed", __name__, url_prefix="/mixtapes")


@blueprint.get("/<slug>/embed")
def page(slug: str) -> Response:
    """Show the player that others may have in their pages, where a link's owner allows that."""
    mixtape = find_mixtape(slug)
    if not may_embed(mixtape.link):
        abort(404, gettext("This mixtape is not to be embedded in other pages."))
    shown = render_template(
        "embed.html",
        mixtape=mixtape,
        rows=[row for row in track_rows(mixtape) if "url" in row],
        cover_url=mixtape_cover_url(mixtape, MIDDLE),
        address=public_url("player.page", slug=mixtape.slug),
        auto_quality=get_state().settings.default_quality,
        auto_best=current_services().caching.best,
    )
    response = make_response(shown)
    response.headers["Content-Security-Policy"] = policy_for_frames(
        current_app.config["EMBED_SITES"]
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
