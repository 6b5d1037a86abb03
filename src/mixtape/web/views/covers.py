"""The pictures of folders and tracks."""

from __future__ import annotations

import zlib
from typing import Final

from flask import Blueprint, Flask, Response, abort, current_app, request, send_file

from ...library.folder_covers import SIZES, CoverStore
from ..urls import requested_path

blueprint = Blueprint("covers", __name__)
MAX_AGE_S: Final = 300
_PLACEHOLDER: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">
<rect width="96" height="96" fill="hsl({hue} 32% 42%)"/>
<path d="M0 96V{rise}Q48 {dip} 96 {fall}V96z" fill="hsl({hue} 34% 34%)"/>
<g fill="none" stroke="hsl({hue} 45% 88%)" stroke-width="2.6" stroke-linejoin="round">
<rect x="24" y="31" width="48" height="34" rx="5"/><circle cx="38" cy="46" r="5"/>
<circle cx="58" cy="46" r="5"/><path d="M43 46h10M33 65l3-8h24l3 8"/></g></svg>"""


def init_app(app: Flask, store: CoverStore) -> None:
    """Add the route of the covers to an app."""
    app.extensions["mixtape_covers"] = store
    app.register_blueprint(blueprint)


@blueprint.get("/cover/")
@blueprint.get("/cover/<file_path:path>")
def cover(path: str = "") -> Response:
    """Send the cover of a folder or track, or a drawn one where it has none."""
    size = request.args.get("size", "small")
    if size not in SIZES:
        abort(400, f"There is no cover size {size!r}: choose one of {', '.join(SIZES)}.")
    store: CoverStore = current_app.extensions["mixtape_covers"]
    name = requested_path("/cover/")
    try:
        place = store.library.resolve(name)
        kept = store.find_cover(place, size)
    except OSError:  # NotInLibraryError among them
        abort(404)
    if kept is None:
        folder = name if place.is_dir() else name.rpartition("/")[0]
        response = Response(draw_placeholder(folder), mimetype="image/svg+xml")
    else:
        response = send_file(kept, mimetype="image/jpeg", max_age=MAX_AGE_S)
    response.cache_control.private = True
    response.cache_control.public = False
    response.cache_control.max_age = MAX_AGE_S
    return response


def draw_placeholder(name: str) -> str:
    """Return a cover for what has none, as SVG; its colours follow from the name."""
    number = zlib.crc32(name.encode("utf-8", "surrogateescape"))
    return _PLACEHOLDER.format(
        hue=number % 360,
        rise=50 + number // 360 % 24,
        dip=40 + number // 8_640 % 40,
        fall=50 + number // 345_600 % 24,
    )
