"""What the page of devices says of each: when it was used last, and by which player."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.exc import DBAPIError

from ..errors import DatabaseError
from ..services import current_services


def note_use(device_id: int, client: str) -> None:
    """Keep that a device is used; whoever plays is answered whether that can be kept or not."""
    try:
        current_services().devices.note_use(device_id, client)
    except (DatabaseError, DBAPIError) as error:
        current_app.logger.warning("the use of a device was not noted: %s", error)
