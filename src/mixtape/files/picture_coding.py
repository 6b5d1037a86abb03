"""Pictures decoded and encoded again. It runs in a sandbox, as a picture may be made to harm."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import PictureError
from ..messages import Message

MAX_PIXELS: Final = 40_000_000
MAX_EDGE: Final = 12_000
# As people write them, where that is not how Pillow does.
_NAMES: Final = {"WEBP": "WebP"}


def encode(picture: bytes, edge: int, formats: tuple[str, ...], *, min_edge: int) -> bytes:
    """Return a picture as a JPEG that fits a square of `edge` pixels, upright, without metadata.

    Args:
        picture: of one of the formats.
        edge: nothing is enlarged to it.
        formats: as Pillow names them.
        min_edge: the least width and height that is accepted.

    Raises:
        PictureError: it is too large or small, of another format, or damaged.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=formats) as image:
            _check_dimensions(image.width, image.height, min_edge)
            # The JPEG decoder skips most of a picture that will be small anyway.
            image.draft("RGB", (edge, edge))
            upright = _opaque(ImageOps.exif_transpose(image))
            upright.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            upright.info.clear()  # a comment in it would be written again
            out = io.BytesIO()
            upright.save(out, "JPEG", quality=85, optimize=True, progressive=True)
            return out.getvalue()
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(Message("the picture takes too much memory to decode")) from error
    except Exception as error:
        # Damaged pictures raise whatever the decoder stumbles over: OSError, SyntaxError,
        # struct.error, ValueError, DecompressionBombError, ... None of it says what to do.
        if isinstance(error, UnidentifiedImageError):
            raise PictureError(_not_one_of(formats)) from error
        raise PictureError(Message("the picture is damaged: choose another one")) from error


def _check_dimensions(width: int, height: int, min_edge: int) -> None:
    """Judge by the header alone: a file of a few bytes may claim a picture of gigabytes."""
    if min(width, height) < min_edge:
        raise PictureError(
            Message(
                "the picture is %(width)s × %(height)s pixels: choose one of "
                "%(least)s × %(least)s or more",
                width=str(width),
                height=str(height),
                least=min_edge,
            )
        )
    if width * height > MAX_PIXELS or max(width, height) > MAX_EDGE:
        raise PictureError(
            Message(
                "the picture is %(width)s × %(height)s pixels: choose one of up to "
                "%(most)s megapixels, %(edge)s on the longer side",
                width=str(width),
                height=str(height),
                most=MAX_PIXELS // 1_000_000,
                edge=str(MAX_EDGE),
            )
        )


def _not_one_of(formats: tuple[str, ...]) -> Message:
    *some, last = (_NAMES.get(name, name) for name in formats)
    if not some:
        return Message("this is not a %(format)s picture: choose another one", format=last)
    return Message(
        "this is not a %(formats)s or %(last)s picture: choose another one",
        formats=", ".join(some),
        last=last,
    )


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper
