from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import OperationalError

from mixtape.database import sqlite
from mixtape.database.schema import is_newest
from mixtape.database.units_of_work import FILE_NAME, Database


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    Database.open(tmp_path).close()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_the_journal_is_a_write_ahead_log(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    database.close()


def test_a_new_database_that_somebody_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite's own timeout does not hold here: whoever asks is refused at once.
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite.time, "sleep", lambda _s: other.execute("COMMIT"))
        database = Database.open(tmp_path)
    with database.read() as session:
        assert is_newest(session.get_bind())
    database.close()


def test_a_database_that_stays_locked_is_told(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / FILE_NAME))
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            Database(url, busy_timeout_s=0.05)
