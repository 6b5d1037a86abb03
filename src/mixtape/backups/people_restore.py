"""The people of a backup, written to the database: what is there stays, what is not is added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..accounts.bookmarks import SavedQueue, remaining_queue
from ..accounts.devices import check_room
from ..accounts.users import add_user, lock_user, name_key
from ..database.account_tables import TRACK, Bookmark, Device, Mark, Play, PlayQueue, User
from ..database.tables import FIRST_USER, Track
from ..errors import BackupError, InvalidAccountError
from ..messages import Message
from .matching import Places, find_places, slices
from .people_checks import Person, Queue
from .rows import Row


@dataclass(frozen=True, slots=True)
class PeoplePlan:
    """What of the people of a backup is not here.

    Args:
        new: names and roles of those who are not here.
        devices: how many devices and links are not here, theirs and those of people who are.
        locked: how many of these would be known by their keys alone, as SECRET_KEY is another.
        heard: how many people have stars, plays and the like in it.
    """

    new: tuple[tuple[str, str], ...] = ()
    devices: int = 0
    locked: int = 0
    heard: int = 0

    @property
    def asks_to_let_in(self) -> bool:
        """Say whether somebody could get in by it who cannot now."""
        return bool(self.new or self.devices)


@dataclass(frozen=True, slots=True)
class RestoredPeople:
    """What was done: the names of who was added, how many devices, and whose plays came back."""

    added: tuple[str, ...] = ()
    devices: int = 0
    heard: int = 0


def plan_people(session: Session, people: Iterable[Person]) -> PeoplePlan:
    """Return what `restore_people` would do, within a unit of work."""
    users = _users_by_key(session)
    new, devices, locked, heard = [], 0, 0, 0
    for person in people:
        if _home(users, person) is None:
            new.append((person.name, person.role))
        missing = _missing_devices(session, person)
        devices += len(missing)
        locked += person.locked if missing else 0
        heard += person.has_heard
    return PeoplePlan(tuple(new), devices, locked, heard)


def restore_people(session: Session, people: Iterable[Person], *, lets_in: bool) -> RestoredPeople:
    """Write what is missing of people, within a unit of work.

    Args:
        lets_in: whether people who are not here are added, with their passwords, and devices, with
            their keys. Whoever has made the file could get in by these.

    Raises:
        BackupError: a user or a device would be one too many.
    """
    users = _users_by_key(session)
    added, devices, heard = [], 0, 0
    for person in people:
        user_id = _home(users, person)
        if user_id is None:
            if not lets_in:
                continue
            user_id = _add(session, person)
            added.append(person.name)
        lock_user(session, user_id)
        if lets_in:
            devices += _add_devices(session, user_id, person)
        if person.has_heard:
            _merge(session, user_id, person)
            heard += 1
    return RestoredPeople(tuple(added), devices, heard)


def _users_by_key(session: Session) -> dict[str, int]:
    return {key: user_id for user_id, key in session.execute(select(User.id, User.name_key))}


def _home(users: dict[str, int], person: Person) -> int | None:
    """Return who a person of a backup is here; None for nobody."""
    return FIRST_USER if person.is_first else users.get(name_key(person.name))


def _add(session: Session, person: Person) -> int:
    try:
        role, hashed = person.role, person.password_hash
        return add_user(session, person.name, role, hashed, person.created_at).id
    except InvalidAccountError as error:
        raise BackupError(
            Message("“%(name)s” in it cannot be added: %(reason)s", name=person.name, reason=error)
        ) from error


def _missing_devices(session: Session, person: Person) -> list[Row]:
    given = {row["key_hash"]: row for row in person.devices}
    known = session.scalars(select(Device.key_hash).where(Device.key_hash.in_(given))).all()
    return [row for key_hash, row in given.items() if key_hash not in known]


def _add_devices(session: Session, user_id: int, person: Person) -> int:
    missing = _missing_devices(session, person)
    try:
        check_room(session, user_id, [row["sealed_key"] is not None for row in missing])
    except InvalidAccountError as error:
        raise BackupError(
            Message("the devices of “%(name)s”: %(reason)s", name=person.name, reason=error)
        ) from error
    session.add_all(Device(user_id=user_id, **row) for row in missing)
    return len(missing)


def _merge(session: Session, user_id: int, person: Person) -> None:
    queued = person.queue.paths if person.queue else ()
    starred = {row["key"] for row in person.marks if row["kind"] == TRACK}
    named = {row["path"] for row in (*person.plays, *person.bookmarks)}
    places = find_places(session, sorted({*starred, *named, *queued}), person.tracks)
    _merge_marks(session, user_id, person.marks, places)
    _merge_plays(session, user_id, person.plays, places.of)
    _merge_bookmarks(session, user_id, person.bookmarks, places.of)
    if person.queue is not None and session.get(PlayQueue, user_id) is None:
        _add_queue(session, user_id, person.queue, places.of)
    session.flush()


def _merge_marks(session: Session, user_id: int, rows: list[Row], places: Places) -> None:
    of_user = session.scalars(select(Mark).where(Mark.user_id == user_id))
    here = {(mark.kind, mark.key): mark for mark in of_user}
    for row in rows:
        key = places.of(row["key"]) if row["kind"] == TRACK else row["key"]
        mark = here.get((row["kind"], key))
        if mark is None:
            mark = here[row["kind"], key] = Mark(**{**row, "key": key}, user_id=user_id)
            session.add(mark)
        mark.starred_at = mark.starred_at or row["starred_at"]
        mark.rating = mark.rating or row["rating"]


def _merge_plays(
    session: Session, user_id: int, rows: list[Row], place: Callable[[bytes], bytes]
) -> None:
    here = {
        play.path: play for play in session.scalars(select(Play).where(Play.user_id == user_id))
    }
    for row in rows:
        path = place(row["path"])
        play = here.get(path)
        if play is None:
            play = here[path] = Play(**{**row, "path": path}, user_id=user_id)
            session.add(play)
        # Counts only grow, so that the larger one has the plays of the other in it.
        play.plays = max(play.plays, row["plays"])
        play.last_played_at = max(play.last_played_at, row["last_played_at"])


def _merge_bookmarks(
    session: Session, user_id: int, rows: list[Row], place: Callable[[bytes], bytes]
) -> None:
    here = set(session.scalars(select(Bookmark.path).where(Bookmark.user_id == user_id)))
    for row in rows:
        path = place(row["path"])
        if path not in here:
            here.add(path)
            session.add(Bookmark(**{**row, "path": path}, user_id=user_id))


def _add_queue(
    session: Session, user_id: int, queue: Queue, place: Callable[[bytes], bytes]
) -> None:
    paths = [place(path) for path in queue.paths]
    ids: dict[bytes, int] = {}
    for some in slices(sorted(set(paths))):
        found = select(Track.path, Track.id).where(Track.path.in_(some))
        ids.update(session.execute(found).all())
    # Of tracks that this library does not have there is no number: 0 is none.
    saved = SavedQueue(
        track_ids=tuple(ids.get(path, 0) for path in paths),
        place=queue.place,
        position_ms=queue.position_ms,
        changed_by=queue.changed_by,
        changed_at=queue.changed_at,
    )
    left = remaining_queue(saved, list(ids.values()))
    if left.track_ids:
        session.add(
            PlayQueue(
                user_id=user_id,
                state={"ids": list(left.track_ids)},
                place=left.place,
                position_ms=left.position_ms,
                changed_by=left.changed_by,
                changed_at=left.changed_at,
            )
        )
