from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, func, insert, inspect, make_url, select, text, update
from sqlalchemy.orm import Session

from mixtape.accounts.marks import Marks
from mixtape.accounts.plays import HeardTrack, Plays
from mixtape.database.account_tables import Play
from mixtape.database.backend import Backend
from mixtape.database.postgres import open_postgres
from mixtape.database.schema import MIGRATIONS, NEWEST, upgrade
from mixtape.database.sqlite import open_sqlite
from mixtape.database.summaries import sum_up
from mixtape.database.tables import FIRST_USER, Base, Draft, Mixtape, MixtapeTrack, Track
from mixtape.database.units_of_work import FILE_NAME, Database
from mixtape.errors import DatabaseError
from mixtape.library.catalogue import Catalogue
from mixtape.mixtapes.drafts import Drafts
from mixtape.mixtapes.share_links import ShareLinks
from mixtape.mixtapes.store import Mixtapes
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.summaries import check_summaries
from tests.helpers.tracks import NOON, add_track

VERSION_1 = Path(__file__).with_name("version_1.sql")
# Beside the models stand the full-text index, one for PostgreSQL alone, and what a mixtape from
# before Alembic looks at.
BESIDE = {"schema_version", "search", "ix_track_search", "ix_track_in_order", "alembic_version"}
SINCE_SUMMARIES = ("v0010_added_plays", "v0011_tracks_in_order")
STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{name}", "{before}"

def upgrade():
    op.add_column("mixtape", sa.Column("{name}", sa.String))
    {more}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """Return the address of a database of each kind that has no tables."""
    if request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / FILE_NAME))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.new_database(is_empty=True) as address:
        yield make_url(address)


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Return a copy of the migrations, to which a test may add."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "100 % steps"))


def add_step(steps: Path, name: str, before: str, more: str = "") -> None:
    (steps / "versions" / f"{name}.py").write_text(
        STEP.format(name=name, before=before, more=more), "utf-8"
    )


def revision_of(database: Database) -> object:
    with database.read() as session:
        return session.scalar(text("SELECT version_num FROM alembic_version"))


@contextmanager
def opened(url: URL, migrations: Path = MIGRATIONS) -> Iterator[Database]:
    database = Database(url, migrations=migrations)
    try:
        yield database
    finally:
        database.close()


def older(url: URL, steps: Path, *unknown: str) -> Backend:
    """Return a new database as it was before some of the steps."""
    for name in unknown:
        (steps / "versions" / f"{name}.py").unlink()
    open_backend = open_sqlite if url.get_backend_name() == "sqlite" else open_postgres
    backend = open_backend(url, 20.0)
    upgrade(backend.migrators, steps)
    return backend


def columns_of(url: URL, steps: Path) -> set[str]:
    with opened(url, steps) as database, database.read() as session:
        return {column["name"] for column in inspect(session.connection()).get_columns("mixtape")}


@pytest.fixture
def before_alembic(tmp_path: Path) -> Path:
    """Return the folder of a database that mixtape made before it had Alembic."""
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(VERSION_1.read_text("utf-8"))
    return tmp_path


