from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mixtape.errors import NotFoundError
from mixtape.library import collages as collages_module
from mixtape.library.collages import CARD, CARD_SIZE, Collages, collage_key
from mixtape.library.covers import Artwork
from tests.helpers.databases import open_database
from tests.helpers.tracks import make_picture, open_picture


@pytest.fixture
def artwork(tmp_path: Path, music: Path) -> Iterator[Artwork]:
    database = open_database(tmp_path / "data")
    yield Artwork(database, music, tmp_path / "data")
    database.close()


@pytest.fixture
def collages(artwork: Artwork) -> Collages:
    return Collages(artwork)


@pytest.fixture
def keys(artwork: Artwork) -> tuple[str, ...]:
    return tuple(
        artwork.add_upload(make_picture(400, 400, colour=colour))
        for colour in ("red", "lime", "blue", "white")
    )


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("size", [96, 320, 640])
def test_covers_become_one_of_each_size(
    collages: Collages, keys: tuple[str, ...], count: int, size: int
) -> None:
    assert open_picture(collages.get(keys[:count], size)).size == (size, size)


@pytest.mark.parametrize("count", [1, 4])
def test_a_card_has_the_size_that_previews_want(
    collages: Collages, keys: tuple[str, ...], count: int
) -> None:
    assert open_picture(collages.get(keys[:count], CARD)).size == CARD_SIZE


def test_a_single_cover_stays_as_it_is(
    collages: Collages, artwork: Artwork, keys: tuple[str, ...]
) -> None:
    assert collage_key(keys[:1]) == keys[0]
    assert collages.get(keys[:1], 320) == artwork.get_cover(keys[0], 320)


def test_a_collage_is_made_once_and_another_order_is_another(
    collages: Collages, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = collages.get(keys, 320)
    assert collages.get(keys[::-1], 320) != first
    monkeypatch.setattr(collages_module, "compose", None)
    assert collages.get(keys, 320) == first


def test_covers_that_cannot_be_shown_are_left_out(
    collages: Collages, artwork: Artwork, keys: tuple[str, ...]
) -> None:
    lost = "0" * 32
    assert collages.get((keys[0], lost), 320).read_bytes() == (
        artwork.get_cover(keys[0], 320).read_bytes()
    )
    with pytest.raises(NotFoundError, match="none of these covers"):
        collages.get((lost, "1" * 32), 320)


def test_another_size_is_refused(collages: Collages, keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="choose one of 96, 320, 640, card"):
        collages.get(keys, 97)
