"""The arithmetic of constant-bitrate MP3 at 44.1 kHz: samples, frames, bytes, and the Info frame.

Nothing here reads or writes anything. A frame is 1,152 samples of ISO/IEC 11172-3 layer III; a
group is 49 frames, after which LAME's padding pattern repeats (56,448 samples, 1.28 s exactly).
"""

from __future__ import annotations

import struct
from typing import Final

SAMPLE_RATE_HZ: Final = 44_100
FRAME_SAMPLES: Final = 1152
GROUP_FRAMES: Final = 49
# LAME's own delay; decoders add 528 + 1 samples of theirs (LAME's tag, "Delay" field).
ENCODER_DELAY_SAMPLES: Final = 576

_BITRATE_INDEX: Final = {128_000: 9, 192_000: 11, 256_000: 13}
_SIDE_INFO_BYTES: Final = 32


def output_samples(samples: int, rate_hz: int) -> int:
    """Return how many samples per channel a source gives at 44.1 kHz: ceil(n · 44100 / rate)."""
    return -(-samples * SAMPLE_RATE_HZ // rate_hz)


def frame_count(out_samples: int) -> int:
    """Return how many audio frames encode that many samples; the encoder's delay takes one more."""
    return -(-out_samples // FRAME_SAMPLES) + 1


def frames_size(bitrate_bps: int, frames: int) -> int:
    """Return the bytes of the first `frames` frames.

    A frame holds floor(144 · bitrate / 44100) bytes. LAME's accumulator starts at the remainder
    and adds a padding byte whenever it falls below zero, which makes
    ceil((frames - 1) · remainder / 44100) of them (lame.c, `frac_SpF` and `slot_lag`).
    """
    if frames <= 0:
        return 0
    base, remainder = divmod(144 * bitrate_bps, SAMPLE_RATE_HZ)
    return frames * base - (-(frames - 1) * remainder // SAMPLE_RATE_HZ)


def frame_at(bitrate_bps: int, offset: int) -> int:
    """Return the index of the frame that holds the byte at `offset` of the audio frames."""
    group_bytes = frames_size(bitrate_bps, GROUP_FRAMES)
    groups, rest = divmod(offset, group_bytes)
    frame = rest // (144 * bitrate_bps // SAMPLE_RATE_HZ)
    while frames_size(bitrate_bps, frame) > rest:
        frame -= 1
    return groups * GROUP_FRAMES + frame


def group_start(frame: int) -> int:
    """Return the first frame of the group that holds a frame."""
    return frame - frame % GROUP_FRAMES


def frame_prefix(bitrate_bps: int, frame: int) -> bytes:
    """Return the first three header bytes of a frame; the fourth varies with its stereo mode."""
    size = frames_size(bitrate_bps, frame + 1) - frames_size(bitrate_bps, frame)
    padded = size - 144 * bitrate_bps // SAMPLE_RATE_HZ
    return bytes((0xFF, 0xFB, _BITRATE_INDEX[bitrate_bps] << 4 | padded << 1))


def intact_frames(bitrate_bps: int, audio: bytes | memoryview, first: int = 0) -> int:
    """Return how many whole frames at the start of `audio` have the headers that they must have.

    Frames stand at most 836 bytes apart, so a page of zeros that a crash left behind cannot hide
    between two headers.

    Args:
        audio: bytes that begin with frame `first`.
        first: index of that frame in its rendition.
    """
    start, frame = frames_size(bitrate_bps, first), first
    while True:
        at = frames_size(bitrate_bps, frame) - start
        end = frames_size(bitrate_bps, frame + 1) - start
        if end > len(audio) or audio[at : at + 3] != frame_prefix(bitrate_bps, frame):
            return frame - first
        frame += 1


def info_frame(bitrate_bps: int, out_samples: int) -> bytes:
    """Return the Info frame, which tells decoders the exact length and what to cut at both ends.

    The layout is Xing's with LAME's extension ("Mp3 Info Tag rev 1"). The delay of 576 and the
    padding F · 1152 - N - 576 make decoders give exactly N samples, in step with the source.
    """
    frames = frame_count(out_samples)
    size = 144 * bitrate_bps // SAMPLE_RATE_HZ
    total = size + frames_size(bitrate_bps, frames)
    padding = frames * FRAME_SAMPLES - out_samples - ENCODER_DELAY_SAMPLES
    frame = bytearray(size)
    frame[0:4] = bytes((0xFF, 0xFB, _BITRATE_INDEX[bitrate_bps] << 4, 0x44))
    xing = struct.pack(">4sIII", b"Info", 0xF, frames, total)
    toc = bytes(percent * 256 // 100 for percent in range(100))
    lame = struct.pack(
        ">I9sBBIHHBB3sBBHI",
        0,  # quality indicator of the Xing part
        b"LAME3.100",
        0x01,  # tag revision 0, constant bitrate
        0,  # lowpass unknown
        0,  # peak, and the two gains below: ReplayGain travels in the ID3 tag
        0,
        0,
        0,
        bitrate_bps // 1000 if bitrate_bps < 255_000 else 255,
        (ENCODER_DELAY_SAMPLES << 12 | padding).to_bytes(3, "big"),
        0,
        0,
        0,
        total,
    )
    body = xing + toc + lame + b"\0\0"  # no checksum of the music: it is not known in advance
    at = 4 + _SIDE_INFO_BYTES
    frame[at : at + len(body)] = body
    frame[at + len(body) : at + len(body) + 2] = _crc16(frame[: at + len(body)]).to_bytes(2, "big")
    return bytes(frame)


def _crc16(data: bytes | bytearray) -> int:
    """Return CRC-16/ARC, which LAME puts over the 190 bytes before it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
