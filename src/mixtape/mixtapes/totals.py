"""Totals of tracks: how long they play and what they weigh at each quality. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from audio_cache import QUALITY_LEVELS, QualityLevel, audio_size

from ..database.tables import Track

# Where a file does not say its rate, which only unreadable ones do not.
DEFAULT_RATE_HZ: Final = 44_100


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list of tracks comes to.

    Args:
        duration_s: of the tracks whose length is known.
        size_bytes: for each quality what a listener would be sent.
    """

    duration_s: float
    size_bytes: Mapping[QualityLevel, int]


def totals_of(tracks: Iterable[Track]) -> Totals:
    """Return length and sizes of some tracks together."""
    chosen = list(tracks)
    return Totals(
        duration_s=sum(track.duration_s or 0.0 for track in chosen),
        size_bytes={
            quality: sum(sent_size(track, quality) for track in chosen)
            for quality in QUALITY_LEVELS
        },
    )


def sent_size(track: Track, quality: QualityLevel) -> int:
    """Return the bytes that a listener is sent for a track at a quality.

    Lossy tracks are sent as they are, whatever the quality. A rendition's audio is exact to the
    byte; its ID3 tag, one or two kilobytes, is not counted.
    """
    if quality == "original" or not track.lossless or not track.duration_s:
        return track.size_bytes
    # duration_s is samples / rate, so this gives back the whole number that it was made from.
    rate_hz = track.rate_hz or DEFAULT_RATE_HZ
    return audio_size(round(track.duration_s * rate_hz), rate_hz, quality)
