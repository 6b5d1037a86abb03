"""The quality levels and what each of them means to the encoder."""

from __future__ import annotations

import functools
from typing import Final, Literal, TypedDict, get_args

from .errors import QualityError

QualityLevel = Literal["high", "medium", "low", "original"]


class QualitySetting(TypedDict):
    """Bitrate as ffmpeg writes it (`192k` is 192,000 bit/s) and the container."""

    bitrate: str
    format: str


QUALITY_LEVELS: Final[tuple[QualityLevel, ...]] = get_args(QualityLevel)
QUALITY_SETTINGS: Final[dict[QualityLevel, QualitySetting]] = {
    "high": {"bitrate": "256k", "format": "mp3"},
    "medium": {"bitrate": "192k", "format": "mp3"},
    "low": {"bitrate": "128k", "format": "mp3"},
}


@functools.lru_cache(maxsize=64)
def parse_quality(text: str) -> QualityLevel:
    """Return the quality level that a text names, whatever its case.

    Raises:
        QualityError: the text names none; the message lists those that exist.
    """
    name = text.strip().lower()
    for level in QUALITY_LEVELS:
        if name == level:
            return level
    raise QualityError(f"unknown quality {text!r}: choose one of {', '.join(QUALITY_LEVELS)}")


@functools.cache
def bitrate_bps(quality: QualityLevel) -> int:
    """Return the bitrate of an encoded quality in bit/s.

    Raises:
        QualityError: "original" is not encoded and has no bitrate.
    """
    if quality not in QUALITY_SETTINGS:
        raise QualityError(f"quality {quality!r} has no bitrate: it is not encoded")
    return int(QUALITY_SETTINGS[quality]["bitrate"].removesuffix("k")) * 1000
