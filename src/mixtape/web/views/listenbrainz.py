"""The connection to ListenBrainz: whether a user's plays are sent there."""

from __future__ import annotations

from flask import Blueprint, abort
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...services import current_services
from ..visitors import current_user
from .json_api import fresh_json, no_content, read_object

blueprint = Blueprint("listenbrainz", __name__, url_prefix="/api/listenbrainz")


@blueprint.get("")
def show() -> Response:
    """Send whether the user's plays are sent on, to which server, and how many wait."""
    connection = current_services().listens.connection(current_user().id)
    return fresh_json(
        {
            "is_on": connection.is_on,
            "url": connection.url,
            "waiting": connection.waiting,
            "problem": connection.problem,
        }
    )


@blueprint.put("")
def connect() -> Response:
    """Send the user's plays to the account of a token from now on; admins may name a server."""
    body, user = read_object(), current_user()
    token, url = body.get("token"), body.get("url", "")
    if not isinstance(token, str) or not isinstance(url, str):
        abort(400, gettext('This needs "token", a text, and may have "url", a text.'))
    if url.strip() and not user.is_admin:
        # This server asks there, from within its own network.
        abort(403, gettext("Only admins may name another server than listenbrainz.org."))
    name = current_services().listens.connect(user.id, token, url)
    return fresh_json({"name": name})


@blueprint.delete("")
def disconnect() -> Response:
    """Send nothing more, and forget the token and what was not sent yet."""
    current_services().listens.disconnect(current_user().id)
    return no_content()
