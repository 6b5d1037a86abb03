"""Signing in and out, and the door that every request passes."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from ..accounts.users import FIRST_SIGN_IN, MAX_NAME, SavedUser, name_key
from ..services import current_services
from ..settings import Settings
from . import visitors
from .access import OPEN_ENDPOINTS, USER_ENDPOINTS
from .errors import error_response, wants_page
from .limits import SIGN_INS, make_limiter
from .urls import requested_address
from .visitors import is_admin, is_protected, is_user, owns_task, sign_in_as, sign_out

SESSION_LIFETIME: Final = timedelta(days=30)
# Of a form with a password of any length that somebody types, its token and where to go then.
_MOST_SIGN_IN_BYTES: Final = 16_384


def init_app(app: Flask, settings: Settings) -> None:
    """Put an app behind its password, if it has one, and its forms behind a CSRF token."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,  # pages renew it; music carries no Set-Cookie
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a player's page stays open for days
    )
    visitors.init_app(app, settings)
    app.before_request(_refuse_long_sign_in)
    if settings.password is not None:
        app.before_request(_require_session)
    app.before_request(_require_own_task)
    CSRFProtect(app)
    app.register_blueprint(_blueprint(make_limiter(app)))


def safe_next(target: str) -> str:
    """Return a path of this site to go to after signing in; the library for anything else."""
    # Browsers read a backslash as a slash and drop tabs and line ends, so that a slash followed by
    # one of those and a host name leaves the site, as two slashes do.
    has_tricks = "\\" in target or any(ord(character) < 33 for character in target)
    if has_tricks or not target.startswith("/") or target.startswith("//"):
        return url_for("library.home")
    parts = urlsplit(target)
    return url_for("library.home") if parts.scheme or parts.netloc else target


def _blueprint(limiter: Limiter) -> Blueprint:
    blueprint = Blueprint("auth", __name__)
    blueprint.add_url_rule("/login", "login", _login)
    blueprint.add_url_rule("/login", "sign_in", limiter.limit(SIGN_INS)(_sign_in), methods=["POST"])
    blueprint.add_url_rule("/logout", "logout", _logout, methods=["POST"])
    return blueprint


def _login() -> Response:
    target = request.args.get("next", "")
    if is_user():
        return redirect(safe_next(target))
    return _form(target)


def _sign_in() -> Response:
    target = request.form.get("next", "")
    if not is_protected():
        return redirect(safe_next(target), 303)
    name, password = request.form.get("username", ""), request.form.get("password", "")
    user = _find_user(name, password)
    if user is None:
        current_app.logger.warning("a sign-in from %s failed", request.remote_addr)
        return _form(target, name[:MAX_NAME], is_wrong=True)
    sign_in_as(user)
    return redirect(safe_next(target), 303)


def _find_user(name: str, password: str) -> SavedUser | None:
    """Return the user of a name and a password; None where either is wrong.

    While there is one user nobody is asked for a name, and what browsers send as one says nothing.
    """
    users = current_services().users
    is_right = hmac.compare_digest(password.encode(), current_app.config["PASSWORD"].encode())
    if not users.has_others():
        return users.get() if is_right else None
    # Whatever the name is: how long this takes tells nobody who there is.
    found = users.find_by_password(name, password)
    if name_key(name) in {"", FIRST_SIGN_IN, name_key(users.get().name)}:
        return users.get() if is_right else None
    return found


def _form(target: str, name: str = "", *, is_wrong: bool = False) -> Response:
    page = render_template(
        "login.html",
        next=target,
        wrong=is_wrong,
        name=name,
        asks_for_name=current_services().users.has_others(),
        only_name=FIRST_SIGN_IN,
    )
    return make_response(page, 401 if is_wrong else 200)


def _logout() -> Response:
    sign_out()
    return redirect(url_for("auth.login"), 303)


def _refuse_long_sign_in() -> None:
    """Refuse what is no password before any of it is read; forms are parsed for their token."""
    if request.endpoint in {"auth.sign_in", "player.unlock"}:
        if request.content_length is None:
            abort(411)
        if request.content_length > _MOST_SIGN_IN_BYTES:
            abort(413, "A password is never that long.")


def _require_session() -> Response | None:
    if request.endpoint in OPEN_ENDPOINTS:
        return None
    if not is_user():
        if not wants_page():
            return error_response(401, gettext("Your session has ended. Sign in again."))
        target = requested_address() if request.method == "GET" else None
        return redirect(url_for("auth.login", next=target))
    session.modified = wants_page()
    # An address that leads nowhere is answered as such.
    if request.endpoint is None or request.endpoint in USER_ENDPOINTS or is_admin():
        return None
    return error_response(403, gettext("Only admins may do this."))


def _require_own_task() -> None:
    """Let nobody watch the run of another user's mixtape."""
    if request.endpoint == "audio_cache.progress":
        slug = (request.view_args or {})["slug"]
        if not owns_task(slug):
            abort(404)
