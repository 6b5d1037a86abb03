"""The one view of the API: who asks, what they ask, and the answer or the refusal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from flask import Blueprint, Flask, abort, current_app, request
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from ...accounts.devices import Devices, KnownDevice
from ...errors import MixtapeError, NotFoundError, RefusalError
from ...mixtapes.open_answers import answers_to
from ...services import current_services
from ..device_use import note_use
from ..limits import WRONG_KEYS, make_limiter
from ..urls import public_url
from .answers import answer, refusal
from .arguments import Arguments
from .call import Call
from .credentials import identify
from .errors import (
    FAILED,
    NOT_FOUND,
    WRONG_CREDENTIALS,
    WRONG_KEY,
    SubsonicError,
)
from .table import CALLS, HTTP_ERRORS, OPEN_CALLS

_WRONG_KEYS: Final = "mixtape.wrong_keys"
# A queue or playlist of some ten thousand ids.
_MOST_BYTES: Final = 1_000_000
_MOST_CLIENT: Final = 60
_LOGGED: Final = frozenset({WRONG_CREDENTIALS, WRONG_KEY})
# What a player has to know of an answer, in a browser and from another site.
_EXPOSED: Final = (
    "Accept-Ranges, Cache-Status, Content-Length, Content-Range, ETag, Last-Modified, Retry-After"
)


def init_app(app: Flask) -> None:
    """Add the API to an app."""
    blueprint = Blueprint("subsonic", __name__, url_prefix="/rest")
    for rule in ("/<name>.view", "/<name>"):
        blueprint.add_url_rule(rule, "call", call, methods=["GET", "POST"])
    blueprint.after_request(_open_to_other_sites)
    blueprint.after_request(_keep_from_others)
    # Nothing here looks at a cookie, so that another site gains nothing by one.
    app.extensions["csrf"].exempt(blueprint)
    app.extensions[_WRONG_KEYS] = make_limiter(app).shared_limit(WRONG_KEYS, scope="wrong-keys")
    app.register_blueprint(blueprint)


def call(name: str) -> Response:
    """Answer one call of the OpenSubsonic API, to a device that proves that it knows its key."""
    if (request.content_length or 0) > _MOST_BYTES:
        abort(413)
    request.max_form_memory_size = _MOST_BYTES
    arguments = Arguments.of(request)
    if request.method == "POST":
        # The same call: players post what would be long as an address, and ask for ranges so, too.
        request.method = "GET"
    kind, callback = arguments.text("f", "xml"), arguments.text("callback", "")
    try:
        answered = _answer(name, arguments)
    except TooManyRequests as error:
        words = "Too many wrong keys. Wait a minute, then try again."
        response = refusal(WRONG_CREDENTIALS, words, "", kind, callback)
        response.status_code = error.code or 429
        response.headers["Retry-After"] = "60"
        return response
    except (SubsonicError, MixtapeError) as error:
        refused = error if isinstance(error, SubsonicError) else _refused(error)
        response = refusal(refused.code, refused.message, refused.help_url, kind, callback)
        if name in HTTP_ERRORS:
            response.status_code = refused.status
        return response
    return answered if isinstance(answered, Response) else answer(answered, kind, callback)


def _answer(name: str, arguments: Arguments) -> Any:
    answerer = CALLS.get(name)
    if name in OPEN_CALLS and answerer is not None:
        return answerer(None)  # type: ignore[arg-type]
    services = current_services()
    ends = services.open_answers.ends
    device = _identify(arguments, services.devices)
    client = arguments.text("c", "")[:_MOST_CLIENT]
    note_use(device.id, client)
    if answerer is None:
        raise SubsonicError(NOT_FOUND, f"“{name[:60]}” is no call that this server answers.")
    answered = answerer(Call(arguments, device.user, device.id, client, services))
    if isinstance(answered, Response):
        services.open_answers.add(answers_to(device.id), request.environ, answered)
        if services.open_answers.ends != ends:
            # One was removed between the look and now: perhaps this one.
            _identify(arguments, services.devices)
    return answered


def _identify(arguments: Arguments, devices: Devices) -> KnownDevice:
    try:
        return identify(arguments, devices, public_url("devices.page"))
    except SubsonicError as error:
        error.status = 401
        _note_wrong(error)
        raise


def _refused(error: MixtapeError) -> SubsonicError:
    code = NOT_FOUND if isinstance(error, NotFoundError) else FAILED
    refused = SubsonicError(code, f"{error}.")
    if not isinstance(error, RefusalError):
        refused.status = 500
    return refused


def _note_wrong(error: SubsonicError) -> None:
    """Log and count whoever gives a wrong key.

    Only these are counted, so that whoever has a right key gets in by it also while somebody at
    the same address tries wrong ones.
    """
    if error.code not in _LOGGED:
        return
    limit: AbstractContextManager[None] = current_app.extensions[_WRONG_KEYS]
    # Beyond the limit nothing is logged either, so that nobody fills the log.
    with limit:
        current_app.logger.warning("a player at %s gave a wrong key", request.remote_addr)


def _open_to_other_sites(response: Response) -> Response:
    """Let players that run in a browser ask from their own site.

    Whoever asks has to know a key: no cookie counts here.
    """
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers["Access-Control-Allow-Headers"] = "Content-Type, Range, If-Range"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _keep_from_others(response: Response) -> Response:
    """Let no cache that several people share keep an answer, whose address may hold a key.

    Values are kept by nobody, and neither is a refusal: it says nothing of the next moment.
    """
    if "Cache-Control" in response.headers:
        response.cache_control.private = True
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
