"""Covers by their key, which stands for one picture for ever; and the upload of one."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, jsonify, request, send_file
from werkzeug.wrappers import Response

from ...errors import PictureError
from ...files.pictures import MAX_UPLOAD_BYTES
from ...library.covers import SIZES
from ...services import current_services
from .as_json import MIDDLE, art_url
from .covers import draw_placeholder
from .json_api import explain_errors

blueprint = explain_errors(Blueprint("artwork", __name__))
FOR_EVER_S: Final = 365 * 24 * 3600


@blueprint.get("/art/<key>/<int:size>.jpg")
def picture(key: str, size: int) -> Response:
    """Send a cover."""
    if size not in SIZES:
        abort(404, f"There are covers of {', '.join(map(str, SIZES))} pixels, and no others.")
    found = current_services().artwork.get_cover(key, size)
    return _unchanging(send_file(found, mimetype="image/jpeg", max_age=FOR_EVER_S))


@blueprint.get("/art/drawn/<int:number>.svg")
def drawn(number: int) -> Response:
    """Send the cover of what has none."""
    return _unchanging(Response(draw_placeholder(str(number)), mimetype="image/svg+xml"))


@blueprint.post("/api/covers")
def upload() -> tuple[Response, int]:
    """Keep the picture that is the request's body, and answer with its key and address."""
    if (request.content_length or 0) > MAX_UPLOAD_BYTES:
        size_mb = (request.content_length or 0) / 1e6
        raise PictureError(
            f"the picture has {size_mb:.1f} MB: choose one of up to {MAX_UPLOAD_BYTES / 1e6:.0f} MB"
        )
    key = current_services().artwork.add_upload(request.get_data(cache=False))
    return jsonify(cover_key=key, url=art_url(key, MIDDLE)), 201


def _unchanging(response: Response) -> Response:
    response.cache_control.public = False
    response.cache_control.private = True
    response.cache_control.max_age = FOR_EVER_S
    response.cache_control.immutable = True
    return response
