"""Where each letter begins in the lists of albums and artists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Select, func, select

from ..database.tables import Track
from ..database.units_of_work import Database
from .artists import artist_keys

ListName = Literal["albums", "artists"]
BEFORE_LETTERS: Final = "#"
AFTER_LETTERS: Final = "…"


@dataclass(frozen=True, slots=True)
class Initial:
    """A letter to jump to: `offset` albums or artists come before the first that it begins."""

    label: str
    offset: int


class Initials:
    """Counts by the first letter of the artist, which is what both lists go by.

    Args:
        database: that a `Scanner` fills.
        version: of what it holds; as long as that is the same, nothing is counted again.
    """

    def __init__(self, database: Database, version: Callable[[], Hashable]) -> None:
        self._database = database
        self._version = version
        self._counted: dict[ListName, tuple[Hashable, tuple[Initial, ...]]] = {}

    def of(self, name: ListName) -> tuple[Initial, ...]:
        """Return the letters that a list has something for, in its order."""
        version = self._version()
        known, initials = self._counted.get(name, (None, ()))
        if known != version:
            initials = self._count(name)
            self._counted[name] = version, initials
        return initials

    def _count(self, name: ListName) -> tuple[Initial, ...]:
        found = (_album_keys() if name == "albums" else artist_keys()).subquery()
        # By its name: PostgreSQL takes the same expression with other parameters for another one.
        firsts = select(func.substr(found.c.key, 1, 1).label("letter")).subquery()
        counts = select(firsts.c.letter, func.count()).group_by(firsts.c.letter)
        with self._database.read() as session:
            rows = session.execute(counts).all()
        return jumps(sorted((str(letter), count) for letter, count in rows))


def _album_keys() -> Select[*tuple[Any, ...]]:
    is_there = (Track.missing_since.is_(None), Track.album_key != "")
    return select(Track.album_artist_key.label("key"), Track.album_key).where(*is_there).distinct()


def jumps(counts: Iterable[tuple[str, int]]) -> tuple[Initial, ...]:
    """Return where to jump to, from how many there are of each first letter, in order.

    What begins with a digit or a sign comes first, as one; so do all that come after Z.
    """
    found: list[Initial] = []
    offset = 0
    for letter, count in counts:
        label = label_of(letter)
        if not found or found[-1].label != label:
            found.append(Initial(label, offset))
        offset += count
    return tuple(found)


def label_of(letter: str) -> str:
    """Return what a first letter is shown under."""
    if "a" <= letter <= "z":
        return letter.upper()
    return BEFORE_LETTERS if letter < "a" else AFTER_LETTERS
