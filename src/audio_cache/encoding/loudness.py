"""How loud an MP3 is from its beginning to its end, read from its frames without decoding any.

The side information of a frame (ISO/IEC 11172-3, 2.4.1.7) holds a `global_gain` for each granule
and channel: the step of the quantiser, by 2^(1/4) in amplitude for each unit (2.4.3.4.7.1). An
encoder that keeps to a bitrate takes steps as large as the music is loud, so that a line of these
is near enough to one of the loudness for people to find their way by it, at a few bytes a frame.
"""

from __future__ import annotations

from typing import Final

from . import mp3

LINE_POINTS: Final = 400
# A line of all frames of an hour looks no better than one of some of them.
_FRAMES_A_POINT: Final = 12
# The steps of single frames jump about; those of a few together tell.
_LEAST_FRAMES: Final = 4
_DECIBELS_A_STEP: Final = 20 * 0.30103 / 4
# What is this much below the loudest is drawn as nothing.
_RANGE_DB: Final = 30.0
_HEADER_BYTES: Final = 4
_MONO: Final = 0b11
# Before the granules: main_data_begin, private_bits and scfsi.
_BEFORE_BITS: Final = {1: 9 + 5 + 4, 2: 9 + 3 + 8}
_SIDE_BYTES: Final = {1: 17, 2: 32}
# part2_3_length, big_values, global_gain and all that follows it.
_PART_BITS, _BIG_BITS, _GAIN_BITS, _GRANULE_BITS = 12, 9, 8, 59


def loudness_line(rendition: bytes | memoryview, bitrate_bps: int) -> bytes | None:
    """Return how loud each part of a rendition is, all of them equally long.

    Args:
        rendition: a whole MP3 of ours, its ID3 tag included.
        bitrate_bps: its bitrate.

    Returns:
        A byte for each of at most `LINE_POINTS` parts: 255 for the loudest, 0 for silence and for
        what is 30 dB softer. None where it is another kind of MP3.
    """
    start = mp3.tag_size(bytes(rendition[:10])) + mp3.info_size(bitrate_bps)
    frames = mp3.frame_at(bitrate_bps, max(0, len(rendition) - start - 1)) + 1
    if mp3.frames_size(bitrate_bps, frames) != len(rendition) - start:
        return None
    points = min(LINE_POINTS, -(-frames // _LEAST_FRAMES))
    gains = []
    for point in range(points):
        first, end = point * frames // points, (point + 1) * frames // points
        step = max(1, (end - first) // _FRAMES_A_POINT)
        of_frames: list[float | None] = []
        for frame in range(first, end, step):
            at = start + mp3.frames_size(bitrate_bps, frame)
            if bytes(rendition[at : at + 3]) != mp3.frame_prefix(bitrate_bps, frame):
                return None
            of_frames.append(_gain_of(rendition, at))
        gains.append(_mean(of_frames))
    loudest = max((gain for gain in gains if gain is not None), default=0.0)
    return bytes(_height(gain, loudest) for gain in gains)


def _gain_of(rendition: bytes | memoryview, at: int) -> float | None:
    """Return the mean global_gain of a frame; None where all of it is silent."""
    channels = 1 if rendition[at + 3] >> 6 == _MONO else 2
    side_at = at + _HEADER_BYTES
    side = rendition[side_at : side_at + _SIDE_BYTES[channels]]
    bits, size = int.from_bytes(side, "big"), 8 * len(side)
    gains: list[float | None] = []
    for granule in range(2 * channels):
        begin = _BEFORE_BITS[channels] + granule * _GRANULE_BITS
        part = bits >> size - begin - _PART_BITS & (1 << _PART_BITS) - 1
        end = begin + _PART_BITS + _BIG_BITS + _GAIN_BITS
        gain = bits >> size - end & (1 << _GAIN_BITS) - 1
        # Without main data all samples are zero, whatever the step.
        gains.append(gain if part else None)
    return _mean(gains)


def _mean(gains: list[float | None]) -> float | None:
    heard = [gain for gain in gains if gain is not None]
    return sum(heard) / len(heard) if heard else None


def _height(gain: float | None, loudest: float) -> int:
    if gain is None:
        return 0
    below_db = (loudest - gain) * _DECIBELS_A_STEP
    return max(0, round(255 * (1 - below_db / _RANGE_DB)))
