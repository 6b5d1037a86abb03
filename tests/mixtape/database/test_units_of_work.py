from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from mixtape.database import units_of_work
from mixtape.database.tables import Mixtape, MixtapeTrack, Track
from mixtape.database.units_of_work import FILE_NAME, Database, SchemaVersion
from mixtape.errors import DatabaseError
from tests.helpers.tracks import NOON, add_track


def url_of(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / FILE_NAME))


def version_of(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(SchemaVersion.version)).one()


def test_what_was_written_is_there_when_the_database_is_opened_again(tmp_path: Path) -> None:
    first = Database.open(tmp_path)
    add_track(first, b"a.flac", title="Kept")
    first.close()
    second = Database.open(tmp_path)
    with second.read() as session:
        assert session.scalars(select(Track.title)).all() == ["Kept"]
    second.close()


def test_the_file_is_readable_by_its_owner_alone(database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "data" / FILE_NAME).stat().st_mode) == 0o600


def test_the_journal_is_a_write_ahead_log_and_foreign_keys_hold(database: Database) -> None:
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert(MixtapeTrack).values(mixtape_id=99, position=0, path=b"x"))


def test_a_unit_of_work_that_raises_changes_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.execute(update(SchemaVersion).values(version=77))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert version_of(database) == 1


def test_moments_come_back_with_their_zone(database: Database) -> None:
    track_id = add_track(database, b"a.flac", added_at=NOON)
    with database.read() as session:
        track = session.get_one(Track, track_id)
    assert track.added_at == NOON


def test_a_reader_sees_the_state_before_a_write_that_is_not_done(database: Database) -> None:
    with database.write() as writing:
        writing.execute(update(SchemaVersion).values(version=50))
        assert version_of(database) == 1
    assert version_of(database) == 50


def test_a_write_inside_a_write_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    database = Database(url_of(tmp_path), busy_timeout_s=0.05)
    with database.write(), pytest.raises(DatabaseError, match="busy"), database.write():
        pass
    database.close()


def test_hundreds_of_threads_read_and_write_and_nothing_is_lost(database: Database) -> None:
    threads, start = 300, threading.Barrier(300)

    def count_up(number: int) -> int:
        start.wait(60)
        add_track(database, b"%d.flac" % number)
        with database.read() as session:
            return session.scalars(select(func.count()).select_from(Track)).one()

    with ThreadPoolExecutor(threads) as pool:
        seen = list(pool.map(count_up, range(threads)))
    assert max(seen) == threads
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(Track)).one() == threads


def test_whoever_opens_a_new_database_at_once_shares_it(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def open_together(_number: int) -> int:
        start.wait(60)
        database = Database.open(tmp_path)
        version = version_of(database)
        database.close()
        return version

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_together, range(8))) == [1] * 8


def test_a_new_database_that_somebody_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite's own timeout does not hold here: whoever asks is refused at once.
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(units_of_work.time, "sleep", lambda _s: other.execute("COMMIT"))
        database = Database.open(tmp_path)
    assert version_of(database) == 1
    database.close()


def test_a_database_that_stays_locked_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            Database(url_of(tmp_path), busy_timeout_s=0.05)


def add_colour(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE mixtape ADD COLUMN colour TEXT"))


def add_mood(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE mixtape ADD COLUMN mood TEXT"))


def break_off(connection: Connection) -> None:
    add_colour(connection)
    raise RuntimeError("migration failed")


def columns_of(folder: Path) -> set[str]:
    database = Database(url_of(folder), migrations=(add_colour, add_mood))
    with database.read() as session:
        names = {column["name"] for column in inspect(session.connection()).get_columns("mixtape")}
    database.close()
    return names


def test_an_older_database_takes_every_step_that_it_lacks_once(tmp_path: Path) -> None:
    Database(url_of(tmp_path)).close()
    second = Database(url_of(tmp_path), migrations=(add_colour,))
    assert version_of(second) == 2
    second.close()
    assert {"colour", "mood"} <= columns_of(tmp_path)
    assert {"colour", "mood"} <= columns_of(tmp_path)


def test_a_new_database_takes_no_step_at_all(tmp_path: Path) -> None:
    database = Database(url_of(tmp_path), migrations=(break_off,))
    assert version_of(database) == 2
    database.close()


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    Database(url_of(tmp_path)).close()
    with pytest.raises(RuntimeError, match="migration failed"):
        Database(url_of(tmp_path), migrations=(break_off,))
    again = Database(url_of(tmp_path), migrations=(add_colour,))
    assert version_of(again) == 2
    again.close()


def test_a_database_of_a_newer_mixtape_is_refused(tmp_path: Path) -> None:
    Database(url_of(tmp_path), migrations=(add_colour,)).close()
    with pytest.raises(
        DatabaseError, match="has version 2 and this mixtape knows versions up to 1"
    ):
        Database(url_of(tmp_path))


def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(DatabaseError, match="SQLite"):
        Database(URL.create("postgresql", host="127.0.0.1", database="mixtape"))


def test_the_planner_can_catch_up_while_others_write(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            pool.submit(add_track, database, b"%d.flac" % number)
        for done in [pool.submit(database.optimize) for _ in range(5)]:
            done.result(60)
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(Track)).one() == 20


def test_deleting_a_mixtape_deletes_its_places(database: Database) -> None:
    moments = {"created_at": NOON, "updated_at": NOON}
    with database.write() as session:
        mixtape = Mixtape(slug="s", title="t", share_key="k", **moments)
        session.add(mixtape)
        session.flush()
        session.add(MixtapeTrack(mixtape_id=mixtape.id, position=0, path=b"a"))
    with database.write() as session:
        session.delete(session.scalars(select(Mixtape)).one())
    with database.read() as session:
        assert session.scalars(select(MixtapeTrack)).all() == []
