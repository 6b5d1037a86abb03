"""Mixtapes as playlists: as music players list, read and change them.

A player knows the tracks that are there, in their order, and nothing else. What it cannot see is
kept through its changes: tracks whose files are missing, notes on tracks, and the two sides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ..database.tables import MAX_ID, Mixtape, MixtapeTrack, Track
from ..database.units_of_work import Database
from ..errors import InvalidMixtapeError, NotFoundError
from ..messages import Message
from .values import MAX_TRACKS, MixtapeState, checked

_NO_MIXTAPE: Final = Message("there is no such mixtape")


@dataclass(frozen=True, slots=True)
class PlaylistChange:
    """What a player changes of a mixtape; what is None or empty stays as it is.

    Args:
        notes: liner notes.
        track_ids: all tracks that are to be on it from now on.
        removed: the places of tracks that go, from 0, among those that are there.
        added: tracks for the end.
    """

    title: str | None = None
    notes: str | None = None
    track_ids: tuple[int, ...] | None = None
    removed: frozenset[int] = frozenset()
    added: tuple[int, ...] = ()

    @property
    def is_of_tracks(self) -> bool:
        """Say whether it changes what is on the mixtape."""
        return bool(self.track_ids is not None or self.removed or self.added)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a mixtape before or after a change.

    Args:
        is_there: whether its file is, so that players know of it.
    """

    path: bytes
    note: str = ""
    is_there: bool = True


class Playlists:
    """Finds and changes the mixtapes of users as players do, by ids that stay.

    Args:
        database: where they are.
        now: the clock.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now

    def notes_of(self, user_id: int) -> dict[int, str]:
        """Return the liner notes of a user's mixtapes by their ids."""
        query = select(Mixtape.id, Mixtape.notes).where(Mixtape.user_id == user_id)
        with self._database.read() as session:
            return dict(session.execute(query).all())

    def change(self, user_id: int, mixtape_id: int, change: PlaylistChange) -> None:
        """Change a mixtape of a user, whatever else was done to it before.

        An editor that is open meanwhile is told of a conflict by its next save.

        Raises:
            NotFoundError: the user has no such mixtape, or it has no such place.
            InvalidMixtapeError: it cannot be stored like that.
        """
        with self._database.write() as session:
            mixtape = _get(session, user_id, mixtape_id)
            session.refresh(mixtape, with_for_update=True)
            title = mixtape.title if change.title is None else change.title
            notes = mixtape.notes if change.notes is None else change.notes
            texts = checked(MixtapeState(title, notes))
            is_same = (texts.title, texts.notes) == (mixtape.title, mixtape.notes)
            if is_same and not change.is_of_tracks:
                return
            mixtape.title, mixtape.notes = texts.title, texts.notes
            if change.is_of_tracks:
                places = _places(session, mixtape)
                wanted = _wanted(session, places, change)
                arranged, mixtape.side_b = arrange(places, mixtape.side_b, wanted)
                _write(session, mixtape, arranged)
            mixtape.revision += 1
            mixtape.updated_at = self._now()


def arrange(
    places: Sequence[Place], side_b: int | None, wanted: Sequence[int | bytes]
) -> tuple[list[Place], int | None]:
    """Return the places after a change, and how many of them stand before side B. A pure function.

    Those that are not there stay behind whatever stood before them and stays. Side B begins where
    the fewest of those that stay change sides.

    Args:
        places: those before.
        side_b: how many of them stand before side B; None for a tape without sides.
        wanted: what is to be there: places from before, by their numbers, and paths of others.
    """
    kept = {one for one in wanted if isinstance(one, int)}
    behind: dict[int, list[int]] = defaultdict(list)
    last = -1
    for number, place in enumerate(places):
        if number in kept:
            last = number
        elif not place.is_there:
            behind[last].append(number)
    order: list[int | bytes] = [*behind[-1]]
    for one in wanted:
        order.append(one)
        if isinstance(one, int):
            order.extend(behind[one])
    arranged = [places[one] if isinstance(one, int) else Place(one) for one in order]
    return arranged, None if side_b is None else _side_b(order, side_b)


def match(places: Sequence[Place], paths: Sequence[bytes]) -> list[int | bytes]:
    """Return the numbers of the places with these paths, each once, and paths that have none."""
    free: dict[bytes, deque[int]] = defaultdict(deque)
    for number, place in enumerate(places):
        if place.is_there:
            free[place.path].append(number)
    return [free[path].popleft() if free[path] else path for path in paths]


def _side_b(order: Sequence[int | bytes], before: int) -> int:
    # 1 for what was on side A, -1 for what was on side B, 0 for what is new.
    sides = [0 if isinstance(one, bytes) else 1 if one < before else -1 for one in order]
    # How many are on the right side, but for a constant, where side B begins at each place.
    right = [0]
    for side in sides:
        right.append(right[-1] + side)
    return max(range(len(right)), key=lambda at: (right[at], -abs(at - before)))


def _get(session: Session, user_id: int, mixtape_id: int) -> Mixtape:
    mixtape = session.get(Mixtape, mixtape_id) if 0 < mixtape_id <= MAX_ID else None
    if mixtape is None or mixtape.user_id != user_id:
        raise NotFoundError(_NO_MIXTAPE)
    return mixtape


def _places(session: Session, mixtape: Mixtape) -> list[Place]:
    rows = (
        select(MixtapeTrack.path, MixtapeTrack.note, Track.id, Track.missing_since)
        .outerjoin(Track, Track.path == MixtapeTrack.path)
        .where(MixtapeTrack.mixtape_id == mixtape.id)
        .order_by(MixtapeTrack.position)
    )
    return [
        Place(path, note, is_there=track_id is not None and missing_since is None)
        for path, note, track_id, missing_since in session.execute(rows)
    ]


def _wanted(
    session: Session, places: Sequence[Place], change: PlaylistChange
) -> Sequence[int | bytes]:
    if change.track_ids is not None:
        return match(places, _paths(session, change.track_ids))
    there = [number for number, place in enumerate(places) if place.is_there]
    wrong = [place for place in change.removed if not 0 <= place < len(there)]
    if wrong:
        raise NotFoundError(
            Message(
                "the mixtape has %(count)s tracks, and none at %(place)s",
                count=len(there),
                place=min(wrong),
            )
        )
    stays = [number for at, number in enumerate(there) if at not in change.removed]
    return [*stays, *_paths(session, change.added)]


def _paths(session: Session, track_ids: Sequence[int]) -> list[bytes]:
    ids = {track_id for track_id in track_ids if 0 < track_id <= MAX_ID}
    known = select(Track.id, Track.path).where(Track.id.in_(ids), Track.missing_since.is_(None))
    paths = dict(session.execute(known).all())
    lost = [str(track_id) for track_id in track_ids if track_id not in paths]
    if lost:
        raise NotFoundError(
            Message("the library has no track %(tracks)s", tracks=", ".join(lost[:10]))
        )
    return [paths[track_id] for track_id in track_ids]


def _write(session: Session, mixtape: Mixtape, places: Sequence[Place]) -> None:
    if len(places) > MAX_TRACKS:
        raise InvalidMixtapeError(
            Message(
                "the mixtape would have %(count)s tracks, and %(most)s are the most",
                count=len(places),
                most=MAX_TRACKS,
            )
        )
    session.execute(delete(MixtapeTrack).where(MixtapeTrack.mixtape_id == mixtape.id))
    rows = [
        {"mixtape_id": mixtape.id, "position": at, "path": place.path, "note": place.note}
        for at, place in enumerate(places)
    ]
    if rows:
        session.execute(insert(MixtapeTrack), rows)
