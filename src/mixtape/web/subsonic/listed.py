"""Lists as players ask for them: how much of each, of which music folder, under which letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

from ...library.initials import label_of
from ...library.music_folders import MusicFolder
from .call import Call
from .errors import NOT_FOUND, SubsonicError

# As the API has it for lists of albums and songs; players that read everything ask for no more.
MOST: Final = 500
# What `files.tags.sort_key` takes from the front of a name.
IGNORED_ARTICLES: Final = "The"
T = TypeVar("T")


def page_of(
    call: Call, size: str = "count", offset: str = "offset", *, default: int = 10, most: int = MOST
) -> dict[str, int]:
    """Return which part of a list is asked for, as `offset` and `limit`."""
    arguments = call.arguments
    return {
        "offset": arguments.number(offset, 0),
        "limit": arguments.number(size, default, most=most),
    }


def folder_of(call: Call) -> MusicFolder | None:
    """Return the music folder that is asked for; None for all of them.

    Raises:
        SubsonicError: 70, there is no such folder.
    """
    # Some players write that they mean all of them.
    number = call.arguments.number("musicFolderId", -1, least=-1)
    if number == -1:
        return None
    for folder in call.services.music_folders:
        if folder.id == number:
            return folder
    raise SubsonicError(NOT_FOUND, f"There is no music folder {number}.")


def by_letter(
    items: Iterable[T], key: Callable[[T], str], fields: Callable[[Sequence[T]], list[Any]]
) -> list[dict[str, Any]]:
    """Return items under the letters that they begin with, in their order.

    Args:
        key: what an item is sorted by.
        fields: returns some of them as players get them.
    """
    listed = list(items)
    made = iter(fields(listed))
    return [
        {"name": letter, "artist": [next(made) for _ in some]}
        for letter, some in groupby(listed, key=lambda item: label_of(key(item)[:1]))
    ]
