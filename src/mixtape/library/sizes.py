"""Sizes of what listeners are sent. No I/O."""

from __future__ import annotations

from typing import Final

from audio_cache import QualityLevel, audio_size

from ..database.tables import Track

# Where a file does not say its rate, which only unreadable ones do not.
DEFAULT_RATE_HZ: Final = 44_100


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
