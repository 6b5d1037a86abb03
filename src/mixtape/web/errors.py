"""Errors: pages in the site's style for people, and JSON for everything else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from audio_cache import EngineUnavailableError

LOGIN_WINDOW_S: Final = 60
# (headline, explanation where the error brings none of its own)
MESSAGES: Final[dict[int, tuple[LazyString, LazyString]]] = {
    400: (_("That request made no sense"), _("Something in the address or the form is not right.")),
    401: (_("Please sign in"), _("Your session has ended.")),
    403: (_("Not allowed"), _("You may not see this.")),
    404: (_("Nothing here"), _("This folder or track does not exist, or it has been moved.")),
    405: (_("That does not work here"), _("This address cannot be used in that way.")),
    416: (_("Past the end"), _("The file is shorter than the part that was asked for.")),
    429: (
        _("Too many requests"),
        _("Wait a minute, then try again."),
    ),
    500: (
        _("Something broke"),
        _(
            "That is our fault, not yours. The reason is in the server's log; "
            "trying again may help."
        ),
    ),
    503: (_("Not right now"), _("The server is busy. Try again in a moment.")),
}


def init_app(app: Flask) -> None:
    """Answer every error of an app as a page or as `{"error": {"status", "message"}}`."""
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_unexpected_error)
    app.register_error_handler(EngineUnavailableError, answer_without_engine)


def answer_without_engine(error: EngineUnavailableError) -> Response:
    """Answer 503 where what several hosts share is not there."""
    current_app.logger.error("%s", error)
    words = gettext(
        "Nothing can be prepared ahead at the moment; music plays as ever. Try again soon."
    )
    return error_response(503, words)


def wants_page() -> bool:
    """Say whether the client is a browser that shows a page.

    Navigations name text/html in Accept; <audio>, fetch and command line clients send */*.
    """
    return any(kind == "text/html" and weight > 0 for kind, weight in request.accept_mimetypes)


def error_response(status: int, message: str) -> Response:
    """Return an error as a page or as JSON, as the client wants."""
    if wants_page():
        headline = MESSAGES.get(status, (HTTPStatus(status).phrase, ""))[0]
        page = render_template("error.html", status=status, headline=headline, message=message)
        return make_response(page, status)
    response = make_response({"error": {"status": status, "message": message}}, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_http_error(error: HTTPException) -> Response:
    """Turn an abort into an answer that keeps its headers, such as Allow or Content-Range."""
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    if error.response is not None:  # abort(response): the view has said all there is to say
        return make_response(error.response)
    response = error_response(error.code, _message(error))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    if error.code == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers.setdefault("Retry-After", str(LOGIN_WINDOW_S))
    return response


def answer_unexpected_error(error: Exception) -> Response:
    """Log what nobody foresaw and answer 500 without details."""
    current_app.logger.exception("%s %r failed", request.method, request.path, exc_info=error)
    return error_response(500, str(MESSAGES[500][1]))


def _message(error: HTTPException) -> str:
    status = error.code or 500
    if isinstance(error, CSRFError):
        return str(gettext("This page was open for too long. Go back, reload it and try again."))
    # Werkzeug's stock sentences are for programmers; a view's own description is for people.
    stock = {None, type(error).description, InternalServerError.description}
    if status in MESSAGES and (error.description in stock or status in {429, 500}):
        return str(MESSAGES[status][1])
    return error.description or HTTPStatus(status).phrase
