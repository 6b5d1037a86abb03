"""Ends what is being sent to devices that something else removed than this process."""

from __future__ import annotations

import logging
import threading
from typing import Final

from sqlalchemy.exc import DBAPIError

from ..accounts.devices import Devices
from ..errors import DatabaseError
from .open_answers import OpenAnswers, answers_to, device_of

LOOKS_EVERY_S: Final = 2.0
_ENDS_WITHIN_S: Final = 2.0

logger = logging.getLogger(__name__)


class RemovedDevices:
    """Looks for devices that were removed while something is being sent to them.

    A page that removes one tells the processes that it knows of; a command, or a server that
    shares the database alone, tells nobody. While nothing is being sent to any device, nothing is
    asked; else it is one query for all of them, however many pieces are sent meanwhile.

    Args:
        devices: where they are looked up.
        answers: what is being sent.
        every_s: how long it waits between two looks.
    """

    def __init__(
        self, devices: Devices, answers: OpenAnswers, every_s: float = LOOKS_EVERY_S
    ) -> None:
        self._devices = devices
        self._answers = answers
        self._every_s = every_s
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on, from a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="removed-devices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_ENDS_WITHIN_S)

    def look(self) -> None:
        """End what is being sent to devices that are no longer there."""
        found = {device_of(key) for key in self._answers.open_keys()}
        asked = {device_id for device_id in found if device_id is not None}
        if not asked:
            return
        for device_id in asked - self._devices.that_are_there(asked):
            self._answers.end_here(answers_to(device_id))

    def _run(self) -> None:
        while not self._closed.wait(self._every_s):
            try:
                self.look()
            except (DatabaseError, DBAPIError) as error:
                # Music that plays needs no database; the next look may find it there again.
                logger.debug("removed devices were not looked for: %s", error)
            except Exception:
                logger.exception("removed devices could not be looked for")
