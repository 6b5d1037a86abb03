"""What differs between the databases that mixtape knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Subquery
from sqlalchemy.orm import InstrumentedAttribute

from .search import TextIndex

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Backend:
    """One database, as units of work use it. The engines share a pool of connections.

    Args:
        readers: its transactions see one state of the database and wait for nobody.
        writers: its transactions come one after the other, over all processes.
        migrators: the same for changes of the tables.
        search: the full-text index.
        pairs: returns some pairs of texts as a table, with the columns `first` and `second`.
        one_of: returns the condition that a column has one of some values.
        optimize: statements that let the query planner catch up with what was written.
        claim_scan: says whether no other host scans, and none does while the connection lasts;
            None where the database has one host.
        release_scan: lets others scan again.
    """

    readers: Engine
    writers: Engine
    migrators: Engine
    search: TextIndex
    pairs: Callable[[Sequence[Pair]], Subquery]
    one_of: Callable[[InstrumentedAttribute[Any], Sequence[Any]], ColumnElement[bool]]
    optimize: tuple[str, ...]
    claim_scan: str | None = None
    release_scan: str = ""
