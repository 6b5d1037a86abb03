"""The paths in the tables, where a host goes from one music folder to several, or back."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import LargeBinary, and_, cast, delete, func, literal, not_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from audio_cache import MusicRoots, name_root

from ..database.paths import path_columns
from ..database.tables import Root, Track
from ..database.units_of_work import Database

# What the paths of music folders begin with that are none any more. No scan finds a hidden name,
# so that no file of others is ever at the same path.
_AWAY: Final = b".removed"
# No path begins like this: where paths wait that change places with others.
_ON_THE_WAY: Final = b"/"
_PATH: Final = Track.__table__.columns["path"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A music folder that the tables know: what its paths begin with, and where it is or was."""

    prefix: bytes
    place: str

    @property
    def is_away(self) -> bool:
        """Say whether it was none of the host's when that started last."""
        return self.prefix.startswith(_AWAY + b"/")

    @property
    def name(self) -> str:
        """Return what it is called among others."""
        if self.prefix:
            return os.fsdecode(self.prefix.removeprefix(_AWAY + b"/"))
        return name_root(self.place)


@dataclass(frozen=True, slots=True)
class Layout:
    """What becomes of the music folders that were known.

    Args:
        moves: prefixes that change, old and new.
        roots: all folders that are known from now on.
    """

    moves: tuple[tuple[bytes, bytes], ...]
    roots: tuple[KnownRoot, ...]


def adopt_roots(database: Database, roots: MusicRoots, *, is_demo: bool = False) -> None:
    """Let the paths in the tables go by the music folders that there are now.

    Tracks keep their ids, and mixtapes their places, so that links, drafts and whatever else
    refers to them stay as they are. The tracks of a folder that is none any more become missing.

    Args:
        database: with the tables.
        roots: the music folders.
        is_demo: whether they are the demo library, which plays where none is named, and is not
            taken for the single folder that was or will be there.
    """
    with database.read() as session:
        known = _known(session)
    has_one = not known or any(not one.prefix for one in known)
    if (is_demo and has_one) or lay_out(known, roots).roots == known:
        return
    with database.write() as session:
        layout = lay_out(_known(session), roots)
        moved = _move_all(session, layout.moves)
        session.execute(delete(Root))
        for one in layout.roots:
            session.add(Root(prefix=one.prefix, place=os.fsencode(one.place)))
        away = [one.prefix for one in layout.roots if one.is_away]
        for prefix in away:
            lost = update(Track).where(_is_inside(_PATH, prefix), Track.missing_since.is_(None))
            session.execute(lost.values(missing_since=datetime.now(UTC)))
    for (old, new), count in moved.items():
        if count:
            logger.info("%d paths in %s are in %s now", count, _quoted(old), _quoted(new))


def are_noted(database: Database) -> bool:
    """Say whether the tables know which music folders their paths go by."""
    with database.read() as session:
        return bool(_known(session))


def lay_out(known: Sequence[KnownRoot], roots: MusicRoots) -> Layout:
    """Return how the music folders that there are now follow on those that were known. Pure.

    A folder is the one that was at its place; else the one of its name; and a single one that is
    found by neither is the first of those that are left, since it may have moved. One that follows
    on a single one is that, whatever they are called.
    """
    left = sorted(known, key=lambda one: (one.is_away, one.prefix)) or [KnownRoot(b"", "")]
    found: dict[str, KnownRoot] = {}

    def match(name: str, candidates: Iterable[KnownRoot]) -> None:
        one = next(iter(candidates), None)
        if name not in found and one is not None:
            found[name] = one
            left.remove(one)

    def match_names() -> None:
        for name, place in roots.places.items():
            called = name or name_root(place)
            match(name, [one for one in left if one.place and one.name == called])

    for name, place in roots.places.items():
        match(name, [one for one in left if one.place == place])
    if not roots.is_single:
        match_names()
    for name in roots.places:
        match(name, [one for one in left if not one.prefix])
    match_names()
    now = [KnownRoot(os.fsencode(name), place) for name, place in roots.places.items()]
    moves = [(one.prefix, os.fsencode(name)) for name, one in found.items()]
    taken: set[bytes] = set()
    for one in left:
        prefix, number = _AWAY + b"/" + os.fsencode(one.name), 2
        while prefix in taken:
            prefix = _AWAY + b"/" + os.fsencode(f"{one.name} {number}")
            number += 1
        taken.add(prefix)
        now.append(KnownRoot(prefix, one.place))
        moves.append((one.prefix, prefix))
    now.sort(key=lambda one: one.prefix)
    return Layout(tuple((old, new) for old, new in moves if old != new), tuple(now))


def _known(session: Session) -> tuple[KnownRoot, ...]:
    rows = session.scalars(select(Root).order_by(Root.prefix))
    return tuple(KnownRoot(root.prefix, os.fsdecode(root.place)) for root in rows)


def _move_all(
    session: Session, moves: Sequence[tuple[bytes, bytes]]
) -> dict[tuple[bytes, bytes], int]:
    """Exchange prefixes, within a unit of work; return how many paths that changes by each move."""
    moved = {}
    for number, (old, new) in enumerate(moves):
        moved[old, new] = _move(session, old, b"%b%d" % (_ON_THE_WAY, number))
    for number, (_, new) in enumerate(moves):
        _move(session, b"%b%d" % (_ON_THE_WAY, number), new)
    return moved


def _move(session: Session, old: bytes, new: bytes) -> int:
    moved = 0
    for table, column, is_path in path_columns():
        # The folder itself, whose path is the prefix, and what is in it.
        itself = update(table).where(is_path, column == old).values({column: new})
        rest = func.substr(column, len(old) + 2) if old else column
        # SQLite makes a text of what it joins, whose bytes are the same.
        joined = literal(new + b"/", LargeBinary).op("||")(rest)
        path = cast(joined, LargeBinary) if new else rest
        inside = update(table).where(is_path, _is_inside(column, old)).values({column: path})
        moved += session.connection().execute(inside).rowcount
        session.execute(itself)
    return moved


def _is_inside(column: ColumnElement[Any], prefix: bytes) -> ColumnElement[bool]:
    """Return the condition of paths inside a music folder, by its prefix."""
    if prefix:
        return and_(column > prefix + b"/", column < prefix + b"0")
    on_the_way = and_(column >= _ON_THE_WAY, column < b"0")
    return and_(column > b"", not_(_is_inside(column, _AWAY)), not_(on_the_way))


def _quoted(prefix: bytes) -> str:
    return ascii(os.fsdecode(prefix)) if prefix else "the only music folder"
