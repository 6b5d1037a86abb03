from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mixtape.backups import archive as archive_module
from mixtape.backups.archive import Archive, Backup, TrackNote, write_archive
from mixtape.errors import BackupError

KEY = "0" * 32
NOTE = TrackNote(b"\xff.flac", "Title", "Artist", "Album", 3.5, 7)
BACKUP = Backup(
    made_at=datetime(2024, 5, 1, 12, tzinfo=UTC),
    made_by="mixtape 1",
    revision="0008",
    mixtapes=({"mixtape": [{"slug": "a"}], "mixtape_track": []},),
    tracks=(NOTE,),
)


def zipped(**parts: bytes | str) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


def contents(**changes: Any) -> str:
    """Return the JSON of a backup that holds nothing, but for some changes."""
    whole = {
        "format": "mixtape backup",
        "version": 1,
        "made_at": "2024-05-01T12:00:00+00:00",
        "made_by": "mixtape 1",
        "revision": "0008",
        "mixtapes": [],
        "tracks": [],
    }
    return json.dumps({**whole, **changes})


def test_what_was_written_is_read() -> None:
    file = io.BytesIO()
    write_archive(file, BACKUP, [(KEY, b"picture")])
    with Archive(file) as archive:
        assert archive.backup == BACKUP
        assert archive.cover_keys == {KEY}
        assert archive.read_cover(KEY) == b"picture"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (io.BytesIO(b""), "no ZIP file"),
        (io.BytesIO(b"GIF89a" * 99), "no ZIP file"),
        (zipped(**{"holiday.jpg": b"x"}), "there is no backup.json in it"),
        (zipped(**{"backup.json": "{}"}), "says nothing of mixtape"),
        (zipped(**{"backup.json": "[" * 100_000}), "is not JSON"),
        (zipped(**{"backup.json": b"\xff"}), "is not JSON"),
        (zipped(**{"backup.json": contents(version="1")}), "its version is '1'"),
        (zipped(**{"backup.json": contents(version=3)}), "a newer mixtape made this backup"),
        (zipped(**{"backup.json": contents(mixtapes=7)}), "not of the form"),
        (zipped(**{"backup.json": contents(mixtapes=[{}])}), "not of the form"),
        (zipped(**{"backup.json": contents(tracks=[{"path": 7}])}), "not of the form"),
        (zipped(**{"backup.json": contents(made_at=None)}), "not of the form"),
        (zipped(**{"backup.json": contents(), "../evil.jpg": b""}), "it holds '../evil.jpg'"),
        (zipped(**{"backup.json": contents(), "covers/x.jpg": b""}), "it holds 'covers/x.jpg'"),
    ],
)
def test_what_is_no_backup_is_refused_with_the_reason(file: io.BytesIO, message: str) -> None:
    with pytest.raises(BackupError, match=message):
        Archive(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        Archive(tmp_path / "none.zip")


@pytest.mark.parametrize("at", [0.02, 0.3, 0.5, 0.7, 0.98])
def test_a_damaged_backup_is_refused(at: float) -> None:
    file = io.BytesIO()
    write_archive(file, BACKUP, [(KEY, bytes(range(256)) * 8)])
    damaged = bytearray(file.getvalue())
    damaged[int(len(damaged) * at)] ^= 0xFF
    for content in (bytes(damaged), file.getvalue()[: int(len(damaged) * at)]):
        with pytest.raises(BackupError), Archive(io.BytesIO(content)) as archive:
            archive.read_cover(KEY)


@pytest.mark.parametrize("limit", ["MAX_CONTENTS_BYTES", "MAX_COVER_BYTES", "MAX_TOTAL_BYTES"])
def test_nothing_unpacks_to_more_than_its_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(archive_module, limit, 50_000)
    bomb = {
        "MAX_CONTENTS_BYTES": {"backup.json": contents() + " " * 100_000},
        "MAX_COVER_BYTES": {"backup.json": contents(), f"covers/{KEY}.jpg": bytes(100_000)},
        "MAX_TOTAL_BYTES": {"backup.json": contents(), f"covers/{KEY}.jpg": bytes(100_000)},
    }[limit]
    with (
        pytest.raises(BackupError, match=r"larger than|more than"),
        Archive(zipped(**bomb)) as file,
    ):
        file.read_cover(KEY)


def test_a_part_that_says_that_it_is_small_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive_module, "MAX_CONTENTS_BYTES", 50_000)
    whole = zipped(**{"backup.json": contents() + " " * 100_000}).getvalue()
    size = (100_000 + len(contents())).to_bytes(4, "little")
    assert whole.count(size) == 2
    lying = whole.replace(size, (1_000).to_bytes(4, "little"))
    with pytest.raises(BackupError):
        Archive(io.BytesIO(lying))


def test_no_more_covers_are_taken_than_anybody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_COVERS", 2)
    covers = {f"covers/{number:032x}.jpg": b"" for number in range(3)}
    with pytest.raises(BackupError, match="more than 2 covers"):
        Archive(zipped(**{"backup.json": contents()}, **covers))


def test_no_more_values_are_unpacked_than_memory_is_there_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive_module, "MAX_VALUES", 100)
    with Archive(zipped(**{"backup.json": contents()})) as archive:
        assert archive.backup.mixtapes == ()
    with pytest.raises(BackupError, match="more than 100 values"):
        Archive(zipped(**{"backup.json": contents(tracks=[[]] * 101)}))
