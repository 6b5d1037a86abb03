"""What is shown of a mixtape where its link is sent: Open Graph, Twitter cards, and oEmbed."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from ...files.formats import total_duration_text
from ...library.collages import CARD, CARD_SIZE
from ...mixtapes.values import SavedLink, SavedMixtape
from ..figures import counted
from ..guests import find_mixtape, refuse_link
from ..urls import public_url
from .json_api import fresh_json
from .mixtape_covers import mixtape_cover_url

blueprint = Blueprint("link_preview", __name__)
EMBED_WIDTH: Final = 480
EMBED_HEIGHT: Final = 320
# How many seconds others may show a preview before they ask again.
_AGE_S: Final = 3600
_IFRAME: Final = (
    '<iframe src="{src}" width="{width}" height="{height}" title="{title}" frameborder="0" '
    'loading="lazy" allow="autoplay" sandbox="allow-scripts allow-same-origin allow-popups '
    'allow-popups-to-escape-sandbox"></iframe>'
)


@dataclass(frozen=True, slots=True)
class PreviewImage:
    """The picture of a preview; width and height in pixels, None where they are not known."""

    url: str
    alt: str
    width: int | None = None
    height: int | None = None

    def fits(self, width: int | None, height: int | None) -> bool:
        """Say whether it is known to be no larger; None is any size."""
        if self.width is None or self.height is None:
            return False
        return self.width <= (width or self.width) and self.height <= (height or self.height)


def find_image(mixtape: SavedMixtape) -> PreviewImage | None:
    """Return the picture that is shown with a link to a mixtape; None where there is none."""
    url = mixtape_cover_url(mixtape, CARD, is_absolute=True)
    if not url:
        return None
    return PreviewImage(url, gettext("The cover of “%(title)s”", title=mixtape.title), *CARD_SIZE)


def preview_fields(mixtape: SavedMixtape) -> dict[str, Any]:
    """Return what `_link_preview.html` shows of a mixtape, as a link names it."""
    names = (
        (mixtape.recipient, gettext("To %(name)s", name=mixtape.recipient)),
        (mixtape.sender, gettext("From %(name)s", name=mixtape.sender)),
    )
    facts = (*(text for name, text in names if name), facts_of(mixtape))
    address = public_url("player.page", slug=mixtape.slug)
    return {
        "title": mixtape.title,
        "description": " · ".join(facts),
        "url": address,
        "image": find_image(mixtape),
        "oembed": public_url("link_preview.oembed", url=address),
    }


@blueprint.get("/oembed")
def oembed() -> Response:
    """Describe a mixtape by the address of its page, as oEmbed has it, with the player to embed."""
    if request.args.get("format", "json") != "json":
        abort(501, gettext("oEmbed is answered as JSON here, and as nothing else."))
    mixtape = find_mixtape(_slug_of(request.args.get("url", "")))
    if mixtape.link.has_password:
        abort(401, gettext("This link needs its password."))
    width, height = _most("maxwidth"), _most("maxheight")
    content: dict[str, Any] = {
        "version": "1.0",
        "type": "link",
        "title": mixtape.title,
        "provider_name": "mixtape",
        "provider_url": public_url("library.home"),
        "cache_age": _AGE_S,
    }
    image = find_image(mixtape)
    # A thumbnail goes with its size or not at all, and never exceeds what there is room for.
    if image is not None and image.fits(width, height):
        content["thumbnail_url"] = image.url
        content["thumbnail_width"], content["thumbnail_height"] = image.width, image.height
    if may_embed(mixtape.link):
        size = (min(EMBED_WIDTH, width or EMBED_WIDTH), min(EMBED_HEIGHT, height or EMBED_HEIGHT))
        content |= {"type": "rich", "html": embed_code(mixtape.link, mixtape.title, *size)}
        content["width"], content["height"] = size
    return fresh_json(content)


def may_embed(link: SavedLink) -> bool:
    """Say whether pages of others may show the player of a link."""
    is_possible = bool(current_app.config["EMBED_SITES"]) and not link.has_password
    return is_possible and link.allows_embed


def embed_code(
    link: SavedLink, title: str, width: int = EMBED_WIDTH, height: int = EMBED_HEIGHT
) -> str:
    """Return the HTML that shows the player of a link in a page of others."""
    src = html.escape(public_url("embed.page", slug=link.slug))
    return _IFRAME.format(src=src, width=width, height=height, title=html.escape(title))


def facts_of(mixtape: SavedMixtape) -> str:
    """Return a line about a mixtape: how many tracks it has, and how long they play."""
    tracks = counted(len(mixtape.items), "track")
    if not mixtape.duration_s:
        return tracks
    return f"{tracks} · {total_duration_text(mixtape.duration_s)}"


def _slug_of(address: str) -> str:
    """Return the slug in the address of a mixtape's page on this site; 404 for any other."""
    home = urlsplit(public_url("library.home"))
    try:
        parts = urlsplit(address)
    except ValueError:
        refuse_link()
    prefix = urlsplit(public_url("static", filename="")).path.removesuffix("/static/")
    if (parts.scheme, parts.netloc) != (home.scheme, home.netloc):
        refuse_link()
    if not parts.path.startswith(f"{prefix}/"):
        refuse_link()
    urls = current_app.url_map.bind(home.netloc)
    try:
        endpoint, values = urls.match(parts.path.removeprefix(prefix), "GET")
    except (HTTPException, RequestRedirect):
        refuse_link()
    if endpoint != "player.page":
        refuse_link()
    return str(values["slug"])


def _most(name: str) -> int | None:
    """Return the most pixels that the asker has room for; None where that is not said."""
    text = request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) < 6 or int(text) == 0:
        abort(
            400,
            gettext(
                "%(name)s=%(text)s is no number of pixels, from 1 to 99999.",
                name=name,
                text=json.dumps(text),
            ),
        )
    return int(text)
