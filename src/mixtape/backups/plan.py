"""What restoring a backup would do, worked out before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..accounts.passwords import is_password_hash
from ..accounts.users import name_key
from ..database.account_tables import User
from ..database.tables import FIRST_USER, MAX_COUNTED
from ..errors import BackupError, InvalidMixtapeError
from ..messages import Message
from ..mixtapes.share_links import MAX_LINKS, checked_name, is_slug
from ..mixtapes.values import MixtapeState, checked
from .archive import Backup
from .collect import paths_in, read_mixtapes
from .matching import Places, find_places
from .rows import (
    LINK,
    MIXTAPE,
    Row,
    Rows,
    backed_up_tables,
    decode_bytes,
    decode_row,
    encode_value,
    identity_of,
    parents_of,
    unknown_columns,
)

# new: not here. same: here as it is. differs: here, and was changed. renewed: here under another
# link, since the one in the backup was revoked.
Kind = Literal["new", "same", "differs", "renewed"]
# These change with every save, or say nothing of what somebody has made.
_PASSING: Final = frozenset({"revision", "updated_at"})


@dataclass(frozen=True, slots=True)
class Step:
    """One mixtape of a backup.

    Args:
        rows: as they are to be written here, but for numbers that the database gives.
        existing_id: of the mixtape that is here already; None where it is new.
        lost: how many of its tracks this library does not have.
        user_id: whose it is here, should it be added: of the name that the backup has, where there
            is such a user, else the first one.
    """

    kind: Kind
    title: str
    slug: str
    shared: bool
    tracks: int
    lost: int
    rows: Rows
    existing_id: int | None = None
    existing_slug: str = ""
    user_id: int = FIRST_USER


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backup holds, against what is here.

    Args:
        moved: how many tracks were found at other paths than in the backup.
        unknown: fields that a newer mixtape wrote; they would be left out.
    """

    made_at: datetime
    steps: tuple[Step, ...]
    moved: int
    unknown: tuple[str, ...]

    def count(self, *kinds: Kind) -> int:
        """Return how many mixtapes are of some kinds."""
        return sum(step.kind in kinds for step in self.steps)

    @property
    def conflicts(self) -> int:
        """Return how many are here already and not the same."""
        return self.count("differs", "renewed")


def make_plan(session: Session, backup: Backup) -> Plan:
    """Return what restoring a backup would do, within a unit of work.

    Raises:
        BackupError: it holds what no mixtape can have.
    """
    paths = sorted({path for rows in backup.mixtapes for path in paths_in(rows)})
    places = find_places(session, paths, backup.tracks)
    here = list(read_mixtapes(session))
    by_slug = {_own(rows)["slug"]: rows for rows in here}
    # To the microsecond: no two were made at once, whatever links they have had since.
    by_birth = {_own(rows)["created_at"]: rows for rows in here}
    users = {key: user_id for user_id, key in session.execute(select(User.id, User.name_key))}
    steps, slugs = [], set()
    for given in backup.mixtapes:
        rows = _settled(given, places)
        own = _own(rows)
        if own["slug"] in slugs:
            raise BackupError(
                Message("it holds two mixtapes with the slug %(slug)s", slug=own["slug"])
            )
        slugs.add(own["slug"])
        lost = sum(decode_bytes(row["path"]) in places.lost for row in rows["mixtape_track"])
        existing = by_slug.get(own["slug"]) or by_birth.get(own["created_at"])
        owner = users.get(name_key(backup.owners.get(own["slug"], "")), FIRST_USER)
        steps.append(_step(rows, lost, existing, owner))
    tables = backed_up_tables()
    unknown = sorted(set().union(*(unknown_columns(rows, tables) for rows in backup.mixtapes)))
    return Plan(backup.made_at, tuple(steps), len(places.moved), tuple(unknown))


def _own(rows: Rows) -> Row:
    return rows[MIXTAPE.name][0]


