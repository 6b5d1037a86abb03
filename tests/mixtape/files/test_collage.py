from __future__ import annotations

import pytest

from mixtape.errors import PictureError
from mixtape.files.collage import boxes
from mixtape.files.pictures import compose
from tests.helpers.tracks import make_picture, open_picture

COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def colours_at(picture: bytes, *places: tuple[int, int]) -> list[str]:
    """Return which colour is nearest to that of a picture at each of these places."""
    image = open_picture(picture).convert("RGB")

    def nearest(place: tuple[int, int]) -> str:
        pixel = image.getpixel(place)
        assert isinstance(pixel, tuple)
        return min(
            COLOURS,
            key=lambda name: sum(abs(a - b) for a, b in zip(pixel, COLOURS[name], strict=True)),
        )

    return [nearest(place) for place in places]


@pytest.mark.parametrize("edge", [96, 320, 535])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pictures_fill_the_square_but_for_a_line_between_them(edge: int, count: int) -> None:
    placed = boxes(count, edge)
    assert len(placed) == count
    covered = {
        (x, y)
        for left, top, right, bottom in placed
        for x in range(left, right)
        for y in range(top, bottom)
    }
    assert len(covered) == sum(
        (right - left) * (bottom - top) for left, top, right, bottom in placed
    )
    assert {(0, 0), (edge - 1, 0), (0, edge - 1), (edge - 1, edge - 1)} <= covered
    assert len(covered) >= edge * edge * 0.95


def test_four_pictures_stand_in_order() -> None:
    parts = [make_picture(90, 120, colour=colour) for colour in ("red", "lime", "blue", "white")]
    collage = compose(parts, (320, 320))
    assert open_picture(collage).size == (320, 320)
    corners = colours_at(collage, (20, 20), (300, 20), (20, 300), (300, 300))
    assert corners == ["red", "lime", "blue", "white"]


def test_of_three_pictures_the_first_has_a_half() -> None:
    parts = [make_picture(colour=colour) for colour in ("red", "lime", "blue")]
    collage = compose(parts, (96, 96))
    assert colours_at(collage, (20, 5), (20, 90), (80, 10), (80, 90)) == [
        "red",
        "red",
        "lime",
        "blue",
    ]


def test_a_card_shows_the_square_whole_on_a_darker_ground() -> None:
    card = compose([make_picture(640, 640, colour="white")], (1200, 630), is_card=True)
    image = open_picture(card).convert("L")
    assert image.size == (1200, 630)
    middle, ground = image.getpixel((600, 315)), image.getpixel((40, 315))
    assert isinstance(middle, int | float)
    assert isinstance(ground, int | float)
    assert middle > 250
    assert ground < 160


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(PictureError, match="cannot be put together"):
        compose([make_picture(), b"no picture"], (96, 96))
