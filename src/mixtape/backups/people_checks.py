"""What a backup says of a user, held to what users can have: anybody may have written the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table

from ..accounts.bookmarks import MAX_COMMENT, MAX_QUEUED
from ..accounts.devices import MAX_DEVICES, hash_of
from ..accounts.marks import BEST_RATING
from ..accounts.passwords import is_password_hash
from ..accounts.sealing import Sealer
from ..accounts.users import MAX_NAME, ROLES, name_key
from ..database.account_tables import ALBUM, ARTIST, TRACK, Bookmark, Device, Mark, Play, PlayQueue
from ..database.tables import FIRST_USER
from ..errors import BackupError
from ..files.tags import clean_text
from ..messages import Message
from .archive import Archive, PersonPart, TrackNote
from .people import QUEUE_PATHS
from .rows import USER, Row, Rows, decode_bytes, decode_row

_KEY_HASH: Final = re.compile("[0-9a-f]{64}")
# Longer than any path or name.
_MOST_KEY_BYTES: Final = 8_192
# Sums of so many stay below what databases count to.
_MOST_PLAYS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Queue:
    """What somebody was playing, by the paths of the tracks."""

    paths: tuple[bytes, ...]
    place: int
    position_ms: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a backup, as can be stored here.

    Args:
        is_first: whether it was the first user, who signs in with PASSWORD.
        password_hash: None where nobody can sign in by a password of the user's own.
        devices, marks, plays, bookmarks: rows of these tables, without whose they are.
        locked: how many of the devices had a key that this server cannot open: they are known by
            their keys, and not by tokens.
    """

    name: str
    role: str
    password_hash: str | None
    created_at: datetime
    is_first: bool
    devices: list[Row]
    marks: list[Row]
    plays: list[Row]
    bookmarks: list[Row]
    queue: Queue | None
    locked: int
    tracks: tuple[TrackNote, ...]

    @property
    def has_heard(self) -> bool:
        """Say whether there are stars, ratings, plays, bookmarks or a queue."""
        return bool(self.marks or self.plays or self.bookmarks or self.queue)


def read_people(archive: Archive, sealer: Sealer, now: datetime) -> Iterator[Person]:
    """Yield the users of a backup.

    Args:
        sealer: opens the keys that were encrypted with the SECRET_KEY of this server.
        now: no play is later.

    Raises:
        BackupError: a user has what none can have.
    """
    names, firsts = set(), 0
    for part in archive.people():
        person = _checked(part, sealer, now)
        key = name_key(person.name)
        firsts += person.is_first
        if key in names or firsts > 1:
            raise BackupError(Message("it holds “%(name)s” twice", name=person.name))
        names.add(key)
        yield person


def _checked(part: PersonPart, sealer: Sealer, now: datetime) -> Person:
    own = decode_row(USER, part.rows[USER.name][0])
    name, password_hash = own["name"], own.get("password_hash")
    if not name or clean_text(name) != name or len(name) > MAX_NAME:
        raise BackupError(Message("%(name)s in it is no name of a user", name=ascii(name)[:60]))
    if own.get("role") not in ROLES:
        raise BackupError(Message("“%(name)s” in it has a role that there is not", name=name))
    if password_hash is not None and not is_password_hash(password_hash):
        raise BackupError(
            Message("the password of “%(name)s” is stored in a way that is not ours", name=name)
        )
    given = _rows(part.rows, Device)
    if len(given) > MAX_DEVICES:
        raise BackupError(
            Message("“%(name)s” in it has more than %(most)s devices", name=name, most=MAX_DEVICES)
        )
    devices = [_device(row, sealer) for row in given]
    was_sealed = sum(row.get("sealed_key") is not None for row in given)
    queues = _rows(part.rows, PlayQueue)
    return Person(
        name=name,
        role=own["role"],
        password_hash=password_hash,
        created_at=own["created_at"],
        is_first=own.get("id") == FIRST_USER,
        devices=devices,
        marks=[_mark(row) for row in _rows(part.rows, Mark)],
        plays=[_play(row, now) for row in _rows(part.rows, Play)],
        bookmarks=[_bookmark(row) for row in _rows(part.rows, Bookmark)],
        queue=_queue(queues[0]) if queues else None,
        locked=was_sealed - sum(row["sealed_key"] is not None for row in devices),
        tracks=part.tracks,
    )


def _rows(rows: Rows, model: Any) -> list[Row]:
    table: Table = model.__table__
    return [decode_row(table, row) for row in rows.get(table.name, ())]


def _device(row: Row, sealer: Sealer) -> Row:
    name = clean_text(row["name"])[:MAX_NAME]
    if not name or not _KEY_HASH.fullmatch(row["key_hash"]):
        raise BackupError(Message("a device in it has no name, or no key that could be ours"))
    sealed, is_link = row.get("sealed_key"), row.get("is_link", False)
    key = sealer.open(sealed) if sealed is not None and not is_link else None
    is_its_own = key is not None and hash_of(key) == row["key_hash"]
    return {
        **row,
        "name": name,
        "client": clean_text(row.get("client", ""))[:MAX_NAME],
        "is_link": is_link,
        "sealed_key": sealed if is_its_own else None,
    }


def _mark(row: Row) -> Row:
    kind, key, rating = row["kind"], row["key"], row.get("rating")
    is_key = len(key) <= _MOST_KEY_BYTES and (kind == TRACK or _is_text(key))
    if kind == ALBUM:
        is_key = is_key and key.count(b"\1") == 1
    if kind not in {TRACK, ALBUM, ARTIST} or not is_key:
        raise BackupError(Message("a star or rating in it is of nothing that there can be"))
    if not (rating is None or 1 <= rating <= BEST_RATING):
        raise BackupError(
            Message(
                "a rating in it is %(rating)s, and not from 1 to %(best)s",
                rating=rating,
                best=BEST_RATING,
            )
        )
    return {"kind": kind, "key": key, "starred_at": row.get("starred_at"), "rating": rating}


def _play(row: Row, now: datetime) -> Row:
    plays = row.get("plays", 1)
    if not 1 <= plays <= _MOST_PLAYS or len(row["path"]) > _MOST_KEY_BYTES:
        raise BackupError(
            Message("a track in it was played %(plays)s times, which cannot be", plays=plays)
        )
    return {**row, "plays": plays, "last_played_at": min(row["last_played_at"], now)}


def _bookmark(row: Row) -> Row:
    if row["position_ms"] < 0 or len(row["path"]) > _MOST_KEY_BYTES:
        raise BackupError(
            Message(
                "a bookmark in it is at %(position)s ms, which cannot be",
                position=row["position_ms"],
            )
        )
    return {**row, "comment": clean_text(row.get("comment", ""))[:MAX_COMMENT]}


def _queue(row: Row) -> Queue:
    written = row["state"].get(QUEUE_PATHS) if isinstance(row["state"], dict) else None
    place, position_ms = row.get("place") or 0, row.get("position_ms", 0)
    if not isinstance(written, list) or not 0 < len(written) <= MAX_QUEUED:
        raise BackupError(
            Message("a queue in it does not hold from 1 to %(most)s tracks", most=MAX_QUEUED)
        )
    if not 0 <= place < len(written) or position_ms < 0:
        raise BackupError(Message("a queue in it goes on where it has no track"))
    return Queue(
        paths=tuple(map(decode_bytes, written)),
        place=place,
        position_ms=position_ms,
        changed_by=clean_text(row.get("changed_by", ""))[:MAX_NAME],
        changed_at=row["changed_at"],
    )


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
