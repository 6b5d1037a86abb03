from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL, delete, func, insert, make_url, select
from sqlalchemy.exc import IntegrityError

from mixtape.database.tables import Mixtape, MixtapeTrack, Track
from mixtape.database.units_of_work import FILE_NAME, Database
from mixtape.errors import DatabaseError
from mixtape.mixtapes.drafts import Drafts
from tests.helpers.tracks import NOON, add_track
from tests.helpers.waiting import LIMIT_S


def count_tracks(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(Track)).one()


def test_what_was_written_is_there_when_the_database_is_opened_again(
    tmp_path: Path, database_url: str | None
) -> None:
    first = Database.open(tmp_path, database_url)
    add_track(first, b"a.flac", title="Kept")
    first.close()
    second = Database.open(tmp_path, database_url)
    with second.read() as session:
        assert session.scalars(select(Track.title)).all() == ["Kept"]
    second.close()


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert(MixtapeTrack).values(mixtape_id=99, position=0, path=b"x"))


def test_a_unit_of_work_that_raises_changes_nothing(database: Database) -> None:
    add_track(database, b"a.flac")

    def fail() -> None:
        with database.write() as session:
            session.execute(delete(Track))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert count_tracks(database) == 1


def test_moments_come_back_with_their_zone(database: Database) -> None:
    track_id = add_track(database, b"a.flac", added_at=NOON)
    with database.read() as session:
        track = session.get_one(Track, track_id)
    assert track.added_at == NOON


def test_a_reader_sees_the_state_before_a_write_that_is_not_done(database: Database) -> None:
    add_track(database, b"a.flac")
    with database.write() as writing:
        writing.execute(delete(Track))
        assert count_tracks(database) == 1
    assert count_tracks(database) == 0


def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    with database.read() as reading:
        count = select(func.count()).select_from(Track)
        assert reading.scalars(count).one() == 0
        add_track(database, b"a.flac")
        assert reading.scalars(count).one() == 0
    assert count_tracks(database) == 1


def test_a_write_inside_a_write_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / FILE_NAME))
    database = Database(url, busy_timeout_s=0.05)
    with database.write(), pytest.raises(DatabaseError, match="busy"), database.write():
        pass
    database.close()


def test_hundreds_of_threads_read_and_write_and_nothing_is_lost(
    tmp_path: Path, database_url: str | None
) -> None:
    file = URL.create("sqlite", database=str(tmp_path / FILE_NAME))
    url = make_url(database_url) if database_url is not None else file
    # Each waits for all before it, which on a slow machine is longer than a person would.
    database = Database(url, busy_timeout_s=LIMIT_S)
    threads, start = 200, threading.Barrier(200)

    def count_up(number: int) -> int:
        start.wait(LIMIT_S)
        add_track(database, b"%d.flac" % number)
        return count_tracks(database)

    with ThreadPoolExecutor(threads) as pool:
        seen = list(pool.map(count_up, range(threads)))
    assert max(seen) == threads
    assert count_tracks(database) == threads
    database.close()


def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(DatabaseError, match=r"mysql://.* is not the URL .* postgresql://"):
        Database(URL.create("mysql", host="127.0.0.1", database="mixtape"))


def test_the_planner_can_catch_up_while_others_write(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            pool.submit(add_track, database, b"%d.flac" % number)
        for done in [pool.submit(database.optimize) for _ in range(5)]:
            done.result(60)
    assert count_tracks(database) == 20


def test_deleting_a_mixtape_deletes_its_places(database: Database) -> None:
    moments = {"created_at": NOON, "updated_at": NOON}
    with database.write() as session:
        mixtape = Mixtape(slug="s", title="t", **moments)
        session.add(mixtape)
        session.flush()
        session.add(MixtapeTrack(mixtape_id=mixtape.id, position=0, path=b"a"))
    with database.write() as session:
        session.delete(session.scalars(select(Mixtape)).one())
    with database.read() as session:
        assert session.scalars(select(MixtapeTrack)).all() == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\0"])
def test_a_text_that_no_database_keeps_can_be_asked_for(database: Database, text: str) -> None:
    add_track(database, b"a.flac")
    # SQLite's driver does not take half an emoji either: no address or form brings one.
    with contextlib.suppress(UnicodeEncodeError), database.read() as session:
        assert session.scalars(select(Track).where(Track.title == text)).all() == []


def test_a_draft_may_hold_what_json_may_hold(database: Database) -> None:
    state = {"title": "a\0b\ud800", "é": [1.5, None, 2**70, {"deep": "😀"}]}
    drafts = Drafts(database)
    draft = drafts.begin()
    drafts.save(draft.key, state, revision=0)
    assert drafts.get(draft.key).state == state
