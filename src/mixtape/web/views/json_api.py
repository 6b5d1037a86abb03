"""Helpers of the JSON views: reading a request's object, and errors of the model as answers."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

from flask import Flask, abort, jsonify, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...database.tables import MAX_COUNTED
from ...errors import (
    BackupError,
    ConflictError,
    DatabaseError,
    InvalidAccountError,
    InvalidMixtapeError,
    MixtapeError,
    NotFoundError,
    PictureError,
    PlaylistError,
    RefusalError,
    TakeawayError,
)
from ..errors import error_response
from ..languages import in_language

# A draft is one megabyte at most and a cover ten; a larger request is a mistake or an attack.
MAX_REQUEST_BYTES: Final = 12_000_000
_STATUS: Final[tuple[tuple[type[MixtapeError], int], ...]] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidAccountError, 400),
    (InvalidMixtapeError, 400),
    (PictureError, 400),
    (BackupError, 400),
    (PlaylistError, 400),
    (TakeawayError, 409),
    (DatabaseError, 503),
)


def init_app(app: Flask) -> None:
    """Limit what a request to an app may hold, and answer the model's errors by their messages."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    app.register_error_handler(MixtapeError, answer_model_error)


def answer_model_error(error: MixtapeError) -> Response:
    """Turn an error of the model into an answer."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    message = in_language(error.message) if isinstance(error, RefusalError) else str(error)
    return error_response(status, as_sentence(message))


def as_sentence(message: str) -> str:
    """Return the message of an error as a sentence: "the title is long" becomes "The title …"."""
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."


def fresh_json(content: dict[str, Any], status: int = 200) -> Response:
    """Return an answer that nobody may keep: it holds for this moment."""
    response = jsonify(content)
    response.status_code = status
    response.cache_control.no_store = True
    return response


def no_content() -> Response:
    """Return an answer that says no more than that it was done, and so has no type either."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def read_object() -> dict[str, Any]:
    """Return the JSON object that the current request holds; 400 where it holds something else."""
    body = read_json()
    if not isinstance(body, dict):
        abort(400, "This takes a JSON object.")
    return body


def read_flag(body: dict[str, Any], name: str) -> bool:
    """Return a truth value of an object; false where it is not sent."""
    flag = body.get(name, False)
    if not isinstance(flag, bool):
        abort(400, gettext('"%(name)s" has to be true or false.', name=name))
    return flag


def read_json() -> Any:
    """Return what JSON the current request holds; None where it holds none, or nests too deeply."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def read_revision(body: dict[str, Any]) -> int:
    """Return the revision that a request started from; 400 where there is none."""
    revision = body.get("revision")
    if not is_revision(revision):
        abort(400, "This needs the revision that the change started from, a whole number.")
    return revision


def is_revision(value: Any) -> TypeGuard[int]:
    """Say whether a value can be a revision: a number that every database has."""
    return type(value) is int and abs(value) <= MAX_COUNTED
