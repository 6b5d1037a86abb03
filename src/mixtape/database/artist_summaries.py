"""The summaries of artists: those whom albums are filed under, and those who appear on others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Select, distinct, false, func, select
from sqlalchemy.orm import Session

from ..files.tags import lead_artist
from .tables import IS_PRESENT, Track

# Of an album of somebody else. Tracks of no album are filed under whoever plays them.
IS_GUEST: Final = (
    Track.artist_key != "",
    Track.artist_key != Track.album_artist_key,
    Track.album_key != "",
)
# An album is told by both keys; U+0001 is in neither.
_ALBUM: Final = Track.album_artist_key + "\1" + Track.album_key
# All of it is in an index. Names and covers are not, so they are those of the track with this id.
_OWN: Final[Select[*tuple[Any, ...]]] = select(
    Track.album_artist_key,
    func.count(distinct(func.nullif(Track.album_key, ""))),
    func.count(),
    func.min(Track.id),
    func.min(Track.album_key) == "",
).group_by(Track.album_artist_key)
_GUEST: Final[Select[*tuple[Any, ...]]] = (
    select(
        Track.artist_key, func.count(distinct(_ALBUM)), func.count(), func.min(Track.id), false()
    )
    .where(*IS_GUEST)
    .group_by(Track.artist_key)
)
# Of albums, of tracks, the id of one of these, and whether some are of no album.
_Counts = tuple[int, int, int, bool]
_NONE: Final[_Counts] = (0, 0, 0, False)


def sum_artists(session: Session, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of `ArtistSummary` for some keys, but for those of whom nothing is there."""
    own = dict(_counts(session, _OWN, Track.album_artist_key, keys))
    guests = dict(_counts(session, _GUEST, Track.artist_key, keys))
    ids = [count[2] for counts in (own, guests) for count in counts.values()]
    tracks = dict(_names(session, ids))
    own_covers = dict(_covers(session, Track.album_artist_key, own, tracks))
    guest_covers = dict(_covers(session, Track.artist_key, guests, tracks))
    rows = []
    for key in own.keys() | guests.keys():
        albums, own_tracks, own_id, has_loose = own.get(key, _NONE)
        appears_on, guest_tracks, guest_id, _ = guests.get(key, _NONE)
        name, _, _ = tracks.get(own_id, ("", "", None))
        _, guest_name, _ = tracks.get(guest_id, ("", "", None))
        rows.append(
            {
                "key": key,
                "name": name or lead_artist(guest_name),
                "albums": albums,
                "tracks": own_tracks + guest_tracks,
                "cover_key": own_covers.get(key) or guest_covers.get(key),
                "appears_on": appears_on,
                "has_loose": has_loose,
            }
        )
    return rows


def _counts(
    session: Session, groups: Select[*tuple[Any, ...]], column: Any, keys: Sequence[str]
) -> Iterator[tuple[str, _Counts]]:
    rows = session.execute(groups.where(IS_PRESENT, column.in_(keys)))
    for key, albums, tracks, track_id, has_loose in rows:
        yield key, (albums, tracks, track_id, bool(has_loose))


def _names(
    session: Session, ids: Sequence[int]
) -> Iterator[tuple[int, tuple[str, str, str | None]]]:
    columns = (Track.id, Track.album_artist, Track.artist, Track.cover_key)
    for track_id, album_artist, artist, cover_key in session.execute(
        select(*columns).where(Track.id.in_(ids))
    ):
        yield track_id, (album_artist, artist, cover_key)


def _covers(
    session: Session,
    column: Any,
    counts: dict[str, _Counts],
    tracks: dict[int, tuple[str, str, str | None]],
) -> Iterator[tuple[str, str]]:
    """Give the cover of each artist's one track; where that has none, of another."""
    without = []
    for key, count in counts.items():
        cover_key = tracks[count[2]][2]
        if cover_key is None:
            without.append(key)
        else:
            yield key, cover_key
    if without:
        some = select(column, func.min(Track.cover_key)).where(IS_PRESENT, column.in_(without))
        for key, cover_key in session.execute(some.group_by(column)):
            if cover_key is not None:
                yield key, cover_key
