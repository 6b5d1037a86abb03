"""The loudness lines of tracks whose renditions are stored."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from ..encoding.loudness import loudness_line
from ..encoding.rendition import RENDITION_ID
from ..quality import QUALITY_SETTINGS, bitrate_bps
from .cache import AudioCache
from .lookups import Found


@dataclass(frozen=True, slots=True)
class LoudnessLine:
    """How loud a track is from its beginning to its end.

    Args:
        levels: a byte for each of some equally long parts, 255 for the loudest.
        etag: changes with the audio that it was read from.
    """

    levels: bytes
    etag: str


def find_loudness(cache: AudioCache, original_path: Path) -> LoudnessLine | None:
    """Return the loudness line of a track, read from its smallest stored rendition.

    Nothing is encoded or decoded: what is read is the side information of MP3 frames (ISO/IEC
    11172-3). It takes about 20 ms.

    Args:
        cache: that has the rendition.
        original_path: of the track.

    Returns:
        None where no rendition of ours is stored.

    Raises:
        OSError: the track or its rendition cannot be looked at.
    """
    for quality in sorted(QUALITY_SETTINGS, key=bitrate_bps):
        found = cache.find(original_path, quality)
        if not isinstance(found, Found) or not RENDITION_ID.fullmatch(found.etag):
            continue
        with open(found.path, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                levels = loudness_line(content, bitrate_bps(quality))  # type: ignore[arg-type]
        if levels is not None:
            return LoudnessLine(levels, f"{found.etag}-line")
    return None
