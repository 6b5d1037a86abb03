"""The file of a backup: a ZIP with JSON and the covers as JPEG files.

backup.json             what is described in docs/backup.md
people/<number>.json    a user, with devices, stars, plays and the like
covers/<key>.jpg        a cover, named by the key that mixtapes know it by
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Table

from ..accounts.users import MAX_USERS
from ..errors import BackupError
from ..files.pictures import MAX_BYTES as MAX_COVER_BYTES
from ..messages import Message
from .rows import MIXTAPE, USER, Rows, decode_bytes, encode_value

FORMAT: Final = "mixtape backup"
# 1 knew nothing of people.
VERSION: Final = 2
CONTENTS: Final = "backup.json"
ABOUT: Final = (
    "All mixtapes and people of a mixtape server. The slugs in it open the mixtapes that are "
    "shared: keep it as private as their links."
)
MAX_CONTENTS_BYTES: Final = 64_000_000
# A row takes a hundred bytes and has a few; in Python each may take thirty times its own.
MAX_VALUES: Final = 4_000_000
MAX_COVERS: Final = 20_000
MAX_TOTAL_BYTES: Final = 2_000_000_000
_COVER: Final = re.compile(r"covers/([0-9a-f]{32})\.jpg")
_PERSON: Final = re.compile(r"people/[1-9][0-9]{0,3}\.json")
_DAMAGED: Final = Message("the backup is damaged: copy it again, or take another one")


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
class PersonPart:
    """What a backup holds of one user.

    Args:
        rows: by the names of their tables; one of them is the user's own.
        tracks: those that the rows name and the library knew.
    """

    rows: Rows
    tracks: tuple[TrackNote, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds, but for the people and the covers.

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


def write_archive(
    file: IO[bytes],
    backup: Backup,
    covers: Iterable[tuple[str, bytes]],
    people: Iterable[PersonPart] = (),
) -> None:
    """Write a backup.

    Args:
        covers: keys and JPEGs; taken one after the other.
        people: taken one after the other, before the covers.
    """
    contents = json.dumps(_as_json(backup), ensure_ascii=False, indent=1).encode()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(CONTENTS, contents, zipfile.ZIP_DEFLATED)
        for number, person in enumerate(people, 1):
            part = {"rows": person.rows, "tracks": _notes_as_json(person.tracks)}
            written = json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()
            archive.writestr(f"people/{number}.json", written, zipfile.ZIP_DEFLATED)
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
            raise _foreign(Message("it is no ZIP file, or a part of it is missing")) from error
        except OSError as error:
            raise BackupError(
                Message("the backup cannot be read: %(reason)s", reason=error.strerror or error)
            ) from error
        try:
            self._covers, self._people = _list_parts(self._zip.infolist())
            contents = self._read(self._zip.getinfo(CONTENTS), MAX_CONTENTS_BYTES)
            self.backup = _from_json(_parse(contents, CONTENTS))
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

    def people(self) -> Iterator[PersonPart]:
        """Yield the users that it holds, read one after the other. BackupError for damage."""
        for part in self._people:
            yield _person(_parse(self._read(part, MAX_CONTENTS_BYTES), part.filename))

    def _read(self, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
        try:
            # Not by what the file says of itself: that may unpack to any number of bytes.
            with self._zip.open(info) as part:
                content = part.read(most_bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise BackupError(_DAMAGED) from error
        except (OSError, NotImplementedError) as error:
            raise BackupError(
                Message("the backup cannot be read: %(reason)s", reason=error)
            ) from error
        if len(content) > most_bytes:
            raise BackupError(
                Message(
                    "%(name)s in it is larger than %(most)s MB",
                    name=info.filename,
                    most=most_bytes // 10**6,
                )
            )
        return content


def _list_parts(
    parts: list[zipfile.ZipInfo],
) -> tuple[dict[str, zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """Return the covers by their keys, and the people."""
    names = [part.filename for part in parts]
    if CONTENTS not in names:
        raise _foreign(Message("there is no %(contents)s in it", contents=CONTENTS))
    people = [part for part in parts if _PERSON.fullmatch(part.filename)]
    if len(people) > MAX_USERS:
        raise BackupError(Message("it holds more than %(most)s people", most=MAX_USERS))
    if len(names) - len(people) > MAX_COVERS + 1:
        raise BackupError(Message("it holds more than %(most)s covers", most=MAX_COVERS))
    if sum(part.file_size for part in parts) > MAX_TOTAL_BYTES:
        raise BackupError(
            Message("it would unpack to more than %(most)s GB", most=MAX_TOTAL_BYTES // 10**9)
        )
    covers = {}
    for part in parts:
        match = _COVER.fullmatch(part.filename)
        if match is not None and match[1] not in covers:
            covers[match[1]] = part
        elif part not in people and (part.filename != CONTENTS or names.count(CONTENTS) > 1):
            raise _foreign(Message("it holds %(name)s", name=ascii(part.filename[:80])))
    return covers, people


def _parse(contents: bytes, name: str) -> Any:
    if contents.count(b",") > MAX_VALUES:
        raise BackupError(
            Message(
                "its %(contents)s has more than %(most)s values", contents=name, most=MAX_VALUES
            )
        )
    try:
        return json.loads(contents)
    except (ValueError, RecursionError) as error:
        raise _foreign(Message("its %(contents)s is not JSON", contents=name)) from error


def _as_json(backup: Backup) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": ABOUT,
        "made_at": encode_value(backup.made_at),
        "made_by": backup.made_by,
        "revision": backup.revision,
        "mixtapes": backup.mixtapes,
        "tracks": _notes_as_json(backup.tracks),
        "owners": dict(backup.owners),
    }


def _notes_as_json(tracks: Iterable[TrackNote]) -> list[dict[str, Any]]:
    return [
        {name: encode_value(getattr(track, name)) for name in TrackNote.__slots__}
        for track in tracks
    ]


def _from_json(written: Any) -> Backup:
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise _foreign(Message("its %(contents)s says nothing of mixtape", contents=CONTENTS))
    version = written.get("version")
    if type(version) is not int or version < 1:
        raise _foreign(Message("its version is %(version)s", version=ascii(version)[:40]))
    if version > VERSION:
        raise BackupError(
            Message(
                "a newer mixtape made this backup (version %(version)s, here up to "
                "%(known)s): update mixtape, then restore it",
                version=version,
                known=VERSION,
            )
        )
    try:
        return Backup(
            made_at=datetime.fromisoformat(written["made_at"]),
            made_by=str(written["made_by"])[:100],
            revision=str(written["revision"])[:100],
            mixtapes=tuple(_rows(each, MIXTAPE) for each in written["mixtapes"]),
            tracks=tuple(_note(each) for each in written["tracks"]),
            # Those of before there were several users have none.
            owners={str(slug): str(name) for slug, name in written.get("owners", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(
            Message("its %(contents)s is not of the form that it should be", contents=CONTENTS)
        ) from error


def _person(written: Any) -> PersonPart:
    try:
        tracks = tuple(_note(each) for each in written["tracks"])
        return PersonPart(_rows(written["rows"], USER), tracks)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(
            Message("what it says of people is not of the form that it should be")
        ) from error


def _rows(written: Mapping[str, Any], whole: Table) -> Rows:
    """Return the rows of one mixtape or user, which has one in the table of the whole."""
    rows = {str(table): [dict(row) for row in rows] for table, rows in written.items()}
    if len(rows.get(whole.name, ())) != 1:
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


def _foreign(why: Message) -> BackupError:
    return BackupError(Message("this is no backup of mixtape: %(why)s", why=why))
