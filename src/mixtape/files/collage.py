"""Pictures put together as one. It runs in a sandbox, as each of them was made by somebody else."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from ..errors import PictureError
from ..messages import Message

Box = tuple[int, int, int, int]
Size = tuple[int, int]
_GAP: Final = 160  # the edge by which the line between two pictures is one pixel wide
_CARD_MARGIN: Final = 0.08
_GROUND_BLUR: Final = 0.04
_GROUND_LIGHT: Final = 0.55
_SHADOW_LIGHT: Final = 110


def compose(pictures: bytes, lengths: Sequence[int], size: Size, *, is_card: bool) -> bytes:
    """Return a JPEG of one to four pictures.

    Args:
        pictures: JPEGs, one after the other.
        lengths: of each of them, in bytes.
        size: width and height in pixels of what comes out.
        is_card: shows the square of them whole on a blurred ground, instead of filling the size.

    Raises:
        PictureError: one of them is damaged.
    """
    try:
        parts = [_open(picture) for picture in _cut(pictures, lengths)]
        made = _card(parts, size) if is_card else _square(parts, size[0])
        out = io.BytesIO()
        made.save(out, "JPEG", quality=85, optimize=True, progressive=True)
        return out.getvalue()
    except MemoryError as error:
        raise PictureError(Message("the pictures take too much memory to decode")) from error
    except (OSError, SyntaxError, ValueError, ArithmeticError) as error:
        raise PictureError(
            Message("the pictures cannot be put together: %(reason)s", reason=error)
        ) from error


def boxes(count: int, edge: int) -> list[Box]:
    """Return where in a square each of one to four pictures goes: left, top, right, bottom.

    Two stand side by side; of three the first has a half, and the others a quarter each.
    """
    gap = max(1, edge // _GAP) if count > 1 else 0
    low, high = (edge - gap) // 2, edge - (edge - gap) // 2
    halves = [(0, 0, low, edge), (high, 0, edge, edge)]
    right = [(high, 0, edge, low), (high, high, edge, edge)]
    left = [(0, 0, low, low), (0, high, low, edge)]
    if count == 1:
        return [(0, 0, edge, edge)]
    if count == 2:
        return halves
    return [halves[0], *right] if count == 3 else [left[0], right[0], left[1], right[1]]


def _cut(pictures: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for length in lengths:
        yield pictures[at : at + length]
        at += length


def _open(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
        return image.convert("RGB")


def _square(parts: Sequence[Image.Image], edge: int) -> Image.Image:
    square = Image.new("RGB", (edge, edge), "white")
    for part, box in zip(parts, boxes(len(parts), edge), strict=True):
        fitted = ImageOps.fit(part, (box[2] - box[0], box[3] - box[1]), Image.Resampling.LANCZOS)
        square.paste(fitted, box)
    return square


def _card(parts: Sequence[Image.Image], size: Size) -> Image.Image:
    width, height = size
    margin = round(height * _CARD_MARGIN)
    square = _square(parts, height - 2 * margin)
    ground = ImageOps.fit(square, size, Image.Resampling.BICUBIC)
    ground = ground.filter(ImageFilter.GaussianBlur(height * _GROUND_BLUR))
    ground = ImageEnhance.Brightness(ground).enhance(_GROUND_LIGHT)
    left = (width - square.width) // 2
    shadow = Image.new("L", size, 255)
    shadow.paste(_SHADOW_LIGHT, (left, margin, left + square.width, margin + square.height))
    shadow = shadow.filter(ImageFilter.GaussianBlur(margin / 2))
    card = Image.composite(ground, Image.new("RGB", size, "black"), shadow)
    card.paste(square, (left, margin))
    return card
