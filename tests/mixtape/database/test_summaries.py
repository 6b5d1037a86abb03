"""The summaries of albums and artists follow whatever is written to tracks and plays."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, delete, insert, make_url, select, text, update
from sqlalchemy.orm import Session

from mixtape.database.account_tables import Play, User
from mixtape.database.summary_tables import AlbumPlay, StaleAlbum
from mixtape.database.tables import FIRST_USER, Track
from mixtape.database.units_of_work import FILE_NAME, Database
from mixtape.library.album_lists import AlbumLists
from mixtape.library.catalogue import Catalogue
from tests.helpers.summaries import check_summaries
from tests.helpers.tracks import NOON, add_track

OTHER = 2


def any_columns(rng: random.Random) -> dict[str, Any]:
    """Return what may be written of a track, often the same as of others."""
    artist, album_artist = rng.choice(["", "Ann", "Ben"]), rng.choice(["", "Ann", "Various"])
    album = rng.choice(["", "One", "Two"])
    return {
        "artist": artist,
        "artist_key": artist.lower(),
        "album": album.upper() if rng.random() < 0.2 else album,
        "album_key": album.lower(),
        "album_artist": album_artist,
        "album_artist_key": album_artist.lower(),
        "year": rng.choice([None, 1990, 2001]),
        "genre": rng.choice(["", "Rock", "rock, Pop", "Pop"]),
        "disc_no": rng.choice([None, 1, 2]),
        "disc_subtitle": rng.choice(["", "", "Late"]),
        "duration_s": rng.choice([None, 60.0, 0.5]),
        "cover_key": rng.choice([None, "a", "b"]),
        "added_at": NOON + timedelta(hours=rng.randrange(9)),
        "missing_since": rng.choice([None, None, None, NOON]),
    }


def any_step(database: Database, rng: random.Random, number: int) -> None:
    """Write something, as scans, players and music folders do, or two of it at once."""
    path = b"%d.flac" % rng.randrange(12)
    with database.write() as session:
        for _ in range(rng.randrange(1, 9)):
            match rng.randrange(7):
                case 0 | 1:
                    session.execute(delete(Track).where(Track.path == path))
                    row = {"path": path, "folder": b"", "title": "T", "size_bytes": 1}
                    row |= {"mtime_ns": 1, **any_columns(rng)}
                    session.execute(insert(Track).values(row))
                case 2:
                    changed = update(Track).where(Track.path == path)
                    session.execute(changed.values(**any_columns(rng)))
                case 3:
                    session.execute(delete(Track).where(Track.path == path))
                case 4:
                    moved = b"%d moved.flac" % number
                    session.execute(update(Track).where(Track.path == path).values(path=moved))
                case 5:
                    user_id = rng.choice([FIRST_USER, OTHER])
                    played_at = NOON + timedelta(minutes=number)
                    play = session.get(Play, (user_id, path))
                    if play is None:
                        play = Play(user_id=user_id, path=path, plays=0, last_played_at=played_at)
                        session.add(play)
                    play.plays += 1
                case 6:
                    less_of_a_play(session, rng, path, number)


def less_of_a_play(session: Session, rng: random.Random, path: bytes, number: int) -> None:
    """Take some of a play away, or all of it, or let it be of another track or another user."""
    chosen = Play.user_id == FIRST_USER, Play.path == path
    columns: list[dict[str, Any]] = [
        {"plays": 1},
        {"plays": Play.plays + 2, "last_played_at": NOON - timedelta(minutes=number)},
        {"path": b"%d moved.flac" % number},
    ]
    session.flush()
    session.expire_all()
    match rng.randrange(4):
        case 3:
            session.execute(delete(Play).where(*chosen))
        case place:
            session.execute(update(Play).where(*chosen).values(**columns[place]))


def test_whatever_is_written_the_summaries_are_right(database: Database) -> None:
    rng = random.Random(5)
    with database.write() as session:
        session.add(User(id=OTHER, name="b", name_key="b", created_at=NOON))
    for number in range(20):
        any_step(database, rng, number)
        check_summaries(database)
    with database.write() as session:
        session.execute(delete(User).where(User.id == OTHER))
    check_summaries(database)
    with database.read() as session:
        users = set(session.scalars(select(Play.user_id)))
    assert users == {FIRST_USER}


def test_a_play_is_added_to_those_of_its_album_which_is_not_summed_up_for_it(
    database: Database,
) -> None:
    add_track(database, b"a.flac", artist="Ann", album="One")
    add_track(database, b"b.flac", artist="Ann", album="One")
    add_track(database, b"gone.flac", artist="Ann", album="One", missing_since=NOON)
    later = NOON + timedelta(hours=1)

    def heard(path: bytes, begun_at: datetime) -> None:
        with database.write() as session:
            play = session.get(Play, (FIRST_USER, path))
            if play is None:
                play = Play(user_id=FIRST_USER, path=path, plays=0, last_played_at=begun_at)
                session.add(play)
            play.plays += 1
            play.last_played_at = max(play.last_played_at, begun_at)
            session.flush()
            assert session.scalars(select(StaleAlbum)).all() == []

    for path, begun_at in ((b"a.flac", later), (b"b.flac", NOON), (b"b.flac", NOON)):
        heard(path, begun_at)
        check_summaries(database)
    for path in (b"gone.flac", b"of no track.flac"):
        heard(path, later + timedelta(hours=1))
        check_summaries(database)
    with database.read() as session:
        [found] = session.execute(select(AlbumPlay.plays, AlbumPlay.last_played_at))
    assert tuple(found) == (3, later)


def test_what_is_taken_back_leaves_the_summaries_as_they_were(database: Database) -> None:
    add_track(database, b"a.flac", artist="Ann", album="One")
    try:
        with database.write() as session:
            session.execute(update(Track).values(album_key="two"))
            raise KeyError
    except KeyError:
        pass
    check_summaries(database)
    assert [album.key for album in Catalogue(database).albums().items] == ["one"]


def test_another_process_sees_tracks_and_summaries_change_together(
    database: Database, database_url: str | None, tmp_path: Path
) -> None:
    other = Database.open(tmp_path / "data", database_url)
    add_track(database, b"a.flac", artist="Ann", album="One")
    with other.read() as session:
        before = session.scalars(select(Track.id)).all()
        # Within one state of the database, whatever is written meanwhile.
        add_track(database, b"b.flac", artist="Ann", album="Two")
        assert session.scalars(select(Track.id)).all() == before
    assert len(AlbumLists(other).all("artist", offset=0, limit=9)) == 2
    add_track(other, b"c.flac", artist="Ben", album="Three")
    assert len(AlbumLists(database).all("artist", offset=0, limit=9)) == 3
    check_summaries(other)
    other.close()


def test_what_a_process_from_before_the_summaries_writes_is_summed_up_at_the_next_write(
    database: Database, database_url: str | None, tmp_path: Path
) -> None:
    add_track(database, b"a.flac", artist="Ann", album="One")
    url = make_url(database_url or f"sqlite:///{tmp_path}/data/{FILE_NAME}")
    older = create_engine(url.set(drivername="postgresql+psycopg") if database_url else url)
    with older.begin() as connection:
        connection.execute(text("UPDATE track SET album_key = 'two'"))
    with database.write():
        pass
    check_summaries(database)
    with older.begin() as connection:
        connection.execute(text("UPDATE track SET album_key = 'three'"))
    older.dispose()
    # Whoever starts does not wait for a write.
    Database.open(tmp_path / "data", database_url).close()
    check_summaries(database)
    assert [album.key for album in Catalogue(database).albums().items] == ["three"]
