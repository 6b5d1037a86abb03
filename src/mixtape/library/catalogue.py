"""The library as people browse it: search, artists, albums and folders of what was scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    cast,
    func,
    select,
)
from sqlalchemy.orm import Session

from ..database.search import Field, read_terms
from ..database.tables import MAX_ID, Track
from ..database.units_of_work import Database
from ..errors import NotFoundError
from ..files.names import display_name
from .albums import ALBUM_KEYS, IS_PRESENT, AlbumKeys, of_keys, read_albums
from .artists import artists_on_page, count_artists, find_artist, some_artists
from .listed import Album, Artist, Page
from .music_folders import MusicFolder, tracks_in

PAGE_SIZE: Final = 50
# Behind whatever has a number.
LAST: Final = 100_000
# The tracks of an album, those without a number last.
ALBUM_ORDER: Final = (
    func.coalesce(Track.disc_no, 1),
    func.coalesce(Track.track_no, LAST),
    Track.title,
    Track.id,
)
# SQLite takes 32,766 values in a statement, and an album has two.
_AT_ONCE: Final = 5_000
AlbumOrder = Literal["name", "newest"]
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its path; `tracks` counts those in and below it that a scan has found."""

    path: bytes
    tracks: int = 0

    @property
    def name(self) -> str:
        """Return the folder's name as text; empty for the root."""
        return display_name(self.path)


