"""Comparison of an object with what its source gives when it is encoded again, byte for byte."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ..encoding.ffmpeg import FFmpegRun
from ..encoding.rendition import Rendition
from ..errors import AudioCacheError, EncodeInterruptedError
from ..quality import parse_quality
from .cache import AudioCache

_STRETCHES: Final = 3
_STRETCH_BYTES: Final = 1 << 16


def find_rendition(cache: AudioCache, object_id: str) -> Rendition | None:
    """Return the rendition that an object is, of a source as that is now.

    None where no source is known that would give the same bytes today: it is gone or has changed,
    or another build of the encoder, or another effort, has made them.

    Raises:
        EncodeInterruptedError: somebody interrupted it.
    """
    for path, quality in cache.facts.origins_of(object_id):
        try:
            rendition = cache.identify(path, parse_quality(quality))
        except EncodeInterruptedError:
            raise
        except (AudioCacheError, OSError):
            continue
        if rendition.id == object_id:
            return rendition
    return None


def find_deviation(
    path: Path,
    rendition: Rendition,
    *,
    whole: bool,
    on_start: Callable[[FFmpegRun], None] = lambda run: None,
    chance: random.Random | None = None,
) -> str | None:
    """Return where a file is not what its source gives now; None where it is that.

    Args:
        path: the file.
        rendition: what it should be.
        whole: compare all of it, and not only random stretches.
        on_start: is given each ffmpeg, for others to end it.
        chance: chooses the stretches.

    Raises:
        OSError: the file cannot be read.
        EncodeInterruptedError, EncodeError: as `Rendition.read`.
    """
    with open(path, "rb", buffering=0) as file:
        for start, stop in _stretches(rendition, whole, chance or random.Random()):
            at = start
            with contextlib.closing(rendition.read(start, stop, on_start=on_start)) as pieces:
                for made in pieces:
                    stored = os.pread(file.fileno(), len(made), at)
                    if stored != made:
                        byte = at + _first_difference(stored, made)
                        return f"byte {byte:,} is not what its source gives"
                    at += len(made)
    return None


def _stretches(
    rendition: Rendition, whole: bool, chance: random.Random
) -> Iterator[tuple[int, int]]:
    header = len(rendition.header)
    if whole or rendition.length - header <= _STRETCHES * _STRETCH_BYTES:
        yield 0, rendition.length
        return
    yield 0, header
    for _ in range(_STRETCHES):
        start = chance.randrange(header, rendition.length - _STRETCH_BYTES + 1)
        yield start, start + _STRETCH_BYTES


def _first_difference(stored: bytes, made: bytes) -> int:
    pairs = enumerate(zip(stored, made, strict=False))
    return next((at for at, (one, other) in pairs if one != other), len(stored))
