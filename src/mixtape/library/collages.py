"""Covers made of other covers: of the tracks of a mixtape, as a square or for a link preview."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import NotFoundError, PictureError
from ..files.pictures import compose
from ..messages import Message
from .covers import LARGE, MIDDLE, SIZES, SIZES_TEXT, Artwork

CARD: Final = "card"
CARD_SIZE: Final = (1200, 630)
MADE_SIZES_TEXT: Final = f"{SIZES_TEXT}, {CARD}"


def collage_key(keys: Sequence[str]) -> str:
    """Return the key of the cover that is made of some covers: of one alone, its own."""
    if len(keys) == 1:
        return keys[0]
    return hashlib.blake2b("\n".join(keys).encode("ascii"), digest_size=16).hexdigest()


class Collages:
    """Gives the covers that are made of others. They are kept as those are, beside them.

    Args:
        artwork: has the covers that they are made of.
    """

    def __init__(self, artwork: Artwork) -> None:
        self._artwork = artwork

    def get(self, keys: Sequence[str], size: int | str) -> Path:
        """Return a JPEG file of one to four covers as one.

        Of several, those that cannot be shown are left out.

        Args:
            keys: of the covers.
            size: one of `covers.SIZES` for a square, or `CARD`.

        Raises:
            NotFoundError: none of them can be shown.
            ValueError: there is no such size.
        """
        if size != CARD and size not in SIZES:
            raise ValueError(f"no covers of size {size}: choose one of {MADE_SIZES_TEXT}")
        # Alone a cover is shown as it is, and asked for in no other size than its own.
        is_alone = len(keys) == 1 and size != CARD
        found = tuple(keys) if is_alone else tuple(self._found(keys))
        if len(found) == 1 and isinstance(size, int):
            return self._artwork.get_cover(found[0], size)
        return self._artwork.keep_made(collage_key(found), size, lambda: self._make(found, size))

    def get_icon(self, keys: Sequence[str], name: str) -> Path:
        """Return a PNG file of one to four covers as an app icon.

        Args:
            keys: as for `get`.
            name: one of `covers.ICONS`.

        Raises:
            NotFoundError: none of them can be shown.
        """
        return self._artwork.get_icon(self.get(keys, LARGE), name)

    def _found(self, keys: Sequence[str]) -> list[str]:
        """Return the keys of those that can be shown."""
        found, failure = [], None
        for key in keys:
            try:
                self._artwork.get_cover(key, MIDDLE)
                found.append(key)
            except NotFoundError as error:
                failure = error
        if not found:
            raise NotFoundError(Message("none of these covers can be shown")) from failure
        return found

    def _make(self, keys: Sequence[str], size: int | str) -> bytes:
        part_size = LARGE if len(keys) == 1 else MIDDLE
        pictures = [self._artwork.get_cover(key, part_size).read_bytes() for key in keys]
        try:
            if isinstance(size, int):
                return compose(pictures, (size, size))
            return compose(pictures, CARD_SIZE, is_card=True)
        except (PictureError, OSError) as error:
            raise NotFoundError(
                Message("no cover can be made of these: %(reason)s", reason=error)
            ) from error
