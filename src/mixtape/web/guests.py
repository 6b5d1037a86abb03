"""Whoever comes by a link: shown its mixtape, asked for its password, or turned away."""

from __future__ import annotations

from typing import Final, NoReturn

from flask import Flask, abort, current_app, make_response, render_template, request, session
from flask_babel import gettext

from ..errors import NotFoundError
from ..mixtapes.share_links import mark_of
from ..mixtapes.values import SavedLink, SavedMixtape
from ..services import current_services
from .errors import error_response, wants_page
from .limits import LINK_PASSWORDS, WRONG_LINKS, make_limiter
from .visitors import owns, visitor_id

_WRONG_LINKS: Final = "mixtape.wrong_links"
_PASSWORDS: Final = "mixtape.link_passwords"
_UNLOCKED: Final = "links"
# A cookie has 4,000 bytes, and nobody is given that many mixtapes with a password at a time.
_MOST_UNLOCKED: Final = 20


def init_app(app: Flask) -> None:
    """Let an app slow down those who try many links, or many passwords of one."""
    app.extensions[_WRONG_LINKS] = make_limiter(app).shared_limit(WRONG_LINKS, scope="wrong-links")
    app.extensions[_PASSWORDS] = make_limiter(app).shared_limit(
        LINK_PASSWORDS, scope="link-passwords", key_func=lambda: (request.view_args or {})["slug"]
    )


def open_mixtape(slug: str) -> SavedMixtape:
    """Return the mixtape of a link that the visitor may use; who made it may use each.

    Anything else is answered here: 404, and 401 with the page that asks for the link's password.
    """
    mixtape = find_mixtape(slug)
    if not (owns(mixtape) or is_unlocked(mixtape.link)):
        ask_for_password(mixtape.link)
    return mixtape


def find_mixtape(slug: str) -> SavedMixtape:
    """Return the mixtape of a link whether or not the visitor knows its password; else 404."""
    # Also where there is no such link: the answers to both are the same to the last header.
    user_id = visitor_id()
    try:
        mixtape = current_services().mixtapes.get_linked(slug)
    except NotFoundError:
        refuse_link()
    if not (mixtape.shared or mixtape.user_id == user_id):
        refuse_link()
    return mixtape


def is_unlocked(link: SavedLink) -> bool:
    """Say whether a link needs no password, or the visitor has told it before."""
    if not link.has_password:
        return True
    known = session.get(_UNLOCKED, {})
    return bool(known.get(str(link.id)) == _mark_of(link))


def knows_password(link: SavedLink, password: str) -> bool:
    """Say whether a password is that of the link of the request; 429 where many were tried."""
    with current_app.extensions[_PASSWORDS]:
        return current_services().share_links.is_password(link.slug, password)


def unlock(link: SavedLink) -> None:
    """Remember that the visitor knows the password of a link; it opens no other."""
    known: dict[str, str] = {**session.get(_UNLOCKED, {})}
    known.pop(str(link.id), None)
    known[str(link.id)] = _mark_of(link)
    session[_UNLOCKED] = dict(list(known.items())[-_MOST_UNLOCKED:])
    session.permanent = True


def ask_for_password(link: SavedLink, *, is_wrong: bool = False) -> NoReturn:
    """Answer 401, for people with the page that asks for a link's password."""
    if not wants_page():
        abort(make_response(error_response(401, gettext("This link needs its password."))))
    page = render_template("unlock.html", link=link, is_wrong=is_wrong)
    abort(make_response(page, 401))


def refuse_link(why: str = "") -> NoReturn:
    """Answer 404, or 429 to a visitor with too many wrong links.

    Only these are counted, so that whoever has a right link gets in by it also while somebody at
    the same address (a household, a company, a proxy that was not declared) tries wrong ones.

    Args:
        why: what people are told; of a mixtape's link if not given.
    """
    with current_app.extensions[_WRONG_LINKS]:
        abort(
            404,
            why
            or gettext(
                "There is no mixtape at this address. It may have ended, been closed or been given "
                "a new link: ask whoever sent it to you."
            ),
        )


def heard_token(link: SavedLink) -> str:
    """Return what a page proves by that it was opened by this link, when it tells of progress."""
    return mark_of(link, str(current_app.config["SECRET_KEY"]), "heard")


def _mark_of(link: SavedLink) -> str:
    return mark_of(link, str(current_app.config["SECRET_KEY"]), "unlocked")
