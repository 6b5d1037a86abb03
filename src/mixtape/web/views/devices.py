"""The page of a user's devices, for players of others, and of their own password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, abort, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from audio_cache.flask_ext import get_state

from ...accounts.devices import MAX_NAME, SavedDevice
from ...accounts.passwords import MAX_PASSWORD
from ...services import current_services
from ..limits import SIGN_INS, make_limiter
from ..urls import public_url
from ..visitors import current_user, is_protected, sign_in_as
from .as_json import quality_fields
from .json_api import fresh_json, no_content, read_flag, read_object


def init_app(app: Flask) -> None:
    """Add the page of devices to an app."""
    blueprint = Blueprint("devices", __name__)
    blueprint.add_url_rule("/devices", "page", page)
    blueprint.add_url_rule("/api/devices", "add", add, methods=["POST"])
    blueprint.add_url_rule("/api/devices", "remove_all", remove_all, methods=["DELETE"])
    blueprint.add_url_rule("/api/devices/<int:device_id>", "remove", remove, methods=["DELETE"])
    limited = make_limiter(app).limit(SIGN_INS)(change_password)
    blueprint.add_url_rule("/api/password", "change_password", limited, methods=["POST"])
    app.register_blueprint(blueprint)


def page() -> str:
    """Show the user's devices, how another one is added, and the way to another password."""
    user = current_user()
    return render_template(
        "devices.html",
        user=user,
        devices=current_services().devices.of(user.id),
        address=public_url("library.home").rstrip("/"),
        is_protected=is_protected(),
        qualities=quality_fields(),
        default_quality=get_state().settings.default_quality,
        max_name=MAX_NAME,
        max_password=MAX_PASSWORD,
    )


def add() -> Response:
    """Make the key of another device, which this answer alone tells."""
    body = read_object()
    name, is_recoverable = body.get("name"), body.get("is_recoverable")
    if not isinstance(name, str) or not isinstance(is_recoverable, bool):
        abort(400, gettext('This needs "name", a text, and "is_recoverable", true or false.'))
    services, user = current_services(), current_user()
    device, key = services.devices.add(user.id, name, is_recoverable=is_recoverable)
    return fresh_json({**_fields(device), "key": key}, 201)


def remove(device_id: int) -> Response:
    """Remove a device; its key is good for nothing from now on."""
    current_services().remove_device(current_user().id, device_id)
    return no_content()


def remove_all() -> Response:
    """Remove all devices and links; their keys and addresses are good for nothing from now on."""
    current_services().remove_devices(current_user().id)
    return no_content()


def change_password() -> Response:
    """Give whoever asks another password; all other sessions of theirs end.

    Devices and links stay, unless "remove_devices" is true.
    """
    body, users, user = read_object(), current_services().users, current_user()
    given, wanted = body.get("password"), body.get("new_password")
    if not isinstance(given, str) or not isinstance(wanted, str):
        abort(400, gettext('This needs "password" and "new_password", both texts.'))
    if not (user.is_first or users.is_password_of(user.id, given)):
        abort(403, gettext("That is not your present password."))
    remove_devices = read_flag(body, "remove_devices")
    sign_in_as(users.set_password(user.id, wanted))
    if remove_devices:
        current_services().remove_devices(user.id)
    return no_content()


def _fields(device: SavedDevice) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "is_recoverable": device.is_recoverable,
        "url": url_for("devices.remove", device_id=device.id),
    }
