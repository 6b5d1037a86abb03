"""What makes the site and each mixtape an app of a phone: manifests, icons, the service worker."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response

from ...errors import NotFoundError
from ...library.collages import collage_key
from ...library.covers import ICONS
from ...mixtapes.values import SavedMixtape
from ...services import current_services
from ..guests import open_mixtape
from .artwork import unchanging
from .mixtape_covers import find_parts
from .player import COVER_AGE_S

blueprint = Blueprint("installing", __name__)
WORKER: Final = "js/offline/worker.js"
# A manifest has one colour; that of dark pages stands in their <meta name="theme-color">.
PAPER: Final = "#faf6f0"
_MANIFEST_TYPE: Final = "application/manifest+json"


@blueprint.get("/worker.js")
def worker() -> Response:
    """Send the service worker, which may look after every address of the site."""
    # Browsers look for a new worker by the bytes of this file, so they change with any script.
    code = f'// {_static_version()}\nimport "{url_for("static", filename=WORKER)}";\n'
    response = Response(code, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = f"{request.script_root}/"
    return _asked_about(response)


@blueprint.get("/site.webmanifest")
def site() -> Response:
    """Send the manifest of the owner's site as an app."""
    home = url_for("library.home")
    return _manifest("mixtape", home, home, _icon_list(None))


@blueprint.get("/mixtapes/<slug>/manifest.webmanifest")
def manifest(slug: str) -> Response:
    """Send the manifest of a mixtape as an app, which opens its link."""
    mixtape = open_mixtape(slug)
    link = url_for("player.page", slug=mixtape.slug)
    response = _manifest(mixtape.title, link, link, _icon_list(mixtape))
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@blueprint.get("/mixtapes/<slug>/icons/<key>/<name>.png")
def icon(slug: str, key: str, name: str) -> Response:
    """Send a cover of a mixtape as an app icon."""
    mixtape = open_mixtape(slug)
    parts = find_parts(mixtape, key)
    if not parts or name not in ICONS:
        abort(404, gettext("This mixtape has no such icon."))
    try:
        found = current_services().collages.get_icon(parts, name)
    except NotFoundError:
        abort(404, gettext("This mixtape has no such icon."))
    etag = f"{key}-{name}"
    response = send_file(found, mimetype="image/png", conditional=False, etag=etag, max_age=0)
    del response.headers["Last-Modified"]
    return unchanging(response.make_conditional(request), COVER_AGE_S)


@blueprint.get("/offline")
def kept() -> str:
    """Show what this browser keeps, which it knows by itself."""
    return render_template("offline.html")


@blueprint.app_context_processor
def _add_names() -> dict[str, Any]:
    return {"touch_icon_url": _touch_icon_url, "static_version": _static_version}


def _static_version() -> str:
    """Return what changes with any static file, so that a kept page shows that it is of before."""
    return _digest_of(str(current_app.static_folder))


@cache
def _digest_of(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _touch_icon_url(mixtape: SavedMixtape | None) -> str:
    """Return the address of the icon that iOS takes, which reads no manifest for it."""
    return _icon_url(mixtape, "icon-180")


def _icon_list(mixtape: SavedMixtape | None) -> list[dict[str, str]]:
    return [
        {
            "src": _icon_url(mixtape, name),
            "sizes": f"{edge}x{edge}",
            "type": "image/png",
            "purpose": "maskable" if is_maskable else "any",
        }
        for name, (edge, is_maskable) in ICONS.items()
        if name != "icon-180"
    ]


def _icon_url(mixtape: SavedMixtape | None, name: str) -> str:
    if mixtape is None or not mixtape.cover_parts:
        return url_for("static", filename=f"img/{name}.png")
    key = collage_key(mixtape.cover_parts)
    return url_for("installing.icon", slug=mixtape.slug, key=key, name=name)


def _manifest(name: str, start: str, scope: str, icons: list[dict[str, str]]) -> Response:
    response: Response = jsonify(
        id=start,
        name=name,
        short_name=name,
        start_url=start,
        scope=scope,
        display="standalone",
        lang=str(get_locale()),
        background_color=PAPER,
        theme_color=PAPER,
        icons=icons,
    )
    response.mimetype = _MANIFEST_TYPE
    return _asked_about(response)


def _asked_about(response: Response) -> Response:
    """Let a browser keep an answer and ask whether it still holds, before each use."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)
