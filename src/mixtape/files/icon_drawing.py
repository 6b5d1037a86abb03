"""App icons of covers: a square PNG of an exact size. It runs in a sandbox, as all decoding."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageFilter, ImageOps

from ..errors import PictureError
from ..messages import Message

# Systems cut icons to their own shape; what lies within four fifths of the width is never cut away
# (https://www.w3.org/TR/appmanifest/#icon-masks).
_SAFE_SHARE: Final = 0.8
_BLUR_SHARE: Final = 0.06


def draw(picture: bytes, edge: int, *, is_maskable: bool) -> bytes:
    """Return a cover as a PNG of `edge` × `edge` pixels, its middle where it is no square.

    Args:
        picture: a JPEG that we made.
        edge: in pixels; a smaller cover is enlarged to it.
        is_maskable: whether a system may cut off the margin, which is then a blurred copy.

    Raises:
        PictureError: it is damaged.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
            cover = image.convert("RGB")
        icon = ImageOps.fit(cover, (edge, edge), Image.Resampling.LANCZOS)
        if is_maskable:
            inner = round(edge * _SAFE_SHARE)
            small = icon.resize((inner, inner), Image.Resampling.LANCZOS)
            icon = icon.filter(ImageFilter.GaussianBlur(edge * _BLUR_SHARE))
            icon.paste(small, ((edge - inner) // 2, (edge - inner) // 2))
        out = io.BytesIO()
        icon.save(out, "PNG", optimize=True)
        return out.getvalue()
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(
            Message("no icon can be made of this cover: %(reason)s", reason=error)
        ) from error
