"""The file of a backup: a ZIP with one JSON and the covers as JPEG files.

backup.json             what is described in docs/backup.md
covers/<key>.jpg        a cover, named by the key that mixtapes know it by
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from ..errors import BackupError
from ..files.pictures import MAX_BYTES as MAX_COVER_BYTES
from .rows import Rows, decode_bytes, encode_value

FORMAT: Final = "mixtape backup"
VERSION: Final = 1
CONTENTS: Final = "backup.json"
ABOUT: Final = (
    "All mixtapes of a mixtape server. The slugs in it open the mixtapes that are shared: keep it "
    "as private as their links."
)
MAX_CONTENTS_BYTES: Final = 64_000_000
# A row takes a hundred bytes and has a few; in Python each may take thirty times its own.
MAX_VALUES: Final = 4_000_000
MAX_COVERS: Final = 20_000
MAX_TOTAL_BYTES: Final = 2_000_000_000
_COVER: Final = re.compile(r"covers/([0-9a-f]{32})\.jpg")
_FOREIGN: Final = "this is no backup of mixtape"
_DAMAGED: Final = "the backup is damaged: copy it again, or take another one"


@dataclass(frozen=True, slots=True)
class TrackNote:
    """What tells a track again in a library where it has another path."""

    path: bytes
    title: str
    artist: str
    album: str
    duration_s: float | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds, but for the covers.

    Args:
        mixtapes: the rows of each mixtape, by the names of their tables.
        tracks: those of the mixtapes that the library knew.
        revision: of the database that it was made from.
        owners: the names of those whose mixtapes they are, by the slugs; the others are the first
            user's.
    """

    made_at: datetime
    made_by: str
    revision: str
    mixtapes: tuple[Rows, ...]
    tracks: tuple[TrackNote, ...]
    owners: Mapping[str, str] = field(default_factory=dict)


def write_archive(file: IO[bytes], backup: Backup, covers: Iterable[tuple[str, bytes]]) -> None:
    """Write a backup.

    Args:
        covers: keys and JPEGs; taken one after the other.
    """
    contents = json.dumps(_as_json(backup), ensure_ascii=False, indent=1).encode()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(CONTENTS, contents, zipfile.ZIP_DEFLATED)
        for key, picture in covers:
            archive.writestr(f"covers/{key}.jpg", picture, zipfile.ZIP_STORED)


class Archive:
    """A file that says it is a backup, opened to be read.

    Args:
        file: of the backup; a path, or a file that can be read at any place.

    Attributes:
        backup: what it holds.

    Raises:
        BackupError: it is no backup, damaged, of a newer version, or larger than any backup.
    """

    def __init__(self, file: Path | IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BackupError(
                f"{_FOREIGN}: it is no ZIP file, or a part of it is missing"
            ) from error
        except OSError as error:
            raise BackupError(f"the backup cannot be read: {error.strerror or error}") from error
        try:
            self._covers = _list_covers(self._zip.infolist())
            contents = self._read(self._zip.getinfo(CONTENTS), MAX_CONTENTS_BYTES)
            self.backup = _from_json(_parse(contents))
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        """Return the archive, which is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def cover_keys(self) -> frozenset[str]:
        """Return the keys of the covers that it holds."""
        return frozenset(self._covers)

    def read_cover(self, key: str) -> bytes:
        """Return a cover. BackupError where it is damaged."""
        return self._read(self._covers[key], MAX_COVER_BYTES)

    def _read(self, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
        try:
            # Not by what the file says of itself: that may unpack to any number of bytes.
            with self._zip.open(info) as part:
                content = part.read(most_bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise BackupError(_DAMAGED) from error
        except (OSError, NotImplementedError) as error:
            raise BackupError(f"the backup cannot be read: {error}") from error
        if len(content) > most_bytes:
            raise BackupError(f"{info.filename} in it is larger than {most_bytes // 10**6} MB")
        return content


def _list_covers(parts: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    names = [part.filename for part in parts]
    if CONTENTS not in names:
        raise BackupError(f"{_FOREIGN}: there is no {CONTENTS} in it")
    if len(names) > MAX_COVERS + 1:
        raise BackupError(f"it holds more than {MAX_COVERS:,} covers")
    if sum(part.file_size for part in parts) > MAX_TOTAL_BYTES:
        raise BackupError(f"it would unpack to more than {MAX_TOTAL_BYTES // 10**9} GB")
    covers = {}
    for part in parts:
        match = _COVER.fullmatch(part.filename)
        if match is not None and match[1] not in covers:
            covers[match[1]] = part
        elif part.filename != CONTENTS or names.count(CONTENTS) > 1:
            raise BackupError(f"{_FOREIGN}: it holds {part.filename[:80]!a}")
    return covers


def _parse(contents: bytes) -> Any:
    if contents.count(b",") > MAX_VALUES:
        raise BackupError(f"its {CONTENTS} has more than {MAX_VALUES:,} values")
    try:
        return json.loads(contents)
    except (ValueError, RecursionError) as error:
        raise BackupError(f"{_FOREIGN}: its {CONTENTS} is not JSON") from error


def _as_json(backup: Backup) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": ABOUT,
        "made_at": encode_value(backup.made_at),
        "made_by": backup.made_by,
        "revision": backup.revision,
        "mixtapes": backup.mixtapes,
        "tracks": [
            {name: encode_value(getattr(track, name)) for name in TrackNote.__slots__}
            for track in backup.tracks
        ],
        "owners": dict(backup.owners),
    }


def _from_json(written: Any) -> Backup:
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise BackupError(f"{_FOREIGN}: its {CONTENTS} says nothing of mixtape")
    version = written.get("version")
    if type(version) is not int or version < 1:
        raise BackupError(f"{_FOREIGN}: its version is {ascii(version)[:40]}")
    if version > VERSION:
        raise BackupError(
            f"a newer mixtape made this backup (version {version}, here up to {VERSION}): update "
            "mixtape, then restore it"
        )
    try:
        return Backup(
            made_at=datetime.fromisoformat(written["made_at"]),
            made_by=str(written["made_by"])[:100],
            revision=str(written["revision"])[:100],
            mixtapes=tuple(_rows(each) for each in written["mixtapes"]),
            tracks=tuple(_note(each) for each in written["tracks"]),
            # Those of before there were several users have none.
            owners={str(slug): str(name) for slug, name in written.get("owners", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupError(
            f"{_FOREIGN}: its {CONTENTS} is not of the form that it should be"
        ) from error


def _rows(written: Mapping[str, Any]) -> Rows:
    rows = {str(table): [dict(row) for row in rows] for table, rows in written.items()}
    if len(rows.get("mixtape", ())) != 1:
        raise ValueError("each has one row of its own")
    return rows


def _note(written: Mapping[str, Any]) -> TrackNote:
    texts = [written[name] for name in ("title", "artist", "album")]
    numbers = [written.get("duration_s"), written.get("size_bytes")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("texts")
    if not all(number is None or type(number) in (int, float) for number in numbers):
        raise TypeError("numbers")
    return TrackNote(decode_bytes(written["path"]), *texts, *numbers)
