"""Plays: how often each user has heard each track, and when last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..database.account_tables import Play
from ..database.units_of_work import Database
from .users import lock_user

# A play counts once half of the track was heard, or this much of it: the rule of ListenBrainz and
# of Last.fm.
ENOUGH_MS: Final = 4 * 60 * 1000


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """A track that was heard, by its path, and when it began to play."""

    path: bytes
    begun_at: datetime


class Plays:
    """Counts the plays of all users.

    Args:
        database: where they are.
        now: the clock.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now

    def count(self, user_id: int, heard: Sequence[HeardTrack]) -> list[HeardTrack]:
        """Count plays, and return those that were counted.

        One that is told twice, as by a player that has not heard the answer, counts once: the
        last play of the track began at the same moment.
        """
        counted, now = [], self._now()
        with self._database.write() as session:
            lock_user(session, user_id)
            # All at once, and written at once: others wait for their turn to write.
            known = _find(session, user_id, {one.path for one in heard})
            for one in heard:
                begun_at = min(one.begun_at, now)
                play = known.get(one.path)
                if play is None:
                    play = Play(user_id=user_id, path=one.path, plays=0, last_played_at=begun_at)
                    known[one.path] = play
                    session.add(play)
                elif play.last_played_at == begun_at:
                    continue
                play.plays += 1
                # A player that was offline tells of plays from before.
                play.last_played_at = max(play.last_played_at, begun_at)
                counted.append(HeardTrack(one.path, begun_at))
        return counted

    def most_played(self, user_id: int, limit: int) -> Sequence[bytes]:
        """Return the paths of the tracks that a user has heard most, the most heard first."""
        query = select(Play.path).where(Play.user_id == user_id)
        query = query.order_by(Play.plays.desc(), Play.last_played_at.desc(), Play.path)
        with self._database.read() as session:
            return session.scalars(query.limit(limit)).all()


def _find(session: Session, user_id: int, paths: Collection[bytes]) -> dict[bytes, Play]:
    """Return the plays of some tracks, as many as a player tells of at once, by their paths."""
    query = select(Play).where(Play.user_id == user_id, Play.path.in_(paths))
    return {play.path: play for play in session.scalars(query)}


def is_enough(heard_ms: float, duration_ms: float) -> bool:
    """Say whether so much of a track counts as a play; of one whose length nobody knows, too."""
    enough_ms = min(duration_ms / 2, ENOUGH_MS) if duration_ms else ENOUGH_MS
    return heard_ms >= enough_ms
