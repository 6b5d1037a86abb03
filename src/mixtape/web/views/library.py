"""The pages of folders and their tracks."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, render_template, request

from audio_cache.flask_ext import get_state

from ...files.names import shown
from ...library import folders
from ...services import current_services
from ..urls import (
    browse_url,
    cache_folder_url,
    folder_cover_url,
    folder_tracks_url,
    requested_path,
)
from .catalogue import albums_page

blueprint = Blueprint("library", __name__)


def init_app(app: Flask) -> None:
    """Add the library's pages, and what their templates need, to an app."""
    app.register_blueprint(blueprint)
    app.jinja_env.filters["shown"] = shown
    app.jinja_env.globals.update(
        browse_url=browse_url,
        cache_folder_url=cache_folder_url,
        folder_cover_url=folder_cover_url,
        folder_tracks_url=folder_tracks_url,
    )


@blueprint.get("/")
def home() -> str:
    """Show the albums; as long as there are none, the top folder, which needs no scan."""
    has_albums = current_services().catalogue.albums(limit=1).items
    return albums_page() if has_albums else _page(b"")


@blueprint.get("/browse/")
def top() -> str:
    """Show the top folder."""
    return _page(b"")


@blueprint.get("/browse/<file_path:path>")
def browse(path: str) -> str:
    """Show a folder; its name is read from the raw address, as it may be any bytes."""
    return _page(requested_path("/browse/"))


def _page(folder: bytes) -> str:
    listing = current_services().folders.get_page(folder, request.args.get("page", 1, int))
    return render_template(
        "library.html",
        listing=listing,
        first_place=max(0, (listing.page - 1) * folders.PAGE_SIZE - listing.folder_count) + 1,
        music_root=", ".join(get_state().roots.places.values()),
        is_demo=current_app.config["IS_DEMO"],
    )
