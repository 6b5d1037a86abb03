"""The page of those who use the site, for admins: who there is, as what, and who comes and goes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from ...accounts.passwords import MAX_PASSWORD, new_password
from ...accounts.users import MAX_NAME, SavedUser
from ...mixtapes.open_answers import answers_to
from ...services import current_services
from ..visitors import current_user, is_protected
from .json_api import fresh_json, no_content, read_flag, read_object

blueprint = Blueprint("people", __name__)
_DELETE, _GIVE = "delete", "give"


@blueprint.get("/people")
def page() -> str:
    """Show all users to an admin, with how much each has and nothing of what it is."""
    users = current_services().users
    return render_template(
        "people.html",
        user=current_user(),
        people=users.all(),
        belongings=users.belongings(),
        is_protected=is_protected(),
        max_name=MAX_NAME,
        max_password=MAX_PASSWORD,
    )


@blueprint.post("/api/people")
def add() -> Response:
    """Add a user; where no password is sent one is made, which this answer alone tells."""
    if not is_protected():
        abort(
            409,
            gettext(
                "Set PASSWORD first: without it everybody is taken for the first user, and nobody "
                "else can sign in."
            ),
        )
    body = read_object()
    name, role = _read_text(body, "name"), _read_text(body, "role")
    password, made = _read_password(body)
    user = current_services().users.add(name, role, password)
    _log("added", user)
    return fresh_json({**_fields(user), "password": made}, 201)


@blueprint.patch("/api/people/<int:user_id>")
def change(user_id: int) -> Response:
    """Change a user's name or role; another role ends the user's sessions."""
    body, users = read_object(), current_services().users
    user = users.get(user_id)
    if "name" in body:
        user = users.rename(user_id, _read_text(body, "name"))
    if "role" in body:
        user = users.set_role(user_id, _read_text(body, "role"))
    _log("changed", user)
    return fresh_json(_fields(user))


@blueprint.post("/api/people/<int:user_id>/password")
def reset_password(user_id: int) -> Response:
    """Give a user another password, made here where none is sent; the user's sessions end.

    Devices and links stay, unless "remove_devices" is true.
    """
    body, services = read_object(), current_services()
    (password, made), remove_devices = _read_password(body), read_flag(body, "remove_devices")
    user = services.users.set_password(user_id, password)
    if remove_devices:
        services.remove_devices(user_id)
    _log("given another password", user)
    return fresh_json({**_fields(user), "password": made})


@blueprint.delete("/api/people/<int:user_id>")
def remove(user_id: int) -> Response:
    """Remove a user; "tapes" says whether the mixtapes are deleted, or given to whoever asks."""
    tapes_go = read_object().get("tapes")
    if tapes_go not in (_DELETE, _GIVE):  # it may be a list, which no set takes
        abort(400, gettext('This needs "tapes": “delete”, or “give” to have them yourself.'))
    services, heir = current_services(), current_user()
    if user_id == heir.id:
        abort(409, gettext("Another admin has to remove you."))
    tapes = services.tapes_of(user_id)
    devices = services.devices.of(user_id)
    theirs = {one.slug: tapes.share_links.of(one.slug) for one in tapes.mixtapes.summaries()}
    _log("removed", services.users.remove(user_id, heir.id if tapes_go == _GIVE else None))
    for device in devices:
        services.open_answers.end(answers_to(device.id))
    if tapes_go == _DELETE:
        for slug, links in theirs.items():
            services.let_go(slug, links)
    return no_content()


def _fields(user: SavedUser) -> dict[str, Any]:
    return {"id": user.id, "name": user.name, "role": user.role}


def _read_text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str):
        abort(400, gettext('This needs "%(name)s", a text.', name=name))
    return text


def _read_password(body: dict[str, Any]) -> tuple[str, str | None]:
    """Return the password that is sent, else one that is made; and what has to be told."""
    given = body.get("password", "")
    if not isinstance(given, str):
        abort(400, gettext('This needs "%(name)s", a text.', name="password"))
    if given:
        return given, None
    made = new_password()
    return made, made


def _log(what: str, user: SavedUser) -> None:
    current_app.logger.info("user %d was %s by user %d", user.id, what, current_user().id)
