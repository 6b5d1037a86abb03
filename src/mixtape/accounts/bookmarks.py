"""Bookmarks and queues: where users go on, with this player or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, select

from ..database.account_tables import Bookmark, PlayQueue
from ..database.units_of_work import Database
from ..files.tags import clean_text
from .users import lock_user

MAX_COMMENT: Final = 500
# More tracks than any player has in its queue, and few enough to be answered at once.
MAX_QUEUED: Final = 10_000


@dataclass(frozen=True, slots=True)
class SavedBookmark:
    """A place within a track, by the track's path."""

    path: bytes
    position_ms: int
    comment: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class SavedQueue:
    """What a user was playing.

    Args:
        track_ids: in order.
        place: which of them was playing, from 0.
        changed_by: the player that stored it.
    """

    track_ids: tuple[int, ...]
    place: int
    position_ms: int
    changed_by: str
    changed_at: datetime


class Bookmarks:
    """Keeps the bookmarks and the one queue of each user.

    Args:
        database: where they are.
        now: the clock.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now

    def put(self, user_id: int, path: bytes, position_ms: int, comment: str) -> None:
        """Set the bookmark of a track, which has one."""
        now, comment = self._now(), clean_text(comment)[:MAX_COMMENT]
        with self._database.write() as session:
            lock_user(session, user_id)
            bookmark = session.get(Bookmark, (user_id, path))
            if bookmark is None:
                bookmark = Bookmark(user_id=user_id, path=path, created_at=now)
                session.add(bookmark)
            bookmark.position_ms, bookmark.comment, bookmark.changed_at = position_ms, comment, now

    def remove(self, user_id: int, path: bytes) -> None:
        """Remove the bookmark of a track, if there is one."""
        of_it = Bookmark.user_id == user_id, Bookmark.path == path
        with self._database.write() as session:
            session.execute(delete(Bookmark).where(*of_it))

    def of(self, user_id: int) -> Sequence[SavedBookmark]:
        """Return the bookmarks of a user, the one that was set last first."""
        query = select(Bookmark).where(Bookmark.user_id == user_id)
        query = query.order_by(Bookmark.changed_at.desc(), Bookmark.path)
        with self._database.read() as session:
            return [
                SavedBookmark(
                    path=one.path,
                    position_ms=one.position_ms,
                    comment=one.comment,
                    created_at=one.created_at,
                    changed_at=one.changed_at,
                )
                for one in session.scalars(query)
            ]

    def save_queue(
        self, user_id: int, track_ids: Sequence[int], place: int, position_ms: int, client: str
    ) -> None:
        """Keep what a user is playing, in place of what was kept.

        Args:
            track_ids: in order; none forgets the queue.
            place: which of them is playing, from 0.
            client: the player that says so.
        """
        with self._database.write() as session:
            lock_user(session, user_id)
            session.execute(delete(PlayQueue).where(PlayQueue.user_id == user_id))
            if track_ids:
                session.add(
                    PlayQueue(
                        user_id=user_id,
                        state={"ids": list(track_ids)},
                        place=place,
                        position_ms=position_ms,
                        changed_by=clean_text(client),
                        changed_at=self._now(),
                    )
                )

    def find_queue(self, user_id: int) -> SavedQueue | None:
        """Return what a user was playing; None where nothing is kept."""
        with self._database.read() as session:
            queue = session.get(PlayQueue, user_id)
        if queue is None:
            return None
        return SavedQueue(
            track_ids=tuple(queue.state["ids"]),
            place=queue.place or 0,
            position_ms=queue.position_ms,
            changed_by=queue.changed_by,
            changed_at=queue.changed_at,
        )


def remaining_queue(queue: SavedQueue, there: Sequence[int]) -> SavedQueue:
    """Return a queue without the tracks that are no longer there.

    Where that was the one that was playing, what follows it takes its place, from its beginning;
    where nothing follows, the last one.
    """
    known = set(there)
    kept = [at for at, track_id in enumerate(queue.track_ids) if track_id in known]
    place = sum(1 for at in kept if at < queue.place)
    is_playing = queue.place in kept
    return SavedQueue(
        track_ids=tuple(queue.track_ids[at] for at in kept),
        place=max(0, min(place, len(kept) - 1)),
        position_ms=queue.position_ms if is_playing else 0,
        changed_by=queue.changed_by,
        changed_at=queue.changed_at,
    )
