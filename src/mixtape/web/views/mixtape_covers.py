"""Covers of mixtapes: the one that was chosen, else one made of the covers of the tracks."""

from __future__ import annotations

from typing import Final

from flask import url_for

from ...library.collages import CARD, MADE_SIZES_TEXT, collage_key
from ...library.covers import MIDDLE, SIZES
from ...mixtapes.values import MixtapeSummary, SavedMixtape
from ..urls import public_url

_BY_NAME: Final[dict[str, int | str]] = {**{str(size): size for size in SIZES}, CARD: CARD}
NO_SUCH_SIZE: Final = f"There is no such size: choose one of {MADE_SIZES_TEXT}."


def mixtape_cover_url(
    mixtape: SavedMixtape | MixtapeSummary, size: int | str = MIDDLE, *, is_absolute: bool = False
) -> str:
    """Return the address of the cover of a mixtape; "" where it has none.

    Args:
        mixtape: whose listeners can open the address too.
        size: one of `covers.SIZES` for a square that fits it, or `collages.CARD` for a picture of
            `collages.CARD_SIZE`, as previews of links want it.
        is_absolute: for others, as in a preview.
    """
    if not mixtape.cover_parts:
        return ""
    key = collage_key(mixtape.cover_parts)
    address = public_url if is_absolute else url_for
    return address("player.cover", slug=mixtape.slug, key=key, size=size)


def find_parts(mixtape: SavedMixtape, key: str) -> tuple[str, ...]:
    """Return what the cover with a key is made of; none where a mixtape has no such cover."""
    if mixtape.cover_parts and key == collage_key(mixtape.cover_parts):
        return mixtape.cover_parts
    return (key,) if key in mixtape.cover_keys else ()


def find_size(name: str | None) -> int | str | None:
    """Return the size that an address names, the middle one where it names none; None for none."""
    return MIDDLE if name is None else _BY_NAME.get(name)