@dataclass(frozen=True, slots=True)
class FolderView:
    """What a folder holds, each list sorted by name."""

    folders: tuple[Folder, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class LibraryCounts:
    """How much there is; `missing` tracks are not in the other figures, `unreadable` ones are."""

    tracks: int
    albums: int
    artists: int
    duration_s: float
    size_bytes: int
    unreadable: int
    missing: int


class Catalogue:
    """Answers questions about the library. Tracks that are missing are in none of the lists.

    Args:
        database: that a `Scanner` fills.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, typed: str, *, offset: int = 0, limit: int = PAGE_SIZE) -> Page[Track]:
        """Return tracks in whose title, artist or album every word that was typed begins a word.

        The best come first. A text without a word in it finds nothing.
        """
        terms = read_terms(typed)
        if terms is None:
            return Page((), offset, False)
        index = self._database.search
        with self._database.read() as session:
            ids = index.find_ids(session, terms, offset=_clamped(offset), limit=limit + 1)
            tracks = by_ids(session, ids[:limit])
        return Page(tuple(tracks), offset, len(ids) > limit)

    def is_narrow(self, typed: str) -> bool:
        """Say whether a text matches few enough tracks to group them while somebody types."""
        terms = read_terms(typed)
        if terms is None:
            return False
        with self._database.read() as session:
            return self._database.search.is_narrow(session, terms)

    def artists(self, typed: str = "", *, offset: int = 0, limit: int = PAGE_SIZE) -> Page[Artist]:
        """Return the artists that albums are filed under, or who appear on others', by name.

        Args:
            typed: only those whose name has these beginnings of words.
        """
        own, guest = self._named(typed, ["album_artist"]), self._named(typed, ["artist"])
        with self._database.read() as session:
            return artists_on_page(session, own, guest, _clamped(offset), limit)

    def albums(
        self,
        typed: str = "",
        *,
        artist_key: str | None = None,
        order: AlbumOrder = "name",
        offset: int = 0,
        limit: int = PAGE_SIZE,
    ) -> Page[Album]:
        """Return albums: by artist and name, or with what was added last first.

        Args:
            typed: only those with a track whose album or artist has these beginnings of words.
            artist_key: only those that are filed under this artist, oldest first.
            order: of albums of several artists.
        """
        named = self._named(typed, ["album", "album_artist", "artist"])
        if artist_key is not None:
            named.append(Track.album_artist_key == artist_key)
        keys = select(*ALBUM_KEYS).where(Track.album_key != "", *named).group_by(*ALBUM_KEYS)
        if artist_key is not None:
            keys = keys.order_by(func.coalesce(func.min(Track.year), LAST))
        elif order == "newest":
            keys = keys.order_by(func.max(Track.added_at).desc())
        return self._page(keys.order_by(*ALBUM_KEYS), offset, limit)

    def appears_on(
        self, artist_key: str, *, offset: int = 0, limit: int = PAGE_SIZE
    ) -> Page[Album]:
        """Return the albums of others that an artist plays on, compilations too, oldest first."""
        keys = select(*ALBUM_KEYS).where(
            IS_PRESENT,
            Track.artist_key == artist_key,
            Track.album_artist_key != artist_key,
            Track.album_key != "",
        )
        keys = keys.group_by(*ALBUM_KEYS).order_by(func.coalesce(func.min(Track.year), LAST))
        return self._page(keys.order_by(*ALBUM_KEYS), offset, limit)

    def artist_name(self, artist_key: str) -> str | None:
        """Return the name of an artist, None where nobody in the library is called so."""
        with self._database.read() as session:
            found = find_artist(session, artist_key)
        return None if found is None else found.name

    def get_album(self, artist_key: str, album_key: str) -> Album:
        """Return an album by its keys.

        Raises:
            NotFoundError: there is none; it may have gone with the last scan.
        """
        album = Track.album_artist_key == artist_key, Track.album_key == album_key
        keys = select(*ALBUM_KEYS).where(IS_PRESENT, *album).distinct()
        found = self._page(keys, 0, 1)
        if not found.items:
            raise NotFoundError("the library has no such album")
        return found.items[0]

    def albums_by_keys(self, keys: Sequence[AlbumKeys]) -> dict[AlbumKeys, Album]:
        """Return albums by the keys of artist and album; those that are not there are left out."""
        found = {}
        with self._database.read() as session:
            for start in range(0, len(keys), _AT_ONCE):
                for album in read_albums(self._database, session, keys[start : start + _AT_ONCE]):
                    found[album.artist_key, album.key] = album
        return found

    def artists_by_keys(self, keys: Sequence[str]) -> dict[str, Artist]:
        """Return artists by their keys; those that are not there are left out."""
        with self._database.read() as session:
            found = some_artists(session, keys)
        return {artist.key: artist for artist in found if artist.tracks}

    def tracks_by_paths(self, paths: Sequence[bytes]) -> dict[bytes, Track]:
        """Return tracks by their paths; those that are not there are left out."""
        found = {}
        with self._database.read() as session:
            for start in range(0, len(paths), _AT_ONCE):
                some = Track.path.in_(paths[start : start + _AT_ONCE])
                for track in session.scalars(select(Track).where(IS_PRESENT, some)):
                    found[track.path] = track
        return found

    def albums_in(self, folder: MusicFolder, keys: Sequence[AlbumKeys]) -> set[AlbumKeys]:
        """Return which of some albums have a track in a part of the library."""
        found: set[AlbumKeys] = set()
        with self._database.read() as session:
            for start in range(0, len(keys), _AT_ONCE):
                some = self._database.pairs(keys[start : start + _AT_ONCE])
                query = of_keys(select(*ALBUM_KEYS), some, *tracks_in(folder)).distinct()
                rows = session.execute(query)
                found.update((row[0], row[1]) for row in rows if row[0] is not None)
        return found

    def artists_in(self, folder: MusicFolder, keys: Sequence[str]) -> set[str]:
        """Return which of some artists have a track in a part of the library, or an album."""
        found: set[str] = set()
        with self._database.read() as session:
            for start in range(0, len(keys), _AT_ONCE):
                for column in (Track.album_artist_key, Track.artist_key):
                    some = column.in_(keys[start : start + _AT_ONCE])
                    query = select(column).where(some, *tracks_in(folder)).distinct()
                    found.update(session.scalars(query))
        return found

    def album_tracks(self, artist_key: str, album_key: str) -> tuple[Track, ...]:
        """Return an album's tracks by disc and number; those without a number last.

        An empty album key gives the artist's tracks that name no album.
        """
        query = (
            select(Track)
            .where(IS_PRESENT)
            .where(Track.album_artist_key == artist_key, Track.album_key == album_key)
            .order_by(*ALBUM_ORDER)
        )
        with self._database.read() as session:
            return tuple(session.scalars(query))

    def folder(self, path: bytes = b"") -> FolderView:
        """Return what a folder holds; nothing where it has no tracks or does not exist."""
        prefix = path + b"/" if path else b""
        below = Track.is_below(path) if path else Track.folder > b""
        # Counted by a filter, not a condition: with that SQLite takes the index that begins with
        # missing_since, and sorts.
        tracks_in = func.count().filter(Track.missing_since.is_(None))
        deeper = select(Track.folder, tracks_in).where(below).group_by(Track.folder)
        deeper = deeper.having(tracks_in > 0)
        here = select(Track).where(Track.folder == path, Track.missing_since.is_(None))
        with self._database.read() as session:
            counts = session.execute(deeper).all()
            tracks = tuple(session.scalars(here.order_by(Track.path)))
        return FolderView(_subfolders(prefix, counts), tracks)

    def tracks(self, ids: Sequence[int]) -> tuple[Track, ...]:
        """Return tracks by their ids, missing or not, in this order; unknown ids are left out."""
        with self._database.read() as session:
            return tuple(by_ids(session, ids))

    def unreadable(self, *, offset: int = 0, limit: int = PAGE_SIZE) -> Page[Track]:
        """Return the tracks that the last scans could not read, each with its `problem`."""
        query = select(Track).where(IS_PRESENT, Track.problem.is_not(None))
        query = query.order_by(Track.path).offset(_clamped(offset)).limit(limit + 1)
        with self._database.read() as session:
            tracks = session.scalars(query).all()
        return Page(tuple(tracks[:limit]), offset, len(tracks) > limit)

    def counts(self) -> LibraryCounts:
        """Return how much there is."""
        sums = select(
            func.count(),
            func.sum(Track.duration_s),
            cast(func.sum(Track.size_bytes), BigInteger),  # PostgreSQL sums up to a decimal
            func.count(Track.problem),
        ).where(IS_PRESENT)
        pairs = select(Track.album_artist_key, Track.album_key).distinct()
        pairs = pairs.where(IS_PRESENT, Track.album_key != "")
        missing = select(func.count()).where(Track.missing_since.is_not(None))
        with self._database.read() as session:
            tracks, duration_s, size, unreadable = session.execute(sums).one()
            return LibraryCounts(
                tracks=tracks,
                albums=session.scalars(select(func.count()).select_from(pairs.subquery())).one(),
                artists=count_artists(session),
                duration_s=duration_s or 0.0,
                size_bytes=size or 0,
                unreadable=unreadable,
                missing=session.scalars(missing).one(),
            )

    def _named(self, typed: str, fields: Sequence[Field]) -> list[ColumnElement[bool]]:
        """Return the conditions for tracks that are there and, if a word is typed, match it."""
        terms = read_terms(typed, fields)
        if terms is None:
            return [IS_PRESENT]
        return [IS_PRESENT, Track.id.in_(self._database.search.select_ids(terms))]

    def _page(self, keys: AnySelect, offset: int, limit: int) -> Page[Album]:
        """Return a page of albums.

        The keys come from the index alone, and only the albums on the page are counted and summed
        up: the last page of a large library is as quick as the first.
        """
        with self._database.read() as session:
            some = keys.offset(_clamped(offset)).limit(limit + 1)
            chosen = [(row[0], row[1]) for row in session.execute(some)]
            albums = read_albums(self._database, session, chosen[:limit])
        return Page(albums, offset, len(chosen) > limit)


def _clamped(offset: int) -> int:
    return min(max(0, offset), MAX_ID)


def by_ids(session: Session, ids: Sequence[int]) -> list[Track]:
    """Return tracks by their ids, in this order, within a unit of work, but for unknown ones."""
    possible = {track_id for track_id in ids if 0 < track_id <= MAX_ID}
    query = select(Track).where(Track.id.in_(possible))
    found = {track.id: track for track in session.scalars(query)}
    return [found[track_id] for track_id in ids if track_id in found]


def _subfolders(prefix: bytes, counts: Sequence[tuple[bytes, int]]) -> tuple[Folder, ...]:
    tracks: dict[bytes, int] = {}
    for folder, count in counts:
        child = prefix + folder[len(prefix) :].partition(b"/")[0]
        tracks[child] = tracks.get(child, 0) + count
    return tuple(Folder(path, tracks[path]) for path in sorted(tracks))
