"""The summaries of albums: made anew, from tracks and plays, for those that are stale."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Select,
    Subquery,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Session

from ..files.tags import split_genres
from .account_tables import Play
from .artist_summaries import sum_artists
from .backend import Pair
from .summary_tables import (
    AlbumGenre,
    AlbumPlay,
    AlbumSummary,
    ArtistSummary,
    StaleAlbum,
    StaleArtist,
)
from .tables import ALBUM_KEYS, IS_PRESENT, Base, Track

# In one statement; SQLite takes 32,766 values.
_AT_ONCE: Final = 5_000
_STALE_ALBUMS: Final = select(StaleAlbum.artist_key, StaleAlbum.key).limit(_AT_ONCE)
_STALE_ARTISTS: Final = select(StaleArtist.key).limit(_AT_ONCE)
_SUMS: Final[Select[*tuple[Any, ...]]] = select(
    *ALBUM_KEYS,
    func.min(Track.album).label("title"),
    func.min(Track.album_artist).label("artist"),
    func.min(Track.year).label("year"),
    func.count().label("tracks"),
    func.coalesce(func.sum(Track.duration_s), 0.0).label("duration_s"),
    func.min(Track.cover_key).label("cover_key"),
    func.min(Track.added_at).label("added_at"),
    func.max(Track.added_at).label("newest_at"),
).group_by(*ALBUM_KEYS)
# In one query, whose columns no index has all of: for genres alone SQLite reads the whole index of
# these for each album.
_DETAILS: Final = select(
    *ALBUM_KEYS, Track.genre, Track.disc_no, func.max(Track.disc_subtitle), func.count()
).group_by(*ALBUM_KEYS, Track.genre, Track.disc_no)
_PLAYS: Final = select(
    *ALBUM_KEYS,
    Play.user_id,
    cast(func.sum(Play.plays), BigInteger).label("plays"),  # PostgreSQL sums up to a decimal
    func.max(Play.last_played_at).label("last_played_at"),
).group_by(*ALBUM_KEYS, Play.user_id)
_ALBUM_DELETIONS: Final = tuple(
    delete(table).where(
        table.artist_key == bindparam("_artist_key"), table.key == bindparam("_key")
    )
    for table in (AlbumSummary, AlbumGenre, AlbumPlay, StaleAlbum)
)

Pairs = Callable[[Sequence[Pair]], Subquery]


def is_stale(session: Session) -> bool:
    """Say whether something has changed and was not summed up since."""
    return any(session.execute(query.limit(1)).first() for query in (_STALE_ALBUMS, _STALE_ARTISTS))


def sum_up(session: Session, pairs: Pairs) -> None:
    """Sum up again what is stale, within the unit of work that has made it so.

    Args:
        pairs: of the database's `Backend`.
    """
    while keys := [(row[0], row[1]) for row in session.execute(_STALE_ALBUMS)]:
        places = [{"_artist_key": artist_key, "_key": key} for artist_key, key in keys]
        for deletion in _ALBUM_DELETIONS:
            session.connection().execute(deletion, places)
        _sum_albums(session, pairs(keys))
    while artist_keys := session.scalars(_STALE_ARTISTS).all():
        session.execute(delete(ArtistSummary).where(ArtistSummary.key.in_(artist_keys)))
        session.execute(delete(StaleArtist).where(StaleArtist.key.in_(artist_keys)))
        _add(session, ArtistSummary, sum_artists(session, artist_keys))


def _sum_albums(session: Session, keys: Subquery) -> None:
    written, titles = _details(session, keys)
    rows = [
        {
            **_of_album(row),
            "genres": _names(written[row[0], row[1]]),
            "disc_titles": sorted(titles[row[0], row[1]].items()),
        }
        for row in session.execute(_of_keys(_SUMS, keys))
        if row[0] is not None
    ]
    _add(session, AlbumSummary, rows)
    _add(session, AlbumGenre, _genre_rows(written))
    plays = _of_keys(_PLAYS, keys).outerjoin(Play, Play.path == Track.path)
    heard = [row for row in session.execute(plays) if row.user_id is not None]
    _add(session, AlbumPlay, [_of_album(row) for row in heard])


def _of_album(row: Any) -> dict[str, Any]:
    values = dict(row._mapping)
    return {
        "artist_key": values.pop("album_artist_key"),
        "key": values.pop("album_key"),
        **values,
    }


def _details(
    session: Session, keys: Subquery
) -> tuple[defaultdict[Pair, Counter[str]], defaultdict[Pair, dict[int, str]]]:
    """Return how many tracks of each album write each name of a genre, and its discs' titles."""
    written: defaultdict[Pair, Counter[str]] = defaultdict(Counter)
    titles: defaultdict[Pair, dict[int, str]] = defaultdict(dict)
    for artist_key, key, genres, disc_no, title, tracks in session.execute(
        _of_keys(_DETAILS, keys)
    ):
        for name in split_genres(genres or ""):
            written[artist_key, key][name] += tracks
        if title:
            titles[artist_key, key][disc_no or 1] = title
    return written, titles


def _names(written: Mapping[str, int]) -> list[str]:
    """Return the genres that are written, each once, that of most tracks first."""
    names: dict[str, str] = {}
    for name in sorted(written, key=lambda name: (-written[name], name)):
        names.setdefault(name.casefold(), name)
    return list(names.values())


def _genre_rows(written: Mapping[Pair, Mapping[str, int]]) -> list[dict[str, Any]]:
    return [
        {
            "genre_key": name.casefold(),
            "artist_key": artist_key,
            "key": key,
            "name": name,
            "tracks": tracks,
        }
        for (artist_key, key), names in written.items()
        for name, tracks in names.items()
    ]


def _add(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)


def _of_keys(query: Select[*tuple[Any, ...]], keys: Subquery) -> Select[*tuple[Any, ...]]:
    """Let a query of tracks that are there be about those of some albums.

    An outer join, so that SQLite begins with the keys: it would look at all tracks first, since
    it does not know how few keys there are. Those of which nothing is there give rows of NULL.

    Args:
        keys: from `Backend.pairs`.
    """
    first, second = keys.c
    is_of = (Track.album_artist_key == first, Track.album_key == second)
    return query.select_from(keys).outerjoin(Track, and_(*is_of, IS_PRESENT))
