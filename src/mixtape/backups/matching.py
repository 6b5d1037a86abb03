"""Where the tracks of a backup are in this library, which may have moved since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..database.tables import Track
from ..files.tags import sort_key
from .archive import TrackNote

# Encoders and players disagree about the padding of lossy files; takes of one song differ by more.
NEAR_S: Final = 1.0
_AT_ONCE: Final = 5_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Where tracks are.

    Args:
        moved: old paths to those that the tracks have here.
        lost: paths of which this library has no track. They stay as they are: a file that comes
            to be there later is the track again.
    """

    moved: dict[bytes, bytes] = field(default_factory=dict)
    lost: frozenset[bytes] = frozenset()

    def of(self, path: bytes) -> bytes:
        """Return the path of a track in this library."""
        return self.moved.get(path, path)


def find_places(session: Session, paths: Sequence[bytes], notes: Sequence[TrackNote]) -> Places:
    """Return where the tracks with these paths are now, within a unit of work.

    What is at the same path is taken to be the same track. Otherwise one with the same title and
    artist and about the same length stands in, of the same album where there is one.
    """
    there: set[bytes] = set()
    for some in slices(sorted(paths)):
        present = select(Track.path).where(Track.path.in_(some), Track.missing_since.is_(None))
        there.update(session.scalars(present))
    away = set(paths) - there
    wanted = [note for note in notes if note.path in away and note.title]
    candidates = _candidates(session, {note.title for note in wanted})
    moved = {}
    for note in wanted:
        found = _choose(note, candidates.get(note.title, []))
        if found is not None:
            moved[note.path] = found.path
    return Places(moved, frozenset(away - moved.keys()))


def _candidates(session: Session, titles: set[str]) -> dict[str, list[TrackNote]]:
    columns = [getattr(Track, name) for name in TrackNote.__slots__]
    found: dict[str, list[TrackNote]] = defaultdict(list)
    for some in slices(sorted(titles)):
        present = select(*columns).where(Track.title.in_(some), Track.missing_since.is_(None))
        for row in session.execute(present.order_by(Track.path)):
            note = TrackNote(*row)
            found[note.title].append(note)
    return found


def _choose(note: TrackNote, candidates: Sequence[TrackNote]) -> TrackNote | None:
    """Return the candidate that is the track, None where none is. A pure function."""

    def likeness(other: TrackNote) -> tuple[bool, bool, int, float]:
        return (
            sort_key(other.album) == sort_key(note.album),
            other.size_bytes == note.size_bytes,
            _shared_names(other.path, note.path),
            -abs((other.duration_s or 0.0) - (note.duration_s or 0.0)),
        )

    alike = [other for other in candidates if _is_same_song(note, other)]
    return max(alike, key=likeness, default=None)


def _shared_names(one: bytes, other: bytes) -> int:
    """Return how many names two paths share from their ends on, in whichever music folders."""
    pairs = zip(reversed(one.split(b"/")), reversed(other.split(b"/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_same_song(note: TrackNote, other: TrackNote) -> bool:
    if sort_key(note.artist) != sort_key(other.artist):
        return False
    if note.duration_s is None or other.duration_s is None:
        return note.size_bytes == other.size_bytes
    return abs(note.duration_s - other.duration_s) <= NEAR_S


def slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values a few thousand at a time: statements hold so many at most."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
