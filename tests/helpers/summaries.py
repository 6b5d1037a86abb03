"""What the summaries have to say, counted from tracks and plays one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import select

from mixtape.database.account_tables import Play
from mixtape.database.summary_tables import (
    AlbumGenre,
    AlbumPlay,
    AlbumSummary,
    ArtistSummary,
    StaleAlbum,
    StaleArtist,
)
from mixtape.database.tables import Base, Track
from mixtape.database.units_of_work import Database
from mixtape.files.tags import lead_artist, split_genres

Rows = list[dict[str, Any]]


def check_summaries(database: Database) -> None:
    """Fail where a summary is not what its tracks and plays add up to."""
    with database.read() as session:
        tracks = session.scalars(select(Track).where(Track.missing_since.is_(None))).all()
        plays = session.scalars(select(Play)).all()
        tables = AlbumSummary, AlbumGenre, AlbumPlay, ArtistSummary, StaleAlbum, StaleArtist
        found = {table: _rows(session.scalars(select(table)).all()) for table in tables}
    albums: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
    for track in sorted(tracks, key=lambda track: track.id):
        albums[track.album_artist_key, track.album_key].append(track)
    expected = [_album(*keys, on_it) for keys, on_it in albums.items()]
    assert found[AlbumSummary] == _sorted(expected)
    assert found[AlbumGenre] == _sorted([row for keys in albums for row in _genres(keys, albums)])
    assert found[AlbumPlay] == _sorted(_plays(list(tracks), list(plays)))
    assert found[ArtistSummary] == _sorted(_artists(albums))
    assert found[StaleAlbum] == found[StaleArtist] == []


def _rows(items: Any) -> Rows:
    return _sorted([{name: getattr(item, name) for name in _names(type(item))} for item in items])


def _names(table: type[Base]) -> list[str]:
    return [column.name for column in table.__table__.columns]


def _sorted(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: sorted((name, str(value)) for name, value in row.items()))


def _album(artist_key: str, key: str, tracks: list[Track]) -> dict[str, Any]:
    years = [track.year for track in tracks if track.year is not None]
    covers = [track.cover_key for track in tracks if track.cover_key is not None]
    written = Counter(name for track in tracks for name in split_genres(track.genre))
    by_use = sorted(written, key=lambda name: (-written[name], name))
    titles: dict[int, str] = {}
    for track in sorted(tracks, key=lambda track: (track.disc_no or 0, track.disc_subtitle)):
        if track.disc_subtitle:
            titles[track.disc_no or 1] = track.disc_subtitle
    return {
        "artist_key": artist_key,
        "key": key,
        "title": min(track.album for track in tracks),
        "artist": min(track.album_artist for track in tracks),
        "year": min(years, default=None),
        "tracks": len(tracks),
        "duration_s": sum(track.duration_s or 0.0 for track in tracks),
        "cover_key": min(covers, default=None),
        "added_at": min(track.added_at for track in tracks),
        "newest_at": max(track.added_at for track in tracks),
        "genres": [
            name
            for place, name in enumerate(by_use)
            if name.casefold() not in {other.casefold() for other in by_use[:place]}
        ],
        "disc_titles": [[number, titles[number]] for number in sorted(titles)],
    }


def _genres(keys: tuple[str, str], albums: dict[tuple[str, str], list[Track]]) -> Rows:
    written = Counter(name for track in albums[keys] for name in split_genres(track.genre))
    return [
        {
            "genre_key": name.casefold(),
            "artist_key": keys[0],
            "key": keys[1],
            "name": name,
            "tracks": count,
        }
        for name, count in written.items()
    ]


def _plays(tracks: list[Track], plays: list[Play]) -> Rows:
    albums = {track.path: (track.album_artist_key, track.album_key) for track in tracks}
    heard: defaultdict[tuple[int, str, str], list[Play]] = defaultdict(list)
    for play in plays:
        if play.path in albums:
            heard[play.user_id, *albums[play.path]].append(play)
    return [
        {
            "user_id": user_id,
            "artist_key": artist_key,
            "key": key,
            "plays": sum(play.plays for play in some),
            "last_played_at": max(play.last_played_at for play in some),
        }
        for (user_id, artist_key, key), some in heard.items()
    ]


def _artists(albums: dict[tuple[str, str], list[Track]]) -> Rows:
    own: defaultdict[str, list[Track]] = defaultdict(list)
    guest: defaultdict[str, list[Track]] = defaultdict(list)
    by_artist: defaultdict[str, list[Track]] = defaultdict(list)
    for track in sorted(
        (one for on_it in albums.values() for one in on_it), key=lambda one: one.id
    ):
        own[track.album_artist_key].append(track)
        by_artist[track.artist_key].append(track)
        if track.album_key and track.artist_key not in {"", track.album_artist_key}:
            guest[track.artist_key].append(track)
    rows = []
    for key in own.keys() | guest.keys():
        filed, on_others = own[key], guest[key]
        name = filed[0].album_artist if filed else ""
        rows.append(
            {
                "key": key,
                "name": name or (lead_artist(on_others[0].artist) if on_others else ""),
                "albums": len({track.album_key for track in filed} - {""}),
                "tracks": len(filed) + len(on_others),
                "cover_key": _cover(filed, filed) or _cover(on_others, by_artist[key]),
                "appears_on": len({(t.album_artist_key, t.album_key) for t in on_others}),
                "has_loose": any(not track.album_key for track in filed),
            }
        )
    return rows


def _cover(tracks: list[Track], others: list[Track]) -> str | None:
    """Return the cover of the first track; where that has none, the first by name of all."""
    if not tracks:
        return None
    covers = [track.cover_key for track in others if track.cover_key is not None]
    return tracks[0].cover_key or min(covers, default=None)
