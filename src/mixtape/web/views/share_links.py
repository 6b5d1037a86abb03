"""The links to a mixtape: listed, made, changed and removed by its owner; QR code and card."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, Final

import segno
from flask import Blueprint, abort, current_app, jsonify, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...accounts.passwords import MAX_PASSWORD
from ...library.covers import LARGE
from ...mixtapes.share_links import MAX_NAME, LinkChange
from ...mixtapes.values import SavedLink, SavedMixtape
from ...services import current_services
from ..urls import public_url
from ..visitors import own_tapes
from .json_api import fresh_json, no_content, read_object
from .link_preview import embed_code, facts_of, may_embed
from .mixtape_covers import mixtape_cover_url

blueprint = Blueprint("share_links", __name__)
_API: Final = "/api/mixtapes/<slug>/links"
_TEXTS: Final = {"name": MAX_NAME * 10, "password": MAX_PASSWORD * 10}
_SWITCHES: Final = ("is_open", "tells_progress", "allows_embed")


@blueprint.get(_API)
def listed(slug: str) -> Response:
    """Send the links to a mixtape, and how far each listener came where that is kept."""
    return fresh_json({"links": links_fields(own_tapes().mixtapes.get(slug))})


@blueprint.post(_API)
def add(slug: str) -> tuple[Response, int]:
    """Make another link to a mixtape, with the name and terms that are sent."""
    tapes = own_tapes()
    link = tapes.share_links.add(slug, _read_change())
    return jsonify(_fields(tapes.mixtapes.get(slug), link)), 201


@blueprint.patch(f"{_API}/<int:link_id>")
def change(slug: str, link_id: int) -> Response:
    """Change what is sent of a link: its name, terms and password, or switch it off or on."""
    tapes, sent = own_tapes(), _read_change()
    before = tapes.share_links.get(slug, link_id)
    link = tapes.share_links.change(slug, link_id, sent)
    if link.share_key != before.share_key:
        current_services().open_answers.end(link.slug)
    return jsonify(_fields(tapes.mixtapes.get(slug), link))


@blueprint.post(f"{_API}/<int:link_id>/renew")
def renew(slug: str, link_id: int) -> Response:
    """Give a link another address; the old one leads nowhere."""
    services, tapes = current_services(), own_tapes()
    before = tapes.share_links.get(slug, link_id)
    link = tapes.share_links.renew(slug, link_id)
    services.open_answers.end(before.slug)
    mixtape = tapes.mixtapes.get(link.slug if link.is_first else slug)
    if link.is_first:
        services.caching.rename(before.slug, mixtape)
    return jsonify(_fields(mixtape, link))


@blueprint.delete(f"{_API}/<int:link_id>")
def remove(slug: str, link_id: int) -> Response:
    """Remove a link but the first; whoever has it is locked out."""
    removed = own_tapes().share_links.remove(slug, link_id)
    current_services().open_answers.end(removed.slug)
    return no_content()


@blueprint.get(f"{_API}/<int:link_id>/qr.svg")
def qr_code(slug: str, link_id: int) -> Response:
    """Send the QR code of a link."""
    link = own_tapes().share_links.get(slug, link_id)
    drawing = io.BytesIO()
    code = segno.make(public_url("player.page", slug=link.slug), error="m", micro=False)
    # A margin of four modules and a light ground: on a dark page a reader needs both.
    code.save(drawing, kind="svg", xmldecl=False, border=4, scale=8, light="#fff")
    response = Response(drawing.getvalue(), mimetype="image/svg+xml")
    response.cache_control.no_store = True
    return response


@blueprint.get("/mixtapes/<slug>/links/<int:link_id>/card")
def card(slug: str, link_id: int) -> str:
    """Show a card to print and give away, with a link's QR code."""
    link = own_tapes().share_links.get(slug, link_id)
    mixtape = current_services().mixtapes.get_linked(link.slug)
    return render_template(
        "share_card.html",
        mixtape=mixtape,
        facts=facts_of(mixtape),
        cover_url=mixtape_cover_url(mixtape, LARGE),
        address=public_url("player.page", slug=link.slug),
        qr_url=url_for("share_links.qr_code", slug=slug, link_id=link_id),
    )


def links_fields(mixtape: SavedMixtape) -> list[dict[str, Any]]:
    """Return the links to a mixtape for the page of its owner, the first one first."""
    links = own_tapes().share_links.of(mixtape.slug)
    return [_fields(mixtape, link) for link in links]


def _fields(mixtape: SavedMixtape, link: SavedLink) -> dict[str, Any]:
    place: dict[str, Any] = {"slug": mixtape.slug, "link_id": link.id}
    return {
        "id": link.id,
        "name": link.name,
        "address": public_url("player.page", slug=link.slug),
        "is_first": link.is_first,
        "is_open": link.is_open,
        "is_expired": link.is_expired,
        "expires_at": link.expires_at and link.expires_at.isoformat(),
        "has_password": link.has_password,
        "tells_progress": link.tells_progress,
        "allows_embed": link.allows_embed,
        "can_embed": bool(current_app.config["EMBED_SITES"]),
        "embed_code": embed_code(link, mixtape.title) if may_embed(link) else None,
        "furthest": _furthest(mixtape, link),
        "url": url_for("share_links.change", **place),
        "renew_url": url_for("share_links.renew", **place),
        "qr_url": url_for("share_links.qr_code", **place),
        "card_url": url_for("share_links.card", **place),
        "edit_url": url_for("editor.edit", slug=mixtape.slug),
    }


def _furthest(mixtape: SavedMixtape, link: SavedLink) -> dict[str, Any] | None:
    furthest = link.furthest
    if furthest is None:
        return None
    # The mixtape may have got shorter since.
    is_there = furthest.place < len(mixtape.items)
    return {
        "number": furthest.place + 1,
        "total": len(mixtape.items),
        "title": mixtape.items[furthest.place].title if is_there else "",
        "second": round(furthest.second),
        "heard_at": furthest.heard_at.isoformat(),
    }


def _read_change() -> LinkChange:
    """Return the change in a request; 400 where it is none."""
    body = read_object()
    found: LinkChange = {}
    for name, longest in _TEXTS.items():
        if name in body:
            if not isinstance(body[name], str) or len(body[name]) > longest:
                abort(
                    400,
                    gettext(
                        "This is no text, or one of far too many characters: %(name)s.", name=name
                    ),
                )
            found[name] = body[name]  # type: ignore[literal-required]
    for name in _SWITCHES:
        if name in body:
            if not isinstance(body[name], bool):
                abort(400, gettext("%(name)s is true or false.", name=name))
            found[name] = body[name]  # type: ignore[literal-required]
    if "expires_at" in body:
        found["expires_at"] = _read_moment(body["expires_at"])
    return found


def _read_moment(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        abort(
            400,
            gettext("expires_at is a moment with its zone, such as 2026-12-24T23:00:00Z, or null."),
        )
