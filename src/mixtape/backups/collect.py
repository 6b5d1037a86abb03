"""What a backup is made of: all mixtapes, what tells their tracks, and the covers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from ..database.account_tables import User
from ..database.schema import NEWEST
from ..database.tables import FIRST_USER, Mixtape
from ..errors import NotFoundError
from ..library.covers import LARGE, Artwork
from .archive import Backup
from .people import read_notes
from .rows import (
    MIXTAPE,
    Row,
    Rows,
    backed_up_tables,
    decode_bytes,
    encode_row,
    identity_of,
    parents_of,
)


def collect(session: Session, now: datetime) -> Backup:
    """Return what is to be in a backup, within a unit of work."""
    mixtapes = tuple(read_mixtapes(session))
    paths = {path for rows in mixtapes for path in paths_in(rows)}
    notes = tuple(read_notes(session, paths))
    made_by = f"mixtape {_version()}"
    return Backup(now, made_by, NEWEST, mixtapes, notes, _read_owners(session))


def read_mixtapes(session: Session) -> Iterator[Rows]:
    """Yield the rows of each mixtape, by the names of their tables, the oldest first."""
    tables = backed_up_tables()
    by_mixtape: dict[int, Rows] = {}
    # Which mixtape the rows with an identity belong to, for those that refer to them.
    homes: dict[str, dict[int, int]] = {}
    for table in tables:
        homes[table.name] = home = {}
        identity = identity_of(table)
        for row in session.execute(select(table).order_by(*table.primary_key.columns)).mappings():
            mixtape_id = row["id"] if table is MIXTAPE else _home(table, dict(row), homes)
            if mixtape_id is None:
                continue
            if identity is not None:
                home[row[identity]] = mixtape_id
            rows = by_mixtape.setdefault(mixtape_id, {each.name: [] for each in tables})
            rows[table.name].append(encode_row(table, dict(row)))
    yield from by_mixtape.values()


def _read_owners(session: Session) -> dict[str, str]:
    query = select(Mixtape.slug, User.name).join(User, User.id == Mixtape.user_id)
    return dict(session.execute(query.where(User.id != FIRST_USER).order_by(Mixtape.id)).all())


def paths_in(rows: Rows) -> set[bytes]:
    """Return the paths of the tracks that rows of a mixtape name."""
    found: set[bytes] = set()
    for table in backed_up_tables():
        if "path" in table.columns and table.columns["path"].type.python_type is bytes:
            written = (row.get("path") for row in rows.get(table.name, ()))
            found.update(decode_bytes(path) for path in written if path is not None)
    return found


def collect_covers(artwork: Artwork, backup: Backup) -> Iterator[tuple[str, bytes]]:
    """Yield the covers: what was uploaded, and what mixtapes took from tracks.

    Those of tracks are as large as pages show them. A library that moved may know them no more.
    """
    uploads = artwork.upload_keys()
    for key in sorted(uploads):
        picture = artwork.find_upload(key)
        if picture is not None:
            yield key, picture
    for key in sorted(cover_keys_in(backup) - uploads):
        try:
            yield key, artwork.get_cover(key, LARGE).read_bytes()
        except (NotFoundError, OSError):
            continue


def cover_keys_in(backup: Backup) -> set[str]:
    """Return the covers that were chosen for mixtapes."""
    chosen = (rows[MIXTAPE.name][0].get("cover_key") for rows in backup.mixtapes)
    return {key for key in chosen if isinstance(key, str) and key}


def _home(table: Table, row: Row, homes: dict[str, dict[int, int]]) -> int | None:
    for column, parent in parents_of(table).items():
        known = homes.get(parent.name)
        if known is not None and row[column] in known:
            return known[row[column]]
    return None


def _version() -> str:
    try:
        return version("audio-cache")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "?"
