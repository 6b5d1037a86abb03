"""Where each letter begins in the lists of albums and artists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import func, select

from ..database.summary_tables import AlbumSummary, ArtistSummary
from ..database.units_of_work import Database

ListName = Literal["albums", "artists"]
BEFORE_LETTERS: Final = "#"
AFTER_LETTERS: Final = "…"
_KEYS: Final = {"albums": AlbumSummary.artist_key, "artists": ArtistSummary.key}


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
        # By its name: PostgreSQL takes the same expression with other parameters for another one.
        firsts = select(func.substr(_KEYS[name], 1, 1).label("letter"))
        if name == "albums":
            firsts = firsts.where(AlbumSummary.key != "")
        letters = firsts.subquery()
        counts = select(letters.c.letter, func.count()).group_by(letters.c.letter)
        with self._database.read() as session:
            rows = session.execute(counts).all()
        return jumps(sorted((str(letter), count) for letter, count in rows))


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
