"""Search as you type over title, artist and album: what is asked, whichever index answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, BindParameter, Select, TextClause, bindparam, column, select
from sqlalchemy.orm import Session

from ..files.tags import without_surrogates

Field = Literal["title", "artist", "album", "album_artist"]

MAX_TEXT: Final = 200
MAX_TERMS: Final = 12
# Ranking reads every match: 80 ms for the 34,000 that one letter has in a library of 100,000.
# Whoever has typed one letter gets the first matches at once, and the best ones with the next.
MAX_RANKED: Final = 10_000


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What somebody is typing, cut at its spaces.

    Every term must be there, each as the beginning of a word: "be lov" finds "Beloved, The". A
    term of several words, such as "AC/DC", is found where they follow each other.

    Args:
        terms: each with a letter or digit in it.
        fields: the columns to look in; all of them where none is named.
    """

    terms: tuple[str, ...]
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class TextIndex:
    """The full-text index of one database.

    Args:
        ranked: selects the ids of tracks that are there, the best first, by limit and offset.
        unranked: the same in the order in which they were added.
        count: counts the matches, up to a limit.
        ids: selects the ids of all matches.
        values_of: returns what the four take besides limit and offset.
    """

    ranked: TextClause
    unranked: TextClause
    count: TextClause
    ids: TextClause
    values_of: Callable[[SearchTerms], Mapping[str, object]]

    def find_ids(
        self, session: Session, terms: SearchTerms, *, offset: int, limit: int
    ) -> list[int]:
        """Return the ids of the tracks that are there and match, the best first.

        A match in the title weighs most, then artist, album and album artist. Where more than
        MAX_RANKED match they come as they were added.
        """
        statement = self.ranked if self.is_narrow(session, terms) else self.unranked
        values = {**self.values_of(terms), "offset": offset, "limit": limit}
        return list(session.execute(statement, values).scalars())

    def is_narrow(self, session: Session, terms: SearchTerms) -> bool:
        """Say whether no more than MAX_RANKED tracks match."""
        # Counting 100,000 matches takes longer than finding the first of them.
        values = {**self.values_of(terms), "limit": MAX_RANKED + 1}
        count: int = session.execute(self.count, values).scalar_one()
        return count <= MAX_RANKED

    def select_ids(self, terms: SearchTerms) -> Select[tuple[int]]:
        """Return a query of the ids of all tracks that match, for use inside another query."""
        # Unique, as a query may ask for more than one text.
        values = self.values_of(terms).items()
        given: list[BindParameter[Any]] = [
            bindparam(name, value, unique=True) for name, value in values
        ]
        found = self.ids.bindparams(*given).columns(column("id", BigInteger))
        return select(found.subquery().c.id)


def read_terms(typed: str, fields: Sequence[Field] = ()) -> SearchTerms | None:
    """Return what to look for in a text that somebody is typing; None where it holds no word.

    Args:
        typed: what was typed, as it is.
        fields: the columns to look in; all of them where none is named.
    """
    parts = without_surrogates(typed[:MAX_TEXT].replace("\0", " ")).split()
    terms = [part for part in parts if any(letter.isalnum() for letter in part)]
    return SearchTerms(tuple(terms[:MAX_TERMS]), tuple(fields)) if terms else None
