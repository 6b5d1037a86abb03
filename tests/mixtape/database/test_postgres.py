from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text

from mixtape.database.postgres import TSVECTOR
from mixtape.database.search import SearchTerms
from mixtape.database.tables import Mixtape
from mixtape.database.units_of_work import Database
from mixtape.errors import DatabaseError
from mixtape.library.catalogue import Catalogue
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.tracks import NOON, add_track
from tests.helpers.waiting import together


def count_tracks(database: Database) -> int:
    return Catalogue(database).counts().tracks


def test_without_psycopg_the_command_that_brings_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseError, match=r"pip install 'audio-cache\[postgres\]'"):
        Database.open(tmp_path, "postgresql://localhost/mixtape")


def test_a_server_that_cannot_be_reached_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        Database.open(tmp_path, f"postgresql://me:s3cret@/mixtape?host={tmp_path}")
    said = str(caught.value)
    assert said.startswith("DATABASE_URL=postgresql://me:(hidden)@/mixtape?host=")
    assert "cannot be used: " in said
    assert "Start the server" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_is_not_utf8_is_refused_with_the_cure(
    postgres_server: PostgresServer, tmp_path: Path, encoding: str
) -> None:
    with (
        postgres_server.new_database(is_empty=True, encoding=encoding) as url,
        pytest.raises(DatabaseError, match=rf"encoding {encoding} .* createdb --encoding UTF8"),
    ):
        Database.open(tmp_path, url)


def test_hosts_that_share_a_database_write_one_after_the_other(postgres_url: str) -> None:
    hosts = [Database(make_url(postgres_url)) for _ in range(3)]

    def count_up(host: Database) -> None:
        for _ in range(20):
            with host.write() as session:
                # Two who counted at the same time would make two of the same slug.
                count = session.scalars(select(func.count()).select_from(Mixtape)).one()
                moments = {"created_at": NOON, "updated_at": NOON}
                session.add(Mixtape(slug=str(count), title="", **moments))

    together(*(lambda host=host: count_up(host) for host in hosts))
    with hosts[0].read() as session:
        assert session.scalars(select(func.count()).select_from(Mixtape)).one() == 60
    for host in hosts:
        host.close()


def test_a_host_that_writes_for_long_is_waited_for_and_then_told(postgres_url: str) -> None:
    patient, busy = Database(make_url(postgres_url)), Database(make_url(postgres_url))
    hasty = Database(make_url(postgres_url), busy_timeout_s=0.05)
    with busy.write() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseError, match=r"busy for 0\.05 s"):
            add_track(hasty, b"a.flac")
    add_track(hasty, b"a.flac")
    assert count_tracks(patient) == 1
    for database in (patient, busy, hasty):
        database.close()


def test_a_server_that_was_restarted_is_found_again(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = Database(make_url(postgres_url))
    add_track(database, b"a.flac")
    postgres_server.stop()
    postgres_server.start()
    assert count_tracks(database) == 1
    database.close()


def test_a_copy_by_pg_dump_is_complete_and_finds_what_is_searched(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = Database(make_url(postgres_url))
    add_track(database, b"\xff.flac", title="Jóga", artist="Björk")
    database.close()
    name = make_url(postgres_url).database or ""
    copy = postgres_server.call("pg_dump", "--format=custom", name)
    with postgres_server.new_database(is_empty=True) as url:
        there = make_url(url).database or ""
        postgres_server.call("pg_restore", "--exit-on-error", f"--dbname={there}", told=copy)
        restored = Database(make_url(url))
        assert [track.path for track in Catalogue(restored).search("joga").items] == [b"\xff.flac"]
        restored.close()


def test_a_search_can_be_answered_by_the_index(postgres_url: str) -> None:
    database = Database(make_url(postgres_url))
    explain = text(f"EXPLAIN {TSVECTOR.ids.text}")
    values = TSVECTOR.values_of(SearchTerms(("song", "AC/DC")))
    with database.read() as session:
        # A small table is read as a whole otherwise.
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(explain, values))
    database.close()
    assert "ix_track_search" in plan
    # Worked out once, and not for each row.
    assert "'song':* & 'ac' <-> 'dc':*" in plan.replace("''", "'")
