"""One password for everybody: sign in, stay signed in, sign out."""

from __future__ import annotations

import hashlib
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
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from ..settings import SESSIONS_FILE, Settings
from .errors import error_response, wants_page
from .limits import SIGN_INS, make_limiter
from .sessions import SessionEpoch
from .urls import requested_address

SESSION_LIFETIME: Final = timedelta(days=30)
OPEN_ENDPOINTS: Final = frozenset(
    {
        "auth.login",
        "auth.sign_in",
        "auth.logout",
        "static",
        "health.healthz",
        # These look for themselves who may see what: a link is all that listeners have.
        "player.page",
        "player.stream",
        "player.cover",
        "player.unlock",
        "player.heard",
        "embed.page",
        "link_preview.oembed",
        "player.loudness",
        "take_along.archive",
        "take_along.single",
        "take_along.sizes",
        "take_along.m3u8",
        "take_along.xspf",
        "take_along.feed",
        "installing.manifest",
        "installing.icon",
        # The same for everybody, and nothing in them.
        "installing.site",
        "installing.worker",
        "installing.kept",
        "audio_cache.rendition",
        "audio_cache.grant",
        # Asks for the key of a device.
        "subsonic.call",
        "metrics.metrics",
    }
)
_SESSION_KEY = "signed_in"
_EPOCH: Final = "mixtape.sessions"
# Of a form with a password of any length that somebody types, its token and where to go then.
_MOST_SIGN_IN_BYTES: Final = 16_384


def init_app(app: Flask, settings: Settings) -> None:
    """Put an app behind its password, if it has one, and its forms behind a CSRF token."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,  # pages renew it; music carries no Set-Cookie
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a player's page stays open for days
    )
    shared = app.extensions["audio_cache"].shared
    app.extensions[_EPOCH] = SessionEpoch(settings.data_root / SESSIONS_FILE, shared)
    app.before_request(_refuse_long_sign_in)
    if settings.password is not None:
        app.config["PASSWORD"] = settings.password.get_secret_value()
        app.before_request(_require_session)
    CSRFProtect(app)
    app.register_blueprint(_blueprint(make_limiter(app)))
    app.context_processor(lambda: {"can_sign_out": is_protected() and is_signed_in()})


def is_protected() -> bool:
    """Say whether a password is needed at all."""
    return "PASSWORD" in current_app.config


def is_signed_in() -> bool:
    """Say whether the current session belongs to somebody who knew the present password."""
    return hmac.compare_digest(str(session.get(_SESSION_KEY, "")), _password_mark())


def is_owner() -> bool:
    """Say whether the visitor may see everything: signed in, or nobody needs to."""
    return not is_protected() or is_signed_in()


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
    if not is_protected() or is_signed_in():
        return redirect(safe_next(target))
    return make_response(render_template("login.html", next=target, wrong=False))


def _sign_in() -> Response:
    target = request.form.get("next", "")
    if not is_protected():
        return redirect(safe_next(target), 303)
    given = request.form.get("password", "").encode()
    if not hmac.compare_digest(given, current_app.config["PASSWORD"].encode()):
        current_app.logger.warning("a sign-in from %s failed", request.remote_addr)
        return make_response(render_template("login.html", next=target, wrong=True), 401)
    session.clear()
    session.permanent = True
    session[_SESSION_KEY] = _password_mark()
    return redirect(safe_next(target), 303)


def _logout() -> Response:
    if is_protected() and is_signed_in():
        # A cookie that was copied must not outlive this, so all sessions end.
        current_app.extensions[_EPOCH].end()
    session.clear()
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
    if is_signed_in():
        session.modified = wants_page()
        return None
    if not wants_page():
        return error_response(401, "Your session has ended. Sign in again.")
    target = requested_address() if request.method == "GET" else None
    return redirect(url_for("auth.login", next=target))


def _password_mark() -> str:
    """Return what a session carries.

    It changes with the password and with each sign-out, which end the sessions before.
    """
    key = str(current_app.config["SECRET_KEY"]).encode()
    password = str(current_app.config.get("PASSWORD", "")).encode()
    epoch = current_app.extensions[_EPOCH].read().encode()
    signed = b"signed-in\0" + password + b"\0" + epoch
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
