"""The pages of folders and their tracks."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...files.names import shown
from ...services import current_services
from ..urls import browse_url, cache_folder_url, folder_cover_url, requested_path

blueprint = Blueprint("library", __name__)


def init_app(app: Flask) -> None:
    """Add the library's pages, and what their templates need, to an app."""
    app.register_blueprint(blueprint)
    app.jinja_env.filters["shown"] = shown
    app.jinja_env.globals.update(
        browse_url=browse_url,
        cache_folder_url=cache_folder_url,
        folder_cover_url=folder_cover_url,
    )


@blueprint.get("/")
def home() -> str:
    """Show the top folder."""
    return _page(b"")


@blueprint.get("/browse/")
def browse_nothing() -> Response:
    """Lead an address that lost its folder to the top folder."""
    return redirect(url_for("library.home"))


@blueprint.get("/browse/<file_path:path>")
def browse(path: str) -> str:
    """Show a folder; its name is read from the raw address, as it may be any bytes."""
    return _page(requested_path("/browse/"))


def _page(folder: bytes) -> str:
    return render_template(
        "library.html",
        listing=current_services().folders.get_page(folder, request.args.get("page", 1, int)),
        music_root=current_app.config["MUSIC_ROOT"],
        is_demo=current_app.config["IS_DEMO"],
    )
