"""The page of folders and tracks."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...files.folders import Library, NotInLibraryError
from ...files.formats import duration_text, size_text, total_duration_text
from ...files.names import shown
from ..urls import browse_url, cache_folder_url, cover_url, play_url, requested_path

blueprint = Blueprint("library", __name__)


def init_app(app: Flask, library: Library) -> None:
    """Add the library's pages, and what their templates need, to an app."""
    app.extensions["mixtape_library"] = library
    app.register_blueprint(blueprint)
    app.jinja_env.filters.update(
        shown=shown,
        size=size_text,
        duration=duration_text,
        total_duration=total_duration_text,
        counted=counted,
    )
    app.jinja_env.globals.update(
        browse_url=browse_url,
        cache_folder_url=cache_folder_url,
        cover_url=cover_url,
        play_url=play_url,
    )


def current_library() -> Library:
    """Return the library of the current app."""
    library: Library = current_app.extensions["mixtape_library"]
    return library


def default_quality() -> str:
    """Return the quality that a player begins with where nobody has chosen one."""
    quality: str = current_app.extensions["audio_cache"].settings.default_quality
    return quality


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: "1 track", "12 tracks"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@blueprint.get("/")
def home() -> str:
    """Show the top folder."""
    return _page("")


@blueprint.get("/browse/")
def browse_nothing() -> Response:
    """Lead an address that lost its folder to the top folder."""
    return redirect(url_for("library.home"))


@blueprint.get("/browse/<file_path:path>")
def browse(path: str) -> str:
    """Show a folder; its name is read from the raw address, as it may be any bytes."""
    return _page(requested_path("/browse/"))


def _page(folder: str) -> str:
    library = current_library()
    try:
        listing = library.list_folder(folder, request.args.get("page", 1, int))
    except NotInLibraryError:
        abort(404)
    return render_template(
        "library.html",
        listing=listing,
        music_root=current_app.config["MUSIC_ROOT"],
        is_demo=current_app.config["IS_DEMO"],
        default_quality=default_quality(),
    )
