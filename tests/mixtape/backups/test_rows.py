from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mixtape.backups.rows import (
    LEFT_OUT_COLUMNS,
    LEFT_OUT_TABLES,
    LINK,
    MIXTAPE,
    backed_up_tables,
    decode_bytes,
    decode_row,
    encode_row,
    encode_value,
    unknown_columns,
    user_tables,
)
from mixtape.database.tables import Base, Mixtape, MixtapeTrack
from mixtape.errors import BackupError

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ROW = {
    "id": 1,
    "slug": "a" * 22,
    "title": "Été",
    "notes": "",
    "cover_key": None,
    "revision": 3,
    "made_on": "2024-05-02",
    "side_b": 4,
    "created_at": "2024-05-01T12:00:00+00:00",
    "updated_at": "2024-05-01T12:00:00+00:00",
}


def test_every_column_of_every_table_is_in_a_backup_or_left_out_with_a_reason() -> None:
    tables = *backed_up_tables(), *user_tables()
    assert {table.name for table in tables} | set(LEFT_OUT_TABLES) == set(Base.metadata.tables)
    assert {Mixtape.__table__, MixtapeTrack.__table__} <= set(tables)
    for table in tables:
        row = {column.name: None for column in table.columns}
        left_out = {f"{table.name}.{name}" for name in row.keys() - encode_row(table, row).keys()}
        assert left_out <= set(LEFT_OUT_COLUMNS)
    columns = {f"{table.name}.{name}" for table in tables for name in table.columns.keys()}  # noqa: SIM118
    assert set(LEFT_OUT_COLUMNS) <= columns
    assert all([*LEFT_OUT_COLUMNS.values(), *LEFT_OUT_TABLES.values()])


def test_a_mixtape_comes_before_all_that_belongs_to_it() -> None:
    assert backed_up_tables()[0] is MIXTAPE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"a/b.flac", "a/b.flac"),
        ("café.flac".encode(), "café.flac"),
        (b"\xff.flac", {"base64": "/y5mbGFj"}),
        (NOON.astimezone(timezone(timedelta(hours=5))), "2024-05-01T12:00:00+00:00"),
        ({"any": [1]}, {"any": [1]}),
        (None, None),
    ],
)
def test_a_value_is_written_as_people_can_read_it(value: object, written: object) -> None:
    assert encode_value(value) == written
    if isinstance(value, bytes):
        assert decode_bytes(written) == value


def test_a_row_comes_back_as_it_was() -> None:
    decoded = decode_row(MIXTAPE, ROW)
    assert decoded == {**ROW, "created_at": NOON, "updated_at": NOON, "made_on": date(2024, 5, 2)}
    assert encode_row(MIXTAPE, decoded) == ROW


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("title", 7),
        ("title", None),
        ("revision", "7"),
        ("revision", True),
        ("revision", 2**70),
        ("made_on", "noon"),
        ("made_on", 7),
        ("side_b", True),
        ("created_at", "noon"),
        ("created_at", 7),
        ("created_at", "9999-12-31T23:59:59+00:00"),
        ("created_at", "0001-01-01T00:00:00+00:00"),
        ("cover_key", ["a"]),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_name_of_its_column(
    column: str, value: object
) -> None:
    with pytest.raises(BackupError, match=column):
        decode_row(MIXTAPE, {**ROW, column: value})


def test_yes_and_no_are_no_numbers() -> None:
    link = {"id": 1, "mixtape_id": 1, "slug": "a" * 22, "created_at": "2024-05-01T12:00:00+00:00"}
    assert decode_row(LINK, {**link, "is_open": True})["is_open"] is True
    with pytest.raises(BackupError, match="is_open"):
        decode_row(LINK, {**link, "is_open": 1})


def test_what_an_older_backup_does_not_have_takes_its_default_or_is_refused() -> None:
    older = {name: value for name, value in ROW.items() if name != "notes"}
    assert "notes" not in decode_row(MIXTAPE, older)
    with pytest.raises(BackupError, match="has no 'title'"):
        decode_row(MIXTAPE, {name: value for name, value in ROW.items() if name != "title"})


def test_what_a_newer_mixtape_wrote_is_named() -> None:
    newer = {"mixtape": [{**ROW, "mood": "calm"}], "sticker": [{"at": 1}]}
    assert unknown_columns(newer, backed_up_tables()) == {"mixtape.mood", "sticker"}
    assert "mood" not in decode_row(MIXTAPE, newer["mixtape"][0])


@pytest.mark.parametrize("written", [7, None, {"base64": "!"}, {"base64": 7}, {"hex": "00"}, []])
def test_bytes_that_are_written_in_no_way_that_we_know_are_refused(written: object) -> None:
    with pytest.raises(BackupError, match="name of a file"):
        decode_bytes(written)
