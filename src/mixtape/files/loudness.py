"""How loud a track and its album are, as their tags say: ReplayGain, and the R128 gain of Opus."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NAMES: Final = tuple(
    [f"replaygain_{of}_{what}" for of in ("track", "album") for what in ("gain", "peak")]
    + [f"r128_{of}_gain" for of in ("track", "album")]
)
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,6}(?:[.,][0-9]{1,12})?")
# RFC 7845, 5.2.1: in steps of 1/256 dB towards -23 LUFS, which is 5 dB below where ReplayGain 2.0
# has its reference (-18 LUFS).
_R128_STEPS: Final = 256
_R128_OFFSET_DB: Final = 5.0
# More is a mistake of whoever wrote the tag.
_MAX_GAIN_DB: Final = 64.0
_MAX_PEAK: Final = 64.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """How much louder a track has to be played to be as loud as others; None where no tag says.

    Args:
        track_gain_db, album_gain_db: towards the reference of ReplayGain 2.0.
        track_peak, album_peak: the largest sample, where 1 is full scale.
    """

    track_gain_db: float | None = None
    track_peak: float | None = None
    album_gain_db: float | None = None
    album_peak: float | None = None


def read_loudness(values: Mapping[str, Sequence[str]]) -> Loudness:
    """Return what tags say, by the names that audio_cache gives them."""
    return Loudness(
        track_gain_db=_gain_db(values, "track"),
        track_peak=_peak(values, "track"),
        album_gain_db=_gain_db(values, "album"),
        album_peak=_peak(values, "album"),
    )


def _gain_db(values: Mapping[str, Sequence[str]], of: str) -> float | None:
    gain = _number(values.get(f"replaygain_{of}_gain"))
    if gain is None:
        steps = _number(values.get(f"r128_{of}_gain"))
        gain = None if steps is None else steps / _R128_STEPS + _R128_OFFSET_DB
    return gain if gain is not None and abs(gain) <= _MAX_GAIN_DB else None


def _peak(values: Mapping[str, Sequence[str]], of: str) -> float | None:
    peak = _number(values.get(f"replaygain_{of}_peak"))
    return peak if peak is not None and 0 < peak <= _MAX_PEAK else None


def _number(texts: Sequence[str] | None) -> float | None:
    # "-6.54 dB", "-6,54", "+3"
    match = _NUMBER.match(texts[0].strip()) if texts else None
    number = float(match[0].replace(",", ".")) if match else math.nan
    return number if math.isfinite(number) else None
