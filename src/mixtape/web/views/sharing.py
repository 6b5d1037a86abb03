"""The sharing of a mixtape as such: opening, closing, a new first link, and deletion."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ..urls import public_url
from ..visitors import own_tapes
from .json_api import no_content

blueprint = Blueprint("sharing", __name__, url_prefix="/api/mixtapes")


@blueprint.post("/<slug>/share")
def share(slug: str) -> Response:
    """Open a mixtape to whoever has its first link."""
    return jsonify(link_fields(own_tapes().mixtapes.share(slug)))


@blueprint.post("/<slug>/unshare")
def unshare(slug: str) -> Response:
    """Switch all links of a mixtape off; what listeners have loaded stops to play."""
    tapes = own_tapes()
    mixtape = tapes.mixtapes.unshare(slug)
    for link in tapes.share_links.of(slug):
        current_services().open_answers.end(link.slug)
    return jsonify(link_fields(mixtape))


@blueprint.post("/<slug>/renew")
def renew(slug: str) -> Response:
    """Give a mixtape a new first link; the old leads nowhere. Its caching goes on under the new."""
    services = current_services()
    mixtape = own_tapes().mixtapes.renew_link(slug)
    services.open_answers.end(slug)
    services.caching.rename(slug, mixtape)
    return jsonify(link_fields(mixtape))


@blueprint.delete("/<slug>")
def delete(slug: str) -> Response:
    """Delete a mixtape with its draft; the music and its cache stay."""
    tapes = own_tapes()
    links = tapes.share_links.of(slug)
    tapes.mixtapes.delete(slug)
    current_services().let_go(slug, links)
    return no_content()


def link_fields(mixtape: SavedMixtape) -> dict[str, Any]:
    """Return how a mixtape is shared, for the page."""
    return {
        "slug": mixtape.slug,
        "shared": mixtape.shared,
        "link": public_url("player.page", slug=mixtape.slug),
        "edit_url": url_for("editor.edit", slug=mixtape.slug),
    }
