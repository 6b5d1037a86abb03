"""The sharing of a mixtape as such: opening, closing, a new first link, and deletion."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ..urls import public_url
from .json_api import no_content

blueprint = Blueprint("sharing", __name__, url_prefix="/api/mixtapes")


@blueprint.post("/<slug>/share")
def share(slug: str) -> Response:
    """Open a mixtape to whoever has its first link."""
    return jsonify(link_fields(current_services().mixtapes.share(slug)))


@blueprint.post("/<slug>/unshare")
def unshare(slug: str) -> Response:
    """Switch all links of a mixtape off; what listeners have loaded stops to play."""
    services = current_services()
    mixtape = services.mixtapes.unshare(slug)
    for link in services.share_links.of(slug):
        services.open_answers.end(link.slug)
    return jsonify(link_fields(mixtape))


@blueprint.post("/<slug>/renew")
def renew(slug: str) -> Response:
    """Give a mixtape a new first link; the old leads nowhere. Its caching goes on under the new."""
    services = current_services()
    mixtape = services.mixtapes.renew_link(slug)
    services.open_answers.end(slug)
    services.caching.rename(slug, mixtape)
    return jsonify(link_fields(mixtape))


@blueprint.delete("/<slug>")
def delete(slug: str) -> Response:
    """Delete a mixtape with its draft; the music and its cache stay."""
    services = current_services()
    links = services.share_links.of(slug)
    services.mixtapes.delete(slug)
    for link in links:
        services.open_answers.end(link.slug)
    services.caching.cancel(slug)
    services.caching.unpin(slug)
    return no_content()


def link_fields(mixtape: SavedMixtape) -> dict[str, Any]:
    """Return how a mixtape is shared, for the page."""
    return {
        "slug": mixtape.slug,
        "shared": mixtape.shared,
        "link": public_url("player.page", slug=mixtape.slug),
        "edit_url": url_for("editor.edit", slug=mixtape.slug),
    }
