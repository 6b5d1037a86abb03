"""One call of the API: what is asked, by whom, and what answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response

from ...accounts.users import SavedUser
from ...services import Services
from .answers import Payload
from .arguments import Arguments
from .errors import NOT_ALLOWED, SubsonicError


@dataclass(frozen=True, slots=True)
class Call:
    """What a function that answers a call is given.

    Args:
        client: what the player calls itself; "" where it does not say.
        device_id: of the device that asks.
    """

    arguments: Arguments
    user: SavedUser
    device_id: int
    client: str
    services: Services

    def require_admin(self) -> None:
        """Refuse what only admins may do (50)."""
        if not self.user.is_admin:
            raise SubsonicError(NOT_ALLOWED, f"{self.user.name} is no admin and may not do this.")


# What a call is answered with: values, or an answer that is complete, such as music.
Answerer = Callable[[Call], "Payload | Response"]
