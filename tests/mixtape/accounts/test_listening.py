from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from mixtape.accounts.listening import Listening
from mixtape.accounts.marks import Liking, Marks, album_mark
from mixtape.database.account_tables import ALBUM, Mark, Play, User
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.library.music_folders import MusicFolder
from tests.helpers.tracks import NOON, add_track

OTHER = 2


def fill(database: Database) -> None:
    for path, album in ((b"x/1", "One"), (b"x/2", "One"), (b"y/3", "Two"), (b"y/4", "Never")):
        add_track(database, path, artist="Ann", album=album)
    plays = [
        *((FIRST_USER, b"x/1", 3, 1), (FIRST_USER, b"x/2", 3, 2), (FIRST_USER, b"y/3", 5, 9)),
        *((OTHER, b"x/2", 7, 3), (FIRST_USER, b"gone", 99, 99)),
    ]
    marks = [("two", 5, 1), ("one", 3, None), ("gone", 4, 2), ("never", None, 3)]
    with database.write() as session:
        session.add(User(id=OTHER, name="b", name_key="b", created_at=NOON))
        session.flush()
        for user_id, path, count, hour in plays:
            played_at = NOON + timedelta(hours=hour)
            values = {"plays": count, "last_played_at": played_at}
            session.execute(insert(Play).values(user_id=user_id, path=path, **values))
        for key, rating, hour in marks:
            starred_at = None if hour is None else NOON + timedelta(hours=hour)
            values = {"rating": rating, "starred_at": starred_at}
            mark = album_mark("ann", key)
            session.execute(insert(Mark).values(user_id=1, kind=ALBUM, key=mark, **values))


def test_albums_are_listed_by_what_a_user_has_heard_and_marked(database: Database) -> None:
    fill(database)
    listening = Listening(database)
    page = {"offset": 0, "limit": 9}
    one, two = ("ann", "one"), ("ann", "two")
    assert listening.played_albums(FIRST_USER, "frequent", **page) == (one, two)
    assert listening.played_albums(FIRST_USER, "recent", **page) == (two, one)
    assert listening.played_albums(FIRST_USER, "recent", offset=1, limit=9) == (one,)
    assert listening.played_albums(OTHER, "recent", **page) == (one,)
    folder = MusicFolder(1, "y", b"y")
    assert listening.played_albums(FIRST_USER, "frequent", folder, **page) == (two,)
    assert [key for _, key in listening.marked_albums(FIRST_USER, "highest")] == [
        *("two", "gone", "one")
    ]
    assert [key for _, key in listening.marked_albums(FIRST_USER, "starred")] == [
        *("never", "gone", "two")
    ]
    assert listening.marked_albums(OTHER, "starred") == ()


def test_of_albums_a_user_is_told_plays_stars_and_ratings_together(database: Database) -> None:
    fill(database)
    marks = Marks(database)
    keys = [("ann", name) for name in ("one", "two", "never", "unknown")]
    assert marks.of_albums(FIRST_USER, keys) == {
        ("ann", "one"): Liking(None, 3, 6, NOON + timedelta(hours=2)),
        ("ann", "two"): Liking(NOON + timedelta(hours=1), 5, 5, NOON + timedelta(hours=9)),
        ("ann", "never"): Liking(NOON + timedelta(hours=3)),
    }
    assert marks.of_albums(OTHER, keys) == {
        ("ann", "one"): Liking(plays=7, last_played_at=NOON + timedelta(hours=3))
    }
    assert marks.of_albums(FIRST_USER, []) == {}


def test_the_top_tracks_are_those_of_the_user_and_then_of_everybody(database: Database) -> None:
    fill(database)
    listening = Listening(database)
    mine = listening.top_tracks(FIRST_USER, "ann", 9)
    assert [track.path for track in mine] == [b"y/3", b"x/2", b"x/1"]
    assert [track.path for track in listening.top_tracks(OTHER, "ann", 9)] == [
        *(b"x/2", b"y/3", b"x/1")
    ]
    assert len(listening.top_tracks(OTHER, "ann", 1)) == 1
    assert listening.top_tracks(FIRST_USER, "nobody", 9) == ()
