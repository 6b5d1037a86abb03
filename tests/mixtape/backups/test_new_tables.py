"""Tables that mixtape may have one day are in a backup without a word about them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from mixtape.backups.backups import Backups
from mixtape.backups.rows import MIXTAPE, backed_up_tables
from mixtape.database.tables import Base, Mixtape, UtcDateTime
from mixtape.database.units_of_work import Database
from mixtape.mixtapes.store import Mixtapes
from mixtape.mixtapes.values import SavedMixtape
from tests.helpers.tracks import NOON
from tests.mixtape.backups.conftest import MakeMixtape


@pytest.fixture
def tables(database: Database) -> Iterator[tuple[Table, Table]]:
    """Give a table of links to mixtapes, and one of who came by them."""
    link = Table(
        "link_to_test",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("mixtape_id", ForeignKey(MIXTAPE.c.id, ondelete="CASCADE"), nullable=False),
        Column("word", String, unique=True, nullable=False),
        Column("looks", JSON),
    )
    visit = Table(
        "visit_to_test",
        Base.metadata,
        Column("link_id", ForeignKey(link.c.id, ondelete="CASCADE"), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("path", LargeBinary),
    )
    with database.write() as session:
        Base.metadata.create_all(session.connection(), [link, visit])
    yield link, visit
    for table in (visit, link):
        Base.metadata.remove(table)


@pytest.fixture
def linked(
    database: Database, make_mixtape: MakeMixtape, tables: tuple[Table, Table]
) -> SavedMixtape:
    """Return a mixtape with a link that somebody came by; numbers are not what they will be."""
    link, visit = tables
    mixtape = make_mixtape("A tape", b"a.flac")
    with database.write() as session:
        mixtape_id = session.scalars(select(Mixtape.id)).one()
        row = {"id": 41, "mixtape_id": mixtape_id, "word": "spring", "looks": {"side": ["A"]}}
        session.execute(insert(link).values(row))
        session.execute(insert(visit).values(link_id=41, number=1, at=NOON, path=b"\xff"))
    return mixtape


def found(database: Database, tables: tuple[Table, Table]) -> list[tuple[object, ...]]:
    link, visit = tables
    columns = (link.c.word, link.c.looks, visit.c.number, visit.c.at, visit.c.path)
    joined = select(MIXTAPE.c.title, *columns).join(link, link.c.mixtape_id == MIXTAPE.c.id)
    joined = joined.join(visit, visit.c.link_id == link.c.id).order_by(MIXTAPE.c.title)
    with database.read() as session:
        return [tuple(row) for row in session.execute(joined)]


def written(backups: Backups) -> io.BytesIO:
    file = io.BytesIO()
    backups.write(file)
    return file


def test_what_belongs_to_a_mixtape_comes_back_with_it(
    backups: Backups, database: Database, linked: SavedMixtape, tables: tuple[Table, Table]
) -> None:
    assert set(tables) <= set(backed_up_tables())
    before = found(database, tables)
    assert before == [("A tape", "spring", {"side": ["A"]}, 1, NOON, b"\xff")]
    file = written(backups)
    assert backups.restore(file, "replace").restored.same == 1
    with database.write() as session:
        session.execute(delete(MIXTAPE))
    assert found(database, tables) == []
    backups.restore(file, "keep")
    assert found(database, tables) == before
    assert Mixtapes(database).get(linked.slug).title == "A tape"


def test_what_belongs_to_a_mixtape_is_replaced_with_it(
    backups: Backups, database: Database, linked: SavedMixtape, tables: tuple[Table, Table]
) -> None:
    link, visit = tables
    before, file = found(database, tables), written(backups)
    with database.write() as session:
        session.execute(update(link).values(word="autumn"))
        session.execute(update(visit).values(number=2))
    backups.restore(file, "replace")
    assert found(database, tables) == before


def test_of_a_copy_what_may_be_there_once_is_made_anew(
    backups: Backups, database: Database, linked: SavedMixtape, tables: tuple[Table, Table]
) -> None:
    link, _ = tables
    file = written(backups)
    with database.write() as session:
        session.execute(update(link).values(looks=None))
    backups.restore(file, "both")
    old, copy = found(database, tables)
    assert (old[1], old[2]) == ("spring", None)
    assert copy[1] != "spring"
    assert copy[2:] == ({"side": ["A"]}, 1, NOON, b"\xff")
