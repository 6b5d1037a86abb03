"""Damage to FLAC files, whose frames can be told apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

FRAME_SAMPLES: Final = 4096


def frame_starts(flac: bytes) -> list[int]:
    """Return where the frames of a FLAC of 44.1 kHz in stereo begin."""
    return [found.start() for found in re.finditer(rb"\xff\xf8[\xb9\xc9][\x18-\xa8]", flac)]


def flip_a_bit(flac: bytes) -> bytes:
    at = len(flac) // 2
    return flac[:at] + bytes([flac[at] ^ 1]) + flac[at + 1 :]


def overwrite(flac: bytes) -> bytes:
    at = len(flac) // 2
    return flac[:at] + bytes(300_000) + flac[at + 300_000 :]


def leave_out_frames(flac: bytes) -> bytes:
    """Leave out whole frames, so that all that is left is in order by its checksums."""
    starts = frame_starts(flac)
    middle = len(starts) // 2
    return flac[: starts[middle]] + flac[starts[middle + 25] :]


def repeat_frames(flac: bytes) -> bytes:
    starts = frame_starts(flac)
    middle = len(starts) // 2
    return flac[: starts[middle]] + flac[starts[middle - 25] :]


def cut(flac: bytes) -> bytes:
    return flac[: len(flac) // 2]


def destroy(flac: bytes) -> bytes:
    """Leave nothing that can be decoded, but the header."""
    first = frame_starts(flac)[0]
    return flac[:first] + bytes(len(flac) - first)


DAMAGES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "a bit": flip_a_bit,
    "overwritten": overwrite,
    "frames left out": leave_out_frames,
    "frames repeated": repeat_frames,
    "cut": cut,
}


def damaged(source: Path, target: Path, kind: str) -> Path:
    """Write a damaged copy of a FLAC."""
    target.write_bytes(DAMAGES[kind](source.read_bytes()))
    return target
