"""Which tracks of the library the tracks of a playlist are."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from sqlalchemy import select

from ..database.tables import Track
from ..database.units_of_work import Database
from ..files.tags import sort_key
from .playlist_file import WantedTrack

# A playlist tells whole seconds, and players round in different ways.
_SAME_WITHIN_S: Final = 3.0
# No file has a longer name. Marks over one letter are put in order in the square of their number.
_LONGEST_NAME: Final = 255


@dataclass(frozen=True)
class _Known:
    """A track of the library, as far as it takes that to be found."""

    id: int
    path: tuple[str, ...]
    title: str
    artists: frozenset[str]
    duration_s: float | None


class Matching:
    """Finds tracks by path, else by the end of their path, else by title, artist and length.

    Args:
        database: where the library is.
    """

    def __init__(self, database: Database) -> None:
        self._by_stem: dict[str, list[_Known]] = defaultdict(list)
        self._by_title: dict[str, list[_Known]] = defaultdict(list)
        columns = (Track.id, Track.path, Track.title, Track.artist, Track.album_artist)
        present = select(*columns, Track.duration_s).where(
            Track.missing_since.is_(None), Track.problem.is_(None)
        )
        with database.read() as session:
            for number, path, title, artist, album_artist, duration_s in session.execute(
                present.order_by(Track.path)
            ):
                artists = frozenset(filter(None, map(sort_key, (artist, album_artist))))
                known = _Known(number, _parts(path), sort_key(title), artists, duration_s)
                self._by_stem[_stem(known.path[-1])].append(known)
                self._by_title[known.title].append(known)

    def find(self, wanted: WantedTrack) -> int | None:
        """Return the id of the track that is wanted; None where none is, or none is surely it."""
        return self._find_by_path(wanted) or self._find_by_title(wanted)

    def find_all(self, wanted: Iterable[WantedTrack]) -> tuple[list[int], list[WantedTrack]]:
        """Return the ids of those that are found, in order, and those that are not."""
        found, missing = [], []
        for each in wanted:
            number = self.find(each)
            if number is None:
                missing.append(each)
            else:
                found.append(number)
        return found, missing

    def _find_by_path(self, wanted: WantedTrack) -> int | None:
        path = _parts(wanted.path)
        if not path:
            return None
        candidates = self._by_stem.get(_stem(path[-1]), [])
        # How much of the path is the same from its end on; then, whether the suffix is.
        ranked = [
            ((_shared(path, each.path), path[-1] == each.path[-1]), each) for each in candidates
        ]
        best = max((rank for rank, _ in ranked), default=(0, False))
        chosen = [each for rank, each in ranked if rank == best]
        if best[0] > 1 and len(chosen) == 1:
            return chosen[0].id
        # A name alone may be that of another file: its length must not speak against it.
        return _only(_as_long(chosen, wanted))

    def _find_by_title(self, wanted: WantedTrack) -> int | None:
        title, artist = sort_key(wanted.title), sort_key(wanted.artist)
        if not title:
            return None
        same = _as_long(self._by_title.get(title, []), wanted)
        if artist:
            same = [each for each in same if artist in each.artists]
            # The same recording on an album and on a sampler is either.
            return same[0].id if same else None
        return _only(same)


def _only(tracks: list[_Known]) -> int | None:
    return tracks[0].id if len(tracks) == 1 else None


def _as_long(tracks: list[_Known], wanted: WantedTrack) -> list[_Known]:
    """Return those that may be as long as what is wanted."""
    if wanted.duration_s is None:
        return tracks
    return [
        each
        for each in tracks
        if each.duration_s is None or abs(each.duration_s - wanted.duration_s) <= _SAME_WITHIN_S
    ]


def _parts(path: bytes) -> tuple[str, ...]:
    """Return a path as the names on it, as systems compare them that do so loosely."""
    names = path.decode("utf-8", "surrogateescape").split("/")
    return tuple(
        unicodedata.normalize("NFC", name[:_LONGEST_NAME]).casefold()
        for name in names
        if name not in {"", ".", ".."}
    )


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many names two paths share from their ends on, suffixes aside."""
    ends = zip(
        (_stem(one[-1]), *reversed(one[:-1])),
        (_stem(other[-1]), *reversed(other[:-1])),
        strict=False,
    )
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