def statements_of(path: Path) -> dict[str, str]:
    """Return what made each table, index and trigger, without white space."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            name: "".join(said.split()).replace("DOUBLE", "FLOAT")
            for name, said in rows
            if name != "alembic_version"
        }


def test_the_newest_revision_is_that_of_the_migrations() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == NEWEST


def test_the_migrations_make_what_the_models_say(url: URL) -> None:
    def is_compared(_item: Any, name: str | None, *_rest: object) -> bool:
        return name not in BESIDE and not (name or "").startswith("track_search")

    with opened(url) as database, database.read() as session:
        options = {"include_object": is_compared, "compare_type": True}
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_a_new_database_is_as_one_from_before_alembic(before_alembic: Path) -> None:
    new = before_alembic / "new"
    Database.open(new).close()
    # What has come since is added to both.
    Database.open(before_alembic).close()
    assert statements_of(new / FILE_NAME) == statements_of(before_alembic / FILE_NAME)


def test_a_database_from_before_alembic_is_taken_over_with_all_that_it_holds(
    before_alembic: Path,
) -> None:
    database = Database.open(before_alembic)
    assert revision_of(database) == NEWEST
    (track,) = Catalogue(database).search("joga bjork").items
    assert (track.id, track.path, track.size_bytes) == (7, b"\xff/a.flac", 9_876_543_210)
    mixtape = Mixtapes(database).get("abcdefghijklmnopqrstuv")
    assert (mixtape.title, mixtape.revision, mixtape.shared) == ("A tape", 4, True)
    # Its one link of that time is the first one now, with the address and the key that it had.
    [link] = ShareLinks(database).of(mixtape.slug)
    assert (link.slug, link.share_key, link.is_usable) == (mixtape.slug, "key", True)
    assert (link.has_password, link.tells_progress, link.allows_embed) == (False, False, False)
    assert [item.track and item.track.id for item in mixtape.items] == [7]
    assert (mixtape.sender, mixtape.recipient) == ("", "")
    assert (mixtape.made_on, mixtape.side_b) == (None, None)
    assert mixtape.items[0].note == ""
    (draft,) = Drafts(database).unsaved()
    assert (draft.slug, draft.state) == (mixtape.slug, {"title": "Another"})
    with database.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Track, Mixtape, MixtapeTrack, Draft)
        ]
    assert counts == [1, 1, 1, 1]
    database.close()


def test_what_was_taken_over_goes_on_with_the_next_step_and_its_rows_stay(
    before_alembic: Path, steps: Path
) -> None:
    # A table that is made anew, as SQLite needs it for most changes, is deleted in between.
    anew = "with op.batch_alter_table('mixtape', recreate='always'): pass"
    add_step(steps, "colour", NEWEST, anew)
    url = URL.create("sqlite", database=str(before_alembic / FILE_NAME))
    with opened(url, steps) as database:
        assert revision_of(database) == "colour"
        (item,) = Mixtapes(database).get("abcdefghijklmnopqrstuv").items
        assert item.path == b"\xff/a.flac"
        with database.read() as session:
            # So an older mixtape, which looks there, refuses it.
            count = len(list(ScriptDirectory(str(steps)).walk_revisions()))
            assert session.scalar(text("SELECT version FROM schema_version")) == count


def test_an_older_database_takes_every_step_that_it_lacks_once(url: URL, steps: Path) -> None:
    with opened(url) as database:
        add_track(database, b"kept.flac")
    add_step(steps, "colour", NEWEST)
    with opened(url, steps) as database:
        assert revision_of(database) == "colour"
    add_step(steps, "mood", "colour")
    assert {"colour", "mood"} <= columns_of(url, steps)
    assert {"colour", "mood"} <= columns_of(url, steps)
    with opened(url, steps) as database:
        assert [track.path for track in Catalogue(database).folder().tracks] == [b"kept.flac"]


def test_a_library_from_before_the_summaries_is_summed_up_as_it_is_opened(
    url: URL, steps: Path
) -> None:
    backend = older(url, steps, "v0009_summaries", *SINCE_SUMMARIES)
    row = {"folder": b"", "title": "T", "size_bytes": 1, "mtime_ns": 1, "added_at": NOON}
    one = {"artist": "Ben", "artist_key": "ben", "album": "One", "album_key": "one"}
    rows = [
        {**row, **one, "path": b"1", "genre": "Rock", "missing_since": None},
        {**row, **one, "path": b"2", "genre": "Pop, Rock", "missing_since": None},
        {**row, **one, "path": b"3", "genre": "Gone", "missing_since": NOON},
    ]
    with backend.writers.begin() as connection:
        connection.execute(insert(Track), rows)
        heard = {"user_id": FIRST_USER, "path": b"2", "plays": 3, "last_played_at": NOON}
        connection.execute(insert(Play).values(heard))
    backend.readers.dispose()
    with opened(url) as database:
        check_summaries(database)
        [album] = Catalogue(database).albums().items
        assert (album.tracks, album.genres) == (2, ("Rock", "Pop"))


def test_plays_go_on_from_those_that_their_albums_had_before(url: URL, steps: Path) -> None:
    backend = older(url, steps, *SINCE_SUMMARIES)
    row = {"folder": b"", "title": "T", "size_bytes": 1, "mtime_ns": 1, "added_at": NOON}
    heard = {"user_id": FIRST_USER, "path": b"1", "plays": 3, "last_played_at": NOON}
    for is_summed_up in (True, False):
        with Session(backend.writers) as session, session.begin():
            if is_summed_up:
                session.execute(insert(Track).values(**row, path=b"1", album_key="one"))
                session.execute(insert(Play).values(heard))
                sum_up(session, backend.pairs)
            else:
                session.execute(update(Play).values(plays=5))
    backend.readers.dispose()
    with opened(url) as database:
        check_summaries(database)
        Plays(database).count(FIRST_USER, [HeardTrack(b"1", NOON + timedelta(hours=1))])
        check_summaries(database)
        [of_album] = Marks(database).of_albums(FIRST_USER, [("", "one")]).values()
        assert of_album.plays == 6


def test_a_step_that_fails_leaves_the_database_as_it_was(url: URL, steps: Path) -> None:
    with opened(url):
        pass
    add_step(steps, "colour", NEWEST, "raise RuntimeError('migration failed')")
    with pytest.raises(RuntimeError, match="migration failed"):
        Database(url, migrations=steps)
    add_step(steps, "colour", NEWEST)
    with opened(url, steps) as database:
        assert revision_of(database) == "colour"


def test_a_database_of_a_newer_mixtape_is_refused(url: URL, steps: Path) -> None:
    add_step(steps, "colour", NEWEST)
    with opened(url, steps):
        pass
    with pytest.raises(
        DatabaseError, match=f"revision colour and this mixtape knows revisions up to {NEWEST}"
    ):
        Database(url)


def test_a_step_that_would_break_a_reference_is_taken_back(
    before_alembic: Path, steps: Path
) -> None:
    add_step(steps, "colour", NEWEST, "op.execute('DELETE FROM mixtape')")
    url = URL.create("sqlite", database=str(before_alembic / FILE_NAME))
    with pytest.raises(DatabaseError, match="refer to rows that are not there"):
        Database(url, migrations=steps)
    with opened(url) as database:
        assert len(Mixtapes(database).summaries()) == 1


def test_whoever_opens_a_new_database_at_once_shares_it(url: URL) -> None:
    def open_together(_number: int) -> object:
        with opened(url) as database:
            return revision_of(database)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_together, range(8))) == [NEWEST] * 8


def test_alembic_is_loaded_only_where_the_database_is_behind(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from mixtape.database.units_of_work import Database\n"
        "Database.open(Path(sys.argv[1]))\n"
        "print('alembic' in sys.modules, 'psycopg' in sys.modules)"
    )
    command = (sys.executable, "-c", program, str(tmp_path))
    said = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [each.stdout for each in said] == ["True False\n", "False False\n"]
