"""When the library last changed, for players that ask for nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from datetime import UTC, datetime

from sqlalchemy import func, select

from ..database.tables import IS_PRESENT, Track
from ..database.units_of_work import Database


class Changes:
    """Tells the moment of the last change, or a later one, but none before it.

    A new process takes its own start for a change: files may have been moved before it.

    Args:
        database: what other hosts have added, or missed, is seen in it.
        version: of what this host's scans have found.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        version: Callable[[], Hashable],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._version = version
        self._now = now
        self._known: tuple[Hashable, datetime] = version(), now()
        self._lock = threading.Lock()

    def last_ms(self) -> int:
        """Return when the library last changed, in milliseconds since 1970."""
        with self._lock:
            version, noted_at = self._known
            if (current := self._version()) != version:
                noted_at = self._now()
                self._known = current, noted_at
        with self._database.read() as session:
            added_at = session.scalar(select(func.max(Track.added_at)).where(IS_PRESENT))
            missing_since = session.scalar(select(func.max(Track.missing_since)))
        last = max(filter(None, (noted_at, added_at, missing_since)))
        return int(last.timestamp() * 1000)
