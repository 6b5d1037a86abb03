"""Who asks: nobody that is known, or a user, whose session it is; and what is theirs."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NoReturn, cast

from flask import Flask, abort, current_app, g, session
from flask_babel import gettext

from ..accounts.users import SavedUser
from ..database.tables import FIRST_USER
from ..mixtapes.tapes import Tapes
from ..mixtapes.values import SavedMixtape
from ..services import current_services
from ..settings import SESSIONS_FILE, Settings
from .sessions import SessionEpoch

_MARK: Final = "signed_in"
# Not in sessions of the first user, who is the only one on most sites.
_USER: Final = "user"
_EPOCH: Final = "mixtape.sessions"
_FOUND: Final = "visitor_id"


def init_app(app: Flask, settings: Settings) -> None:
    """Let an app know its visitors again; without a password everybody is the first user."""
    shared = app.extensions["audio_cache"].shared
    app.extensions[_EPOCH] = SessionEpoch(settings.data_root / SESSIONS_FILE, shared)
    if settings.password is not None:
        app.config["PASSWORD"] = settings.password.get_secret_value()
    app.context_processor(
        lambda: {
            "can_sign_out": is_protected() and is_user(),
            "is_user": is_user(),
            "is_admin": is_admin(),
            "owns": owns,
            # Two who share a browser find each their own music where they left it.
            "browser_scope": "" if visitor_id() in {None, FIRST_USER} else f" {visitor_id()}",
        }
    )


def is_protected() -> bool:
    """Say whether a password is needed at all."""
    return "PASSWORD" in current_app.config


def visitor_id() -> int | None:
    """Return the id of the user who asks; None for anybody else. It is looked up once a request."""
    if _FOUND not in g:
        # The page that says that this failed is shown to nobody in particular.
        setattr(g, _FOUND, None)
        setattr(g, _FOUND, _identify())
    return cast("int | None", g.get(_FOUND))


def is_user() -> bool:
    """Say whether the visitor has signed in, or nobody needs to."""
    return visitor_id() is not None


def is_admin() -> bool:
    """Say whether the visitor may do everything."""
    user_id = visitor_id()
    if user_id is None or user_id == FIRST_USER:
        return user_id is not None
    user = current_services().users.find_known(user_id)
    return user is not None and user.is_admin


def current_user() -> SavedUser:
    """Return the user who asks; 401 for anybody else."""
    user = current_services().users.find_known(_current_id())
    return user or _refuse()


def own_tapes() -> Tapes:
    """Return what the user who asks has made; 401 for anybody else."""
    return current_services().tapes_of(_current_id())


def current_mark() -> str:
    """Return what the session of the user who asks carries; 401 for anybody else."""
    return find_mark(_current_id()) or _refuse()


def owns(mixtape: SavedMixtape) -> bool:
    """Say whether the visitor has made a mixtape, and so may see it whatever its links are."""
    return mixtape.user_id == visitor_id()


def owns_task(task_id: str) -> bool:
    """Say whether the visitor may look after a run of caching: their mixtape's, or all for admins.

    Others' mixtapes are not an admin's either.
    """
    owner_id = current_services().mixtapes.find_owner(task_id)
    return is_admin() if owner_id is None else owner_id == visitor_id()


def sign_in_as(user: SavedUser) -> None:
    """Begin a session of a user in place of the one that there was."""
    session.clear()
    session.permanent = True
    if user.is_first:
        session[_MARK] = _first_mark()
    else:
        session[_MARK], session[_USER] = _mark_of(user), user.id


def sign_out() -> None:
    """End all sessions of the user who asks: a cookie that was copied must not outlive this."""
    user_id = visitor_id()
    if is_protected() and user_id is not None:
        if user_id == FIRST_USER:
            current_app.extensions[_EPOCH].end()
        else:
            current_services().users.end_sessions(user_id)
    session.clear()


def _identify() -> int | None:
    if not is_protected():
        return FIRST_USER
    given, user_id = str(session.get(_MARK, "")), session.get(_USER, FIRST_USER)
    mark = find_mark(user_id)
    return user_id if mark is not None and hmac.compare_digest(given, mark) else None


def find_mark(user_id: int) -> str | None:
    """Return what sessions of a user carry, which changes where they end; None if there is none."""
    # No row is read for the one who is there by definition: this is asked with every request.
    if user_id == FIRST_USER:
        return _first_mark()
    user = current_services().users.find_known(user_id)
    return None if user is None else _mark_of(user)


def _current_id() -> int:
    user_id = visitor_id()
    return _refuse() if user_id is None else user_id


def _refuse() -> NoReturn:
    abort(401, gettext("Your session has ended. Sign in again."))


def _first_mark() -> str:
    """Return what a session of the first user carries.

    It changes with the password and with each sign-out, which end the sessions before.
    """
    password = str(current_app.config.get("PASSWORD", ""))
    return _signed("signed-in", password, current_app.extensions[_EPOCH].read())


def _mark_of(user: SavedUser) -> str:
    """Return what a session of any other user carries, which changes where their sessions end."""
    return _signed("signed-in as", str(user.id), user.session_epoch)


def _signed(*parts: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
