"""Ids that players keep: of tracks, albums, artists, folders, mixtapes and covers.

Those of albums, artists and folders are what the library knows them by, written in letters that
need no escaping, so that there is no table of ids: one stays good for as long as the thing is
called so, on every host and after every scan.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, get_args

from ...database.tables import MAX_ID
from ..views.as_json import decode_key, encode_key
from .errors import NOT_FOUND, SubsonicError

Kind = Literal["tr", "al", "ar", "fd", "pl", "cv"]
# The tracks of a page have few albums and artists.
_remembered: Final = lru_cache(maxsize=4096)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Id:
    """An id taken apart.

    Args:
        number: of a track or mixtape; 0 for other kinds.
        keys: of an album those of its artist and its own, of an artist or cover its own.
        path: of a folder.
    """

    kind: Kind
    number: int = 0
    keys: tuple[str, ...] = ()
    path: bytes = b""


def track_id(number: int) -> str:
    """Return the id of a track."""
    return f"tr-{number}"


def mixtape_id(number: int) -> str:
    """Return the id of a mixtape, which is a playlist to players."""
    return f"pl-{number}"


def cover_id(key: str | None) -> str | None:
    """Return the id of a cover by its key."""
    return key and f"cv-{key}"


@_remembered
def album_id(artist_key: str, album_key: str) -> str:
    """Return the id of an album."""
    return f"al-{encode_key(artist_key, album_key)}"


@_remembered
def artist_id(artist_key: str) -> str:
    """Return the id of an artist."""
    return f"ar-{encode_key(artist_key)}"


def folder_id(path: bytes) -> str:
    """Return the id of a folder; of the library itself for b""."""
    return f"fd-{base64.urlsafe_b64encode(path).decode().rstrip('=')}"


def read_id(text: str, *kinds: Kind) -> Id:
    """Take an id apart.

    Args:
        kinds: those that are good here; none for any.

    Raises:
        SubsonicError: 70, there is no such thing, or it is of another kind.
    """
    kind, _, rest = text.partition("-")
    found = _read(kind, rest) if kind in (kinds or KINDS) else None
    if found is None:
        raise SubsonicError(NOT_FOUND, f"There is nothing with the id “{text[:60]}”.")
    return found


def _read(kind: Kind, rest: str) -> Id | None:
    if not rest.isascii():
        return None
    if kind in {"tr", "pl"}:
        is_number = rest.isdecimal() and len(rest) < 20 and int(rest) <= MAX_ID
        return Id(kind, number=int(rest)) if is_number else None
    if kind == "cv":
        return Id(kind, keys=(rest,))
    if kind == "fd":
        try:
            return Id(kind, path=base64.b64decode(rest + "=" * (-len(rest) % 4), b"-_", True))
        except ValueError:
            return None
    keys = decode_key(rest, 2 if kind == "al" else 1)
    return None if keys is None else Id(kind, keys=keys)
