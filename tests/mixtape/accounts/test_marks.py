from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from mixtape.accounts.bookmarks import Bookmarks, SavedQueue, remaining_queue
from mixtape.accounts.marks import Liking, Marks, Subject, read_album_mark
from mixtape.accounts.plays import HeardTrack, Plays
from mixtape.database.account_tables import ALBUM, TRACK, User
from mixtape.database.moved_files import move_tracks
from mixtape.database.tables import FIRST_USER
from mixtape.database.units_of_work import Database
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import MixtapeState
from tests.helpers.tracks import NOON, Clock, add_track
from tests.helpers.waiting import together

ALBUM_OF_BOTH = Subject.album("singer", "album")


@pytest.fixture
def other(database: Database) -> int:
    """Return the id of another user."""
    user = User(name="Ann", name_key="ann", created_at=NOON)
    with database.write() as session:
        session.add(user)
        session.flush()
        return user.id


@contextmanager
def written() -> Iterator[list[str]]:
    """Collect the statements that are executed meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def marks(database: Database, clock: Clock) -> Marks:
    return Marks(database, clock)


@pytest.fixture
def plays(database: Database, clock: Clock) -> Plays:
    return Plays(database, clock)


@pytest.fixture
def bookmarks(database: Database, clock: Clock) -> Bookmarks:
    return Bookmarks(database, clock)


def test_however_many_are_starred_at_once_nobody_waits_for_that_to_write(marks: Marks) -> None:
    many = [Subject.track(b"%d.flac" % number) for number in range(2_000)]
    with written() as statements:
        marks.star(FIRST_USER, many)
        marks.star(FIRST_USER, many)
        assert len(marks.starred(FIRST_USER, TRACK)) == len(many)
        marks.unstar(FIRST_USER, many)
    assert len(statements) < 50
    assert marks.starred(FIRST_USER, TRACK) == []


def test_stars_and_ratings_are_kept_apart_and_by_user(
    marks: Marks, other: int, clock: Clock
) -> None:
    track = Subject.track(b"a.flac")
    marks.star(FIRST_USER, [track, track, ALBUM_OF_BOTH])
    marks.rate(FIRST_USER, track, 4)
    marks.rate(other, track, 2)
    first = clock()
    clock.advance(hours=1)
    marks.star(FIRST_USER, [track, Subject.track(b"b.flac")])
    said = marks.of_tracks(FIRST_USER, [b"a.flac", b"c.flac"])
    assert said == {b"a.flac": Liking(starred_at=first, rating=4)}
    assert marks.of_tracks(other, [b"a.flac"]) == {b"a.flac": Liking(rating=2)}
    assert marks.starred(FIRST_USER, TRACK) == [b"b.flac", b"a.flac"]
    [key] = marks.starred(FIRST_USER, ALBUM)
    assert read_album_mark(key) == ("singer", "album")
    marks.unstar(FIRST_USER, [track, ALBUM_OF_BOTH, Subject.artist("nobody")])
    assert marks.of_tracks(FIRST_USER, [b"a.flac"]) == {b"a.flac": Liking(rating=4)}
    assert marks.of_albums(FIRST_USER, [("singer", "album")]) == {}
    marks.rate(FIRST_USER, track, 0)
    assert marks.of_tracks(FIRST_USER, [b"a.flac"]) == {}


def test_plays_are_counted_by_user_and_one_that_is_told_twice_once(
    plays: Plays, marks: Marks, other: int, clock: Clock
) -> None:
    heard = HeardTrack(b"a.flac", NOON - timedelta(hours=2))
    assert plays.count(FIRST_USER, [heard, HeardTrack(b"b.flac", NOON)]) != []
    assert plays.count(FIRST_USER, [heard]) == []
    # A clock that is ahead says nothing of the future.
    [counted] = plays.count(FIRST_USER, [HeardTrack(b"a.flac", NOON + timedelta(days=1))])
    assert counted.begun_at == NOON
    plays.count(FIRST_USER, [HeardTrack(b"a.flac", NOON - timedelta(days=9))])
    plays.count(other, [heard])
    assert marks.of_tracks(FIRST_USER, [b"a.flac"]) == {
        b"a.flac": Liking(plays=3, last_played_at=NOON)
    }
    assert plays.most_played(FIRST_USER, 1) == [b"a.flac"]
    assert plays.most_played(other, 5) == [b"a.flac"]


def test_however_many_plays_are_told_at_once_nobody_waits_for_that_to_write(plays: Plays) -> None:
    # One after the other, of a few tracks again and again.
    told = [HeardTrack(b"%d.flac" % (at % 5), NOON - timedelta(days=at)) for at in range(1_000)]
    with written() as statements:
        assert plays.count(FIRST_USER, told) == told
    assert len(statements) < 50
    assert plays.count(FIRST_USER, told[:5]) == []


def test_of_many_plays_at_once_none_is_lost(plays: Plays, marks: Marks) -> None:
    def count(number: int) -> None:
        plays.count(FIRST_USER, [HeardTrack(b"a.flac", NOON - timedelta(seconds=number))])

    together(*(lambda number=number: count(number) for number in range(8)))
    assert marks.of_tracks(FIRST_USER, [b"a.flac"])[b"a.flac"].plays == 8


def test_a_track_has_one_bookmark_of_each_user(
    bookmarks: Bookmarks, marks: Marks, other: int, clock: Clock
) -> None:
    bookmarks.put(FIRST_USER, b"a.flac", 1_000, " first ")
    bookmarks.put(other, b"a.flac", 5_000, "")
    clock.advance(minutes=1)
    bookmarks.put(FIRST_USER, b"a.flac", 2_000, "later")
    [saved] = bookmarks.of(FIRST_USER)
    assert (saved.position_ms, saved.comment) == (2_000, "later")
    assert (saved.created_at, saved.changed_at) == (NOON, clock())
    assert marks.of_tracks(FIRST_USER, [b"a.flac"])[b"a.flac"].bookmark_ms == 2_000
    bookmarks.remove(FIRST_USER, b"a.flac")
    bookmarks.remove(FIRST_USER, b"a.flac")
    assert bookmarks.of(FIRST_USER) == []
    assert len(bookmarks.of(other)) == 1


def test_the_last_queue_is_kept_until_there_is_none(bookmarks: Bookmarks, other: int) -> None:
    assert bookmarks.find_queue(FIRST_USER) is None
    bookmarks.save_queue(FIRST_USER, [3, 1, 3], 2, 4_000, "App")
    bookmarks.save_queue(other, [9], 0, 0, "")
    bookmarks.save_queue(FIRST_USER, [1, 3], 1, 5_000, "App")
    assert bookmarks.find_queue(FIRST_USER) == SavedQueue((1, 3), 1, 5_000, "App", NOON)
    bookmarks.save_queue(FIRST_USER, [], 0, 0, "App")
    assert bookmarks.find_queue(FIRST_USER) is None
    assert bookmarks.find_queue(other) is not None


@pytest.mark.parametrize(
    ("place", "there", "left", "position_ms"),
    [
        (1, (1, 2, 3), ((1, 2, 3), 1), 9),
        (2, (2, 3), ((2, 3), 1), 9),
        (1, (1, 3), ((1, 3), 1), 0),
        (2, (1, 2), ((1, 2), 1), 0),
        (0, (), ((), 0), 0),
    ],
)
def test_a_queue_goes_on_without_what_is_gone(
    place: int, there: tuple[int, ...], left: tuple[tuple[int, ...], int], position_ms: int
) -> None:
    found = remaining_queue(SavedQueue((1, 2, 3), place, 9, "App", NOON), there)
    assert ((found.track_ids, found.place), found.position_ms) == (left, position_ms)


def test_all_that_names_a_track_follows_its_file(
    database: Database, marks: Marks, plays: Plays, bookmarks: Bookmarks, other: int
) -> None:
    track_id = add_track(database, b"old.flac")
    tape = Mixtapes(database).create(MixtapeState("Tape", track_ids=(track_id,)))
    for user_id in (FIRST_USER, other):
        marks.star(user_id, [Subject.track(b"old.flac"), Subject.artist("old.flac")])
        plays.count(user_id, [HeardTrack(b"old.flac", NOON), HeardTrack(b"same.flac", NOON)])
        bookmarks.put(user_id, b"old.flac", 7, "")
    # From a file that was under the new name before.
    plays.count(other, [HeardTrack(b"new.flac", NOON), HeardTrack(b"new.flac", NOON)])
    with database.write() as session:
        move_tracks(session, {b"old.flac": b"new.flac", b"gone.flac": b"other.flac"})
    for user_id in (FIRST_USER, other):
        assert marks.of_tracks(user_id, [b"old.flac"]) == {}
        [said] = marks.of_tracks(user_id, [b"new.flac"]).values()
        assert said == Liking(starred_at=NOON, plays=1, last_played_at=NOON, bookmark_ms=7)
        assert marks.of_artists(user_id, ["old.flac"]) != {}
        assert marks.of_tracks(user_id, [b"same.flac"])[b"same.flac"].plays == 1
    [item] = Mixtapes(database).get(tape.slug).items
    assert item.path == b"new.flac"
