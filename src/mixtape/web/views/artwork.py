"""Covers: by their key, which stands for one picture for ever, or by folder; and their upload."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, abort, jsonify, request, send_file
from werkzeug.wrappers import Response

from ...files.pictures import check_upload_size
from ...library.covers import MIDDLE, SIZES, SIZES_TEXT
from ...services import current_services
from ..urls import requested_path
from .as_json import art_url

blueprint = Blueprint("artwork", __name__)
FOR_EVER_S: Final = 365 * 24 * 3600
FOLDER_AGE_S: Final = 300
_PLACEHOLDER: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">
<rect width="96" height="96" fill="hsl({hue} 32% 42%)"/>
<path d="M0 96V{rise}Q48 {dip} 96 {fall}V96z" fill="hsl({hue} 34% 34%)"/>
<g fill="none" stroke="hsl({hue} 45% 88%)" stroke-width="2.6" stroke-linejoin="round">
<rect x="24" y="31" width="48" height="34" rx="5"/><circle cx="38" cy="46" r="5"/>
<circle cx="58" cy="46" r="5"/><path d="M43 46h10M33 65l3-8h24l3 8"/></g></svg>"""


@blueprint.get("/art/<key>/<int:size>.jpg")
def picture(key: str, size: int) -> Response:
    """Send a cover."""
    if size not in SIZES:
        abort(404, f"There are covers of {SIZES_TEXT} pixels, and no others.")
    return unchanging(send_cover(key, size))


def send_cover(key: str, size: int | str, parts: Sequence[str] = ()) -> Response:
    """Return the answer to a request for a cover, of which the key alone tells which it is.

    Flask's own would tell a date, and a tag made of that date and of the file's path.

    Args:
        size: as `Collages.get` has it.
        parts: the covers that it is made of; none for one that stands by itself.

    Raises:
        NotFoundError: there is no such cover.
    """
    found = current_services().collages.get(parts or (key,), size)
    response = send_file(
        found, mimetype="image/jpeg", conditional=False, etag=f"{key}-{size}", max_age=0
    )
    del response.headers["Last-Modified"]
    return response.make_conditional(request)


@blueprint.get("/art/drawn/<int:number>.svg")
def drawn(number: int) -> Response:
    """Send the cover of what has none."""
    return unchanging(Response(draw_placeholder(str(number)), mimetype="image/svg+xml"))


@blueprint.get("/cover/")
@blueprint.get("/cover/<file_path:path>")
def folder_cover(path: str = "") -> Response:
    """Send the cover of a folder, or a drawn one where it has none."""
    text = request.args.get("size", str(MIDDLE))
    if text not in map(str, SIZES):
        abort(400, f"There is no cover of size {text!r}: choose one of {SIZES_TEXT}.")
    folder = requested_path("/cover/")
    found = current_services().artwork.find_folder_cover(folder, int(text))
    if found is None:
        drawing = draw_placeholder(os.fsdecode(folder))
        return _kept(Response(drawing, mimetype="image/svg+xml"), FOLDER_AGE_S)
    return _kept(send_file(found, mimetype="image/jpeg"), FOLDER_AGE_S)


@blueprint.post("/api/covers")
def upload() -> tuple[Response, int]:
    """Keep the picture that is the request's body, and answer with its key and address."""
    check_upload_size(request.content_length or 0)
    key = current_services().artwork.add_upload(request.get_data(cache=False))
    return jsonify(cover_key=key, url=art_url(key, MIDDLE)), 201


def draw_placeholder(name: str) -> str:
    """Return a cover for what has none, as SVG; its colours follow from the name."""
    number = zlib.crc32(name.encode("utf-8", "surrogateescape"))
    return _PLACEHOLDER.format(
        hue=number % 360,
        rise=50 + number // 360 % 24,
        dip=40 + number // 8_640 % 40,
        fall=50 + number // 345_600 % 24,
    )


def unchanging(response: Response, age_s: int = FOR_EVER_S) -> Response:
    """Let a browser keep a picture and never ask again: a key stands for one picture for ever."""
    response.cache_control.immutable = True
    return _kept(response, age_s)


def _kept(response: Response, age_s: int) -> Response:
    response.cache_control.no_cache = None
    response.cache_control.public = False
    response.cache_control.private = True
    response.cache_control.max_age = age_s
    return response
