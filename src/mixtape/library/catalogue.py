"""The library as people browse it: search, artists, albums and folders of what was scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import Session

from ..database.search import Field, read_terms
from ..database.summary_tables import AlbumSummary
from ..database.tables import IS_PRESENT, MAX_ID, Track
from ..database.units_of_work import Database
from ..errors import NotFoundError
from ..files.names import display_name
from ..messages import Message
from .albums import (
    BY_ARTIST,
    LAST,
    NEWEST_FIRST,
    OLDEST_FIRST,
    AlbumKeys,
    Order,
    albums_on_page,
    appears_on,
    read_albums,
    with_track,
)
from .artists import artists_of, artists_on_page, count_artists, some_artists
from .listed import Album, Artist, Page
from .music_folders import MusicFolder, albums_in, artists_in

PAGE_SIZE: Final = 50
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
        own, guest = (self._matches(typed, [field]) for field in ("album_artist", "artist"))
        where = () if own is None or guest is None else [artists_of([own], [guest])]
        with self._database.read() as session:
            return artists_on_page(session, where, _clamped(offset), limit)

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
        where = []
        matches = self._matches(typed, ["album", "album_artist", "artist"])
        if matches is not None:
            where.append(with_track(matches))
        if artist_key is not None:
            where.append(AlbumSummary.artist_key == artist_key)
            return self._page(where, OLDEST_FIRST, offset, limit)
        return self._page(where, NEWEST_FIRST if order == "newest" else BY_ARTIST, offset, limit)

    def appears_on(
        self, artist_key: str, *, offset: int = 0, limit: int = PAGE_SIZE
    ) -> Page[Album]:
        """Return the albums of others that an artist plays on, compilations too, oldest first."""
        return self._page([appears_on(artist_key)], OLDEST_FIRST, offset, limit)

    def artist_name(self, artist_key: str) -> str | None:
        """Return the name of an artist, None where nobody in the library is called so."""
        found = self.artists_by_keys([artist_key]).get(artist_key)
        return None if found is None else found.name

    def get_album(self, artist_key: str, album_key: str) -> Album:
        """Return an album by its keys.

        Raises:
            NotFoundError: there is none; it may have gone with the last scan.
        """
        keys = artist_key, album_key
        found = self.albums_by_keys([keys]).get(keys)
        if found is None:
            raise NotFoundError(Message("the library has no such album"))
        return found

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
            return some_artists(session, keys)

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
        where, found = albums_in(folder), set()
        with self._database.read() as session:
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                for album in read_albums(self._database, session, some, where):
                    found.add((album.artist_key, album.key))
        return found

    def artists_in(self, folder: MusicFolder, keys: Sequence[str]) -> set[str]:
        """Return which of some artists have a track in a part of the library, or an album."""
        with self._database.read() as session:
            return set(some_artists(session, keys, artists_in(folder)))

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
        albums = select(func.count()).where(AlbumSummary.key != "")
        missing = select(func.count()).where(Track.missing_since.is_not(None))
        with self._database.read() as session:
            tracks, duration_s, size, unreadable = session.execute(sums).one()
            return LibraryCounts(
                tracks=tracks,
                albums=session.scalars(albums).one(),
                artists=count_artists(session),
                duration_s=duration_s or 0.0,
                size_bytes=size or 0,
                unreadable=unreadable,
                missing=session.scalars(missing).one(),
            )

    def _matches(self, typed: str, fields: Sequence[Field]) -> ColumnElement[bool] | None:
        """Return the condition of tracks that match what is typed; None without a word in it."""
        terms = read_terms(typed, fields)
        return None if terms is None else Track.id.in_(self._database.search.select_ids(terms))

    def _page(
        self,
        where: Sequence[ColumnElement[bool]],
        order: Order,
        offset: int,
        limit: int,
    ) -> Page[Album]:
        """Return a page of albums; what is on none is no album here."""
        where, start = [AlbumSummary.key != "", *where], _clamped(offset)
        with self._database.read() as session:
            found = albums_on_page(session, where, order, start, limit + 1)
        return Page(found[:limit], offset, len(found) > limit)


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
