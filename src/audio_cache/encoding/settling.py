"""From which frame on an encoder that began late gives the bytes of one that began with the track.

LAME remembers how loud it was. Behind what is loud its threshold of hearing comes down by 7.5 % a
frame at most, to 1/1600 of itself, which takes 95 frames, and until then an encoder that began
later gives other bytes (adjust_ATH in encoder.c of LAME 3.100). In most music it forgets far
sooner: two loud frames, or one that is as loud as all that it may remember, and how loud it was
before no longer counts. Whether it did is seen in the samples that it was given, so an encoder that
began shortly before what is wanted is asked for those as well, and its bytes are believed once no
memory that it could have would have made them others.

All else is forgotten after some 20 frames; the longest memory is the mean of 19 of how hard frames
were to encode (pefirbuf).
"""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import TYPE_CHECKING, Final

from . import mp3

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Begun so many frames before what is wanted, an encoder has settled whatever came before.
SETTLING_FRAMES: Final = 3 * mp3.GROUP_FRAMES
# Begun so many frames before, it has settled in most music, which `Settling` has to show.
EARLY_FRAMES: Final = 32
# The one by which it has to have settled: two more before the first that is wanted are the same.
_LAST_FRAME: Final = EARLY_FRAMES - 2

# The spectra are of 1024 samples each (fft_long). Two count for a frame: that of its own first
# granule, and that of the granule before; they begin so many samples before the frame's place.
_FFT_SAMPLES: Final = 1024
_BEGIN_BEFORE: Final = (224, 800)
_FRAME_BYTES: Final = 4
# psycho_loudness_approx: full scale is 14,752 to it, in each of 512 lines.
_FULL_SCALE: Final = 14_752.0**2 * _FFT_SAMPLES / 2
# By bits per second, what LAME scales its samples by (presets.c).
_SCALES: Final = {192_000: 0.97, 224_000: 0.98, 256_000: 1.0, 320_000: 1.0}
_OTHER_SCALE: Final = 0.95
_CURVE: Final = 3.0
# Within so much of LAME's own arithmetic, which is in single precision, ours is taken to be.
_UNSURE: Final = 0.01
_TIMEOUT: Final = "OPENBLAS_THREAD_TIMEOUT"
_AT_ONCE: Final = "4"
# The threshold at its lowest, beside what it is where music is loud.
_LOWEST: Final = 0.000625


class Settling:
    """What encoders still may remember from before the samples that they were given first.

    Args:
        bitrates_bps: what they encode at, each from `EARLY_FRAMES` before the first that is wanted.
    """

    def __init__(self, *bitrates_bps: int) -> None:
        scales = {_SCALES.get(bitrate, _OTHER_SCALE) for bitrate in bitrates_bps}
        self._memories = [_Memory(scale) for scale in sorted(scales)]
        self._data = bytearray()
        self._frame = 0

    @property
    def samples(self) -> int:
        """Return how many samples per channel, at 44.1 kHz, tell all that can be told."""
        return _LAST_FRAME * mp3.FRAME_SAMPLES - min(_BEGIN_BEFORE) + _FFT_SAMPLES

    @property
    def is_settled(self) -> bool:
        """Say whether what came before no longer counts, for none of them."""
        return all(memory.is_settled for memory in self._memories)

    @property
    def is_over(self) -> bool:
        """Say whether no further sample would tell more."""
        return self._frame >= _LAST_FRAME or self.is_settled

    def update(self, data: bytes) -> None:
        """Take samples, in order: 16 bits little-endian, of both channels in turn."""
        self._data += data
        while not self.is_over:
            place = (self._frame + 1) * mp3.FRAME_SAMPLES - min(_BEGIN_BEFORE)
            if len(self._data) < (place + _FFT_SAMPLES) * _FRAME_BYTES:
                return
            self._frame += 1
            loudest = self._loudness()
            for memory in self._memories:
                memory.step(loudest)

    def _loudness(self) -> float:
        """Return how loud the frame is, or only that it is so loud that more counts no more."""
        loudest = 0.0
        for before in _BEGIN_BEFORE:
            start = (self._frame * mp3.FRAME_SAMPLES - before) * _FRAME_BYTES
            stretch = self._data[start : start + _FFT_SAMPLES * _FRAME_BYTES]
            loudest = max(loudest, loudness(stretch))
            # To the one that makes it softest, so to all.
            if self._memories[0].limits(loudest)[0] == 1.0:
                break
        return loudest


