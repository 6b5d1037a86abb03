"""Sizes of what listeners are sent. No I/O."""

from __future__ import annotations

from typing import Final

from audio_cache import BEST_QUALITY, QualityLevel, audio_size, is_encodable

from ..database.tables import Track

# Where a file does not say its rate, which only unreadable ones do not.
DEFAULT_RATE_HZ: Final = 44_100


def sent_size(track: Track, quality: QualityLevel) -> int:
    """Return the bytes that a listener is sent for a track at a quality.

    Lossy tracks are sent as they are, whatever the quality, and so are those whose length is not
    believed. A rendition's audio is exact to the byte; its ID3 tag, one or two kilobytes, is not
    counted. No track of a CUE sheet is sent as it is: its file is a whole album.
    """
    if quality == "original" and track.is_sheet_track:
        quality = BEST_QUALITY
    if quality == "original" or not track.lossless or not track.duration_s:
        return track.size_bytes
    # duration_s is samples / rate, so this gives back the whole number that it was made from.
    rate_hz = track.rate_hz or DEFAULT_RATE_HZ
    samples = round(track.duration_s * rate_hz)
    if not is_encodable(samples, rate_hz, track.size_bytes, quality):
        return track.size_bytes
    return audio_size(samples, rate_hz, quality)