def _step(rows: Rows, lost: int, existing: Rows | None, user_id: int) -> Step:
    own = _own(rows)
    kind: Kind = "new"
    if existing is not None:
        is_same_link = _own(existing)["slug"] == own["slug"]
        kind = "same" if _is_same(rows, existing) else "differs" if is_same_link else "renewed"
    return Step(
        kind=kind,
        title=own["title"],
        slug=own["slug"],
        shared=any(link.get("is_open") for link in rows[LINK.name]),
        tracks=len(rows["mixtape_track"]),
        lost=lost,
        rows=rows,
        existing_id=None if existing is None else _own(existing)["id"],
        existing_slug="" if existing is None else _own(existing)["slug"],
        user_id=user_id,
    )


def _settled(given: Rows, places: Places) -> Rows:
    """Return the rows of a mixtape as they can be stored here, encoded as they came.

    Raises:
        BackupError: they cannot.
    """
    rows: Rows = {}
    for table in backed_up_tables():
        rows[table.name] = []
        for row in given.get(table.name, ()):
            decoded = decode_row(table, row)
            if isinstance(decoded.get("path"), bytes):
                decoded["path"] = places.of(decoded["path"])
            rows[table.name].append({name: encode_value(each) for name, each in decoded.items()})
    own = _own(rows)
    if not is_slug(own["slug"]):
        raise BackupError(Message("%(slug)s is no slug of a mixtape", slug=ascii(own["slug"])[:60]))
    try:
        _check(own, rows["mixtape_track"])
        _check_links(rows[LINK.name])
    except InvalidMixtapeError as error:
        raise BackupError(
            Message(
                "“%(title)s” in it cannot be stored: %(reason)s",
                title=own["title"][:60],
                reason=error,
            )
        ) from error
    return rows


def _check(own: Row, tracks: Sequence[Row]) -> None:
    """Hold a mixtape to what an editor may save, and clean its texts. InvalidMixtapeError."""
    if len({row["position"] for row in tracks}) < len(tracks):
        raise InvalidMixtapeError(Message("two of its tracks have the same place"))
    _check_count("revision", own.get("revision"))
    for row in tracks:
        _check_count("position", row["position"])
    texts = ("title", "notes", "sender", "recipient")
    state = checked(
        MixtapeState(
            **{name: own.get(name, "") for name in texts},
            cover_key=own.get("cover_key"),
            track_ids=tuple(range(len(tracks))),
            track_notes=tuple(row.get("note", "") for row in tracks),
            side_b=own.get("side_b"),
        )
    )
    own.update({name: getattr(state, name) for name in texts if name in own})


def _check_links(links: Sequence[Row]) -> None:
    """Hold links to what can be made of them here. InvalidMixtapeError."""
    if len(links) > MAX_LINKS:
        raise InvalidMixtapeError(Message("it has more than %(most)s links", most=MAX_LINKS))
    for link in links:
        if not is_slug(link["slug"]):
            raise InvalidMixtapeError(
                Message("%(slug)s is no slug of a link", slug=ascii(link["slug"])[:60])
            )
        password_hash = link.get("password_hash")
        if password_hash is not None and not is_password_hash(password_hash):
            raise InvalidMixtapeError(
                Message("the password of a link is stored in a way that is not ours")
            )
        if "name" in link:
            link["name"] = checked_name(link["name"])
        _check_count("furthest_place", link.get("furthest_place"))


def _check_count(name: str, number: int | None) -> None:
    """Hold a number to what is counted from 0 here. InvalidMixtapeError."""
    if number is not None and not 0 <= number <= MAX_COUNTED:
        raise InvalidMixtapeError(
            Message("its %(name)s is %(number)s, which cannot be", name=name, number=number)
        )


def _is_same(rows: Rows, existing: Rows) -> bool:
    """Compare two states of a mixtape by all but numbers, its own link and dates."""
    for table in backed_up_tables():
        if table is LINK:
            continue  # those here stay as they are, whatever is restored
        ignored: set[str | None] = {identity_of(table), *parents_of(table), *_PASSING}
        if table is MIXTAPE:
            ignored.add("slug")
        given, there = rows[table.name], existing[table.name]
        # An older mixtape did not have all the columns that there are now.
        common = {name for row in given[:1] for name in row} - ignored
        if _sorted_rows(given, common) != _sorted_rows(there, common):
            return False
    return True


def _sorted_rows(rows: Sequence[Mapping[str, Any]], columns: set[str]) -> list[str]:
    kept = ({name: row[name] for name in columns} for row in rows)
    return sorted(json.dumps(row, sort_keys=True) for row in kept)