class _Memory:
    """What one encoder may remember.

    Args:
        scale: what it scales its samples by.
    """

    def __init__(self, scale: float) -> None:
        self._power = scale**2
        # What it starts with, and what it may have come to: the least and the most of each.
        self._factor = (_LOWEST, 1.0)
        self._limit = (_LOWEST, 1.0)
        self.is_settled = False

    def limits(self, loudest: float) -> tuple[float, float]:
        """Return the limits of LAME's threshold that a frame sets: the least, and the most."""
        power = loudest * self._power
        return _limit(power * (1 - _UNSURE)), _limit(power * (1 + _UNSURE))

    def step(self, loudest: float) -> None:
        """Go on by a frame that is so loud; once it has settled it stays so."""
        least, most = self.limits(loudest)
        (low, high), (limit_low, limit_high) = self._factor, self._limit
        falls_to_it = high * _fall(least) <= least and (limit_low >= most or low >= most)
        rises_to_the_one_before = high <= limit_low and limit_high < least
        self.is_settled |= falls_to_it or rises_to_the_one_before
        self._factor = _next(low, limit_low, least), _next(high, limit_high, most)
        self._limit = least, most


def loudness(data: bytes | bytearray) -> float:
    """Return how loud 1024 samples are to LAME, 1 for noise of all that fits.

    Args:
        data: 16 bits little-endian, of both channels in turn.
    """
    np = _numpy()
    window, weights = _tables()
    samples = np.frombuffer(data, "<i2").reshape(_FFT_SAMPLES, 2)
    lines = np.fft.rfft(samples * window, axis=0)[: _FFT_SAMPLES // 2]
    # Of both channels together, the mean.
    return float(weights @ (lines.real**2 + lines.imag**2).sum(axis=1)) / 2 / _FULL_SCALE


def _limit(power: float) -> float:
    return min(1.0, 31.98 * power + _LOWEST)


def _fall(limit: float) -> float:
    return 0.925 + 0.075 * limit


def _next(factor: float, limit_before: float, limit: float) -> float:
    """Return LAME's factor behind a frame that sets a limit; it grows with each of the three."""
    if factor >= limit:
        return max(factor * _fall(limit), limit)
    return limit if limit_before >= limit else max(factor, limit_before)


@functools.cache
def _numpy() -> ModuleType:
    """Load numpy, whose threads, which nothing here needs, are to sleep from the start.

    OpenBLAS, which its wheels bring, starts one for each further core, and it would keep that core
    busy for 25 ms, in which the first listener may come. The variable says how many processor
    cycles that is to be, as a power of 2, and is read while it is loaded; where a host has loaded
    numpy before, it says nothing.
    """
    is_chosen = _TIMEOUT in os.environ
    os.environ.setdefault(_TIMEOUT, _AT_ONCE)
    import numpy as np

    if not is_chosen:
        os.environ.pop(_TIMEOUT, None)
    return np


def prepare_seeks() -> None:
    """Load what the first seek would otherwise load: numpy takes longer than a seek."""
    _tables()


@functools.cache
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Blackman's window as LAME has it, as a column, and what each line counts.

    That is how well it is heard, the threshold of hearing inverted: after ATHformula_GB in util.c,
    whose `curve` differs by bitrate and hardly counts here.
    """
    np = _numpy()
    angles = 2 * np.pi * (np.arange(_FFT_SAMPLES) + 0.5) / _FFT_SAMPLES
    window = 0.42 - 0.5 * np.cos(angles) + 0.08 * np.cos(2 * angles)
    lines = np.arange(1, _FFT_SAMPLES // 2 + 1)
    khz = np.clip(lines * mp3.SAMPLE_RATE_HZ / _FFT_SAMPLES / 1000, 0.1, 24.0)
    decibels = (
        3.640 * khz**-0.8
        - 6.800 * np.exp(-0.6 * (khz - 3.4) ** 2)
        + 6.000 * np.exp(-0.15 * (khz - 8.7) ** 2)
        + (0.6 + 0.04 * _CURVE) * 0.001 * khz**4
    )
    heard = 10 ** (-decibels / 10)
    return window[:, np.newaxis], heard / heard.sum()
