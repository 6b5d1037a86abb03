"""Tracks, files and pictures for the tests of the library."""

from __future__ import annotations

import io
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import FLAC, Picture
from PIL import Image
from sqlalchemy import insert, select

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.files.tags import lead_artist, sort_key
from mixtape.library.scanner import Scanner
from tests.helpers.waiting import LIMIT_S

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


def scan(scanner: Scanner) -> None:
    """Let a scan run to its end, which it reaches without an error."""
    assert scanner.start()
    assert scanner.wait(LIMIT_S).error is None


def present(database: Database) -> dict[bytes, Track]:
    """Return the tracks that the library lists, by their paths."""
    with database.read() as session:
        there = select(Track).where(Track.missing_since.is_(None)).order_by(Track.path)
        return {track.path: track for track in session.scalars(there)}


def add_track(database: Database, path: bytes, **columns: Any) -> int:
    """Put a track into the library as a scan would, and return its id."""
    artist = columns.get("album_artist", columns.get("artist", ""))
    row: dict[str, Any] = {
        "path": path,
        "folder": path.rpartition(b"/")[0],
        "title": path.rpartition(b"/")[2].decode("utf-8", "replace"),
        "album_artist": artist,
        "album_artist_key": sort_key(artist),
        "artist_key": sort_key(lead_artist(columns.get("artist", ""))),
        "album_key": sort_key(columns.get("album", "")),
        "duration_s": 180.0,
        "codec": "flac",
        "lossless": True,
        "rate_hz": 44_100,
        "bits": 16,
        "channels": 2,
        "size_bytes": 20_000_000,
        "mtime_ns": 1,
        "added_at": NOON,
        **columns,
    }
    with database.write() as session:
        return session.scalars(insert(Track).values(row).returning(Track.id)).one()


def find_track(database: Database, path: bytes) -> Track | None:
    """Return the track at a path relative to the music root, None where there is none."""
    with database.read() as session:
        return session.scalars(select(Track).where(Track.path == path)).one_or_none()


def place(source: Path, path: Path, mtime_s: int | None = None, **tags: str | list[str]) -> Path:
    """Copy an audio file to a path and give it these tags instead of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    file = mutagen.File(path, easy=True)
    assert file is not None
    file.delete()
    for name, value in tags.items():
        file[name] = value
    file.save()
    if mtime_s is not None:
        os.utime(path, (mtime_s, mtime_s))
    return path


def make_picture(
    width: int = 300, height: int = 300, kind: str = "JPEG", colour: str = "teal", **options: Any
) -> bytes:
    """Return a picture of one colour as a file's content."""
    out = io.BytesIO()
    mode = "RGBA" if colour == "transparent" else "RGB"
    fill = (0, 0, 0, 0) if mode == "RGBA" else colour
    Image.new(mode, (width, height), fill).save(out, kind, **options)
    return out.getvalue()


def open_picture(content: bytes | Path) -> Image.Image:
    """Return a picture, decoded."""
    image = Image.open(content if isinstance(content, Path) else io.BytesIO(content))
    image.load()
    return image


def embed(path: Path, *pictures: tuple[int, bytes]) -> None:
    """Put pictures, each with its ID3 type, into a FLAC."""
    file = FLAC(path)  # type: ignore[no-untyped-call]
    file.clear_pictures()  # type: ignore[no-untyped-call]
    for kind, content in pictures:
        picture = Picture()  # type: ignore[no-untyped-call]
        picture.type, picture.mime, picture.data = kind, "image/jpeg", content
        file.add_picture(picture)  # type: ignore[no-untyped-call]
    file.save()
