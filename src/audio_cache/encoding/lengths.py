"""Which lengths are encoded: those that an MP3 can have, and a source of its size can hold."""

from __future__ import annotations

from typing import Final

from ..errors import EncodeError
from ..quality import QualityLevel, bitrate_bps
from ..sources.source import Source
from ..text import bytes_in_words, seconds_in_words
from . import mp3
from .ffmpeg_options import name_of

# Up to so long a source may be as small as it likes. Beyond, digital silence takes some 130 bytes a
# second in FLAC as ffmpeg makes it, 27 in the emptiest FLAC of `flac` at 8 kHz, more elsewhere.
_ALWAYS_S: Final = 3600.0
_LEAST_BYTES_PER_S: Final = 16


def require_plausible(source: Source) -> None:
    """Raise EncodeError where a source states a length that no real file of its size has."""
    longest_s = max(_ALWAYS_S, source.size_bytes / _LEAST_BYTES_PER_S)
    if source.duration_s > longest_s:
        raise EncodeError(
            f"{name_of(source)} states a length of {seconds_in_words(source.duration_s)}, and of "
            f"its {bytes_in_words(source.size_bytes)} no more than {seconds_in_words(longest_s)} "
            "are believed: it is played as it is. If it is right, convert it to WAV"
        )


def require_encodable(source: Source, quality: QualityLevel) -> None:
    """Raise EncodeError where a source of known length is not encoded at a quality.

    Its length is not believed, or its MP3 is longer than the header of an MP3 can say.
    """
    require_plausible(source)
    samples = mp3.output_samples(source.samples or 0, source.rate_hz)
    bitrate = bitrate_bps(quality)
    size_bytes = mp3.audio_size(bitrate, samples)
    if size_bytes > mp3.MAX_AUDIO_BYTES:
        longest_s = mp3.MAX_AUDIO_BYTES * 8 / bitrate
        raise EncodeError(
            f"{name_of(source)} lasts {seconds_in_words(samples / mp3.SAMPLE_RATE_HZ)}, and an MP3 "
            f"of quality {quality} at most {seconds_in_words(longest_s)}: it is played as it is. "
            "Choose a lower quality, or split it"
        )
