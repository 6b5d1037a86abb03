"""Albums and tracks by what a user has played, starred and rated."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import and_, case, func, or_, select

from ..database.account_tables import ALBUM, Mark, Play
from ..database.summary_tables import AlbumPlay, AlbumSummary
from ..database.tables import IS_PRESENT, MAX_ID, Track
from ..database.units_of_work import Database
from ..library.albums import AlbumKeys
from ..library.catalogue import by_ids
from ..library.music_folders import MusicFolder, albums_in
from .marks import read_album_mark

PlayOrder = Literal["frequent", "recent"]
MarkOrder = Literal["starred", "highest"]


class Listening:
    """Tells what users listen to.

    Args:
        database: where their plays and marks are, and what a `Scanner` found.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def played_albums(
        self,
        user_id: int,
        order: PlayOrder,
        folder: MusicFolder | None = None,
        *,
        offset: int,
        limit: int,
    ) -> tuple[AlbumKeys, ...]:
        """Return a page of the albums that a user has played, the most or the latest first."""
        what = AlbumPlay.plays if order == "frequent" else AlbumPlay.last_played_at
        keys = AlbumPlay.artist_key, AlbumPlay.key
        query = select(*keys).where(AlbumPlay.user_id == user_id)
        in_folder = albums_in(folder)
        if in_folder:
            is_it = AlbumSummary.artist_key == keys[0], AlbumSummary.key == keys[1]
            query = query.join(AlbumSummary, and_(*is_it)).where(*in_folder)
        query = query.order_by(what.desc(), *keys).offset(min(offset, MAX_ID)).limit(limit)
        with self._database.read() as session:
            return tuple((row[0], row[1]) for row in session.execute(query))

    def marked_albums(self, user_id: int, order: MarkOrder) -> tuple[AlbumKeys, ...]:
        """Return the albums that a user has starred, the last first, or rated, the best first.

        Some of them may not be in the library any more.
        """
        what = Mark.starred_at if order == "starred" else Mark.rating
        query = select(Mark.key).where(
            Mark.user_id == user_id, Mark.kind == ALBUM, what.is_not(None)
        )
        with self._database.read() as session:
            keys = session.scalars(query.order_by(what.desc(), Mark.key)).all()
        return tuple(map(read_album_mark, keys))

    def top_tracks(self, user_id: int, artist_key: str, limit: int) -> tuple[Track, ...]:
        """Return the tracks of an artist that were played most: by the user, then by everybody."""
        own = func.sum(case((Play.user_id == user_id, Play.plays), else_=0))
        everybody = func.sum(Play.plays)
        query = (
            select(Track.id)
            .join_from(Track, Play, Play.path == Track.path)
            .where(IS_PRESENT, Track.problem.is_(None))
            .where(or_(Track.album_artist_key == artist_key, Track.artist_key == artist_key))
            .group_by(Track.id)
            .order_by(own.desc(), everybody.desc(), Track.id)
            .limit(limit)
        )
        with self._database.read() as session:
            return tuple(by_ids(session, session.scalars(query).all()))
