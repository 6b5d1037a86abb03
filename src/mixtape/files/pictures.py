"""Pictures as bytes: taken out of audio files, checked, made small; in sandboxes, by others."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import mutagen
from mutagen.flac import Picture
from mutagen.mp4 import MP4Cover

from ..errors import PictureError
from ..messages import Message
from .opening import Identity, opened_again
from .sandbox import SANDBOXES, SandboxError

MAX_BYTES: Final = 20 * 1000 * 1000
MIN_UPLOAD_EDGE: Final = 64
MAX_UPLOAD_BYTES: Final = 10 * 1000 * 1000
UPLOAD_EDGE: Final = 1280
UPLOAD_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_READ_FORMATS: Final = (*UPLOAD_FORMATS, "GIF", "BMP")
_FRONT_COVER: Final = 3
# A decoded picture takes up to 160 MB; hundreds of requests at once must not each have one.
_DECODING: Final = threading.BoundedSemaphore(2)
# Files that gave no picture, as they were then: to find that out may have taken long.
_BARE: Final[set[tuple[str, int, int, int]]] = set()
_MOST_BARE: Final = 10_000

logger = logging.getLogger(__name__)


def picture_key(picture: bytes) -> str:
    """Return the name of a picture that follows from its content: 32 hexadecimal digits."""
    return hashlib.blake2b(picture, digest_size=16).hexdigest()


def embedded_picture(file: mutagen.FileType) -> bytes | None:
    """Return the picture inside an opened audio file: the front cover, else the first one.

    FLAC and Vorbis comments, ID3 (APIC), MP4 (covr) and APEv2 ("Cover Art (Front)") are read.
    """
    found = [(kind, content) for kind, content in _pictures_in(file) if content]
    fronts = [content for kind, content in found if kind == _FRONT_COVER]
    chosen = fronts or [content for _kind, content in found]
    return chosen[0] if chosen and len(chosen[0]) <= MAX_BYTES else None


def read_picture(path: Path, known: Identity | None = None) -> bytes | None:
    """Return the picture inside an audio file; None where it has none or is damaged.

    A file that gave none is not tried again until it changes.

    Args:
        known: of the open file that the path has to stand for, if it has to.

    Raises:
        OSError: the file cannot be read, or is another than before, or no process can read it now.
    """
    picture = None
    status = path.stat()
    version = (os.fspath(path), status.st_ino, status.st_size, status.st_mtime_ns)
    try:
        if version not in _BARE:
            picture = SANDBOXES.ask("picture", {"path": os.fspath(path), "known": known})[1]
    except (SandboxError, ValueError) as error:
        logger.warning("the picture in %s is not shown: the file %s", ascii(str(path)), error)
    if not picture:
        if len(_BARE) >= _MOST_BARE:
            _BARE.clear()
        _BARE.add(version)
    return picture or None


def read_picture_here(path: Path, known: Identity | None = None) -> bytes | None:
    """Return what `read_picture` does, read by this process, which the file may harm.

    Raises:
        OSError: it cannot be opened, or is another one than before.
    """
    try:
        with opened_again(path, known) as opened:
            file = mutagen.File(opened)
        return None if file is None else embedded_picture(file)
    except (MemoryError, OSError):
        raise
    except Exception:
        # A damaged file makes its parser raise whatever it stumbles over.
        return None


def shrink(picture: bytes, edge: int) -> bytes:
    """Return a picture as a JPEG that fits a square of `edge` pixels, upright, without metadata.

    Nothing is enlarged; transparent parts become white.

    Raises:
        PictureError: it is too large, of another kind than we read, or damaged.
        OSError: no process can read it now.
    """
    return _encode(picture, edge, _READ_FORMATS, min_edge=1)


def compose(pictures: Sequence[bytes], size: tuple[int, int], *, is_card: bool = False) -> bytes:
    """Return a JPEG of one to four JPEGs; see `collage.compose`.

    Raises:
        PictureError: they are damaged.
        OSError: no process can read them now.
    """
    words = {"lengths": [len(each) for each in pictures], "size": size, "is_card": is_card}
    try:
        with _DECODING:
            return SANDBOXES.ask("compose", words, b"".join(pictures))[1]
    except SandboxError as error:
        raise PictureError(Message("one of the pictures %(reason)s", reason=error)) from error


def make_icon(cover: bytes, edge: int, *, is_maskable: bool) -> bytes:
    """Return a cover that we made as an app icon: a PNG of `edge` × `edge` pixels.

    Raises:
        PictureError: it is damaged.
        OSError: no process can make it now.
    """
    words = {"edge": edge, "is_maskable": is_maskable}
    try:
        with _DECODING:
            return SANDBOXES.ask("icon", words, cover)[1]
    except SandboxError as error:
        raise PictureError(Message("the cover %(reason)s", reason=error)) from error


def check_upload_size(size_bytes: int) -> None:
    """Raise PictureError for an upload of more bytes than are accepted."""
    if size_bytes > MAX_UPLOAD_BYTES:
        raise PictureError(
            Message(
                "the picture has %(size)s MB: choose one of up to %(most)s MB",
                size=round(size_bytes / 1e6, 1),
                most=MAX_UPLOAD_BYTES // 1_000_000,
            )
        )


def check_picture(picture: bytes) -> None:
    """Make sure that bytes are a JPEG that can be shown.

    Raises:
        PictureError: they are not.
        OSError: no process can read it now.
    """
    _encode(picture, 1, ("JPEG",), min_edge=1)


def accept_upload(picture: bytes) -> bytes:
    """Return an uploaded picture as we keep it, at most UPLOAD_EDGE wide and high.

    It is decoded and encoded again, so that no part of the uploaded file is ever served.

    Raises:
        PictureError: it is too large or small, no JPEG, PNG or WebP, or damaged.
    """
    check_upload_size(len(picture))
    try:
        return _encode(picture, UPLOAD_EDGE, UPLOAD_FORMATS, min_edge=MIN_UPLOAD_EDGE)
    except OSError as error:
        raise PictureError(
            Message("no picture can be read now: %(reason)s. Try again", reason=error.strerror)
        ) from error


def _encode(picture: bytes, edge: int, formats: tuple[str, ...], *, min_edge: int) -> bytes:
    if len(picture) > MAX_BYTES:
        raise PictureError(
            Message(
                "the picture has %(size)s MB, more than is read", size=round(len(picture) / 1e6, 1)
            )
        )
    words = {"edge": edge, "formats": formats, "min_edge": min_edge}
    try:
        with _DECODING:
            return SANDBOXES.ask("shrink", words, picture)[1]
    except SandboxError as error:
        raise PictureError(Message("the picture %(reason)s", reason=error)) from error


def _pictures_in(file: mutagen.FileType) -> Iterator[tuple[int, bytes]]:
    """Give the type (as ID3 numbers them) and content of every picture in a file."""
    for picture in getattr(file, "pictures", ()):
        yield picture.type, picture.data
    tags: Any = file.tags
    if tags is None:
        return
    if hasattr(tags, "getall"):  # ID3
        for frame in tags.getall("APIC"):
            yield int(frame.type), frame.data
        return
    # Vorbis comments are a list of pairs under a dictionary's face; keys() knows all kinds.
    for name in tags.keys():  # noqa: SIM118
        value, folded = tags[name], name.lower()
        if folded == "metadata_block_picture":
            yield from _vorbis_pictures(value)
        elif name == "covr":
            for cover in value:
                yield _FRONT_COVER, bytes(cover) if isinstance(cover, MP4Cover) else b""
        elif folded.startswith("cover art"):
            # APEv2: a file name, a zero byte, the picture.
            content = getattr(value, "value", b"")
            kind = _FRONT_COVER if "front" in folded else 0
            yield kind, content.partition(b"\0")[2] if isinstance(content, bytes) else b""


def _vorbis_pictures(blocks: list[str]) -> Iterator[tuple[int, bytes]]:
    for block in blocks:
        try:
            picture = Picture(base64.b64decode(block))  # type: ignore[no-untyped-call]
        except (mutagen.MutagenError, ValueError):
            continue
        yield picture.type, picture.data
