"""Damage to a file of the cache, as far as the file itself shows it: by reading, by decoding."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..encoding import mp3
from ..encoding.ffmpeg import FFmpeg, FFmpegRun
from ..encoding.rendition import Identity
from ..errors import EncodeError
from ..quality import bitrate_bps, parse_quality
from .entry import Entry, Verdict, count_intact_frames

# Entries are ours, but anybody may have put a playlist there under an entry's name.
_INPUT: Final = ("-xerror", "-threads", "1", "-protocol_whitelist", "file", "-f", "mp3")
_DECODE_LIMIT_S: Final = 600.0
_FIRST_BYTES: Final = 64


def find_damage(path: Path, entry: Entry) -> str | None:
    """Return what is wrong with an entry's bytes, as far as reading shows it; None for nothing.

    Raises:
        OSError: it cannot be read.
    """
    identity = entry.identity
    if not entry.size_bytes:
        return Verdict.EMPTY.value
    if identity is None:
        return _find_foreign_damage(path)
    if entry.size_bytes != entry.expected_size():
        return f"it has {entry.size_bytes:,} bytes instead of {entry.expected_size():,}"
    with open(path, "rb") as file:
        bitrate = bitrate_bps(parse_quality(identity.quality))
        info = mp3.info_frame(bitrate, identity.samples)
        file.seek(entry.tag_bytes)
        if mp3.frame_count(identity.samples) != identity.frames or file.read(len(info)) != info:
            return "its Info frame does not match its length"
        intact = count_intact_frames(file.fileno(), entry.header_bytes, bitrate, identity.frames)
    if intact < identity.frames:
        return f"frame {intact:,} of {identity.frames:,} is damaged"
    return None


def decode(
    ffmpeg: FFmpeg, path: Path, identity: Identity | None, on_start: Callable[[FFmpegRun], None]
) -> str | None:
    """Return what ffmpeg finds wrong with an entry; None where it decodes to the stated length."""
    arguments = [*_INPUT, "-i", f"file:{os.fspath(path)}", "-map", "0:a:0"]
    duration_s = identity.samples / mp3.SAMPLE_RATE_HZ if identity else 0.0
    limit_s = _DECODE_LIMIT_S + duration_s
    output = ("-c:a", "pcm_s16le", "-f", "s16le", "{out}")
    try:
        with FFmpegRun(ffmpeg, [*arguments, *output], wait_limit_s=limit_s) as run:
            on_start(run)
            for _ in run.read():
                pass
            report = run.finish()
    except EncodeError as error:
        return str(error)
    said = report.stderr.splitlines()[:1]
    if report.returncode != 0 or report.decode_errors or said:
        words = said[0] if said else f"{report.decode_errors} errors"
        return f"it cannot be decoded (ffmpeg said: {words})"
    samples = sum(report.encoded_samples)
    if identity is not None and samples != identity.samples:
        return f"it decodes to {samples:,} samples instead of {identity.samples:,}"
    return None


def _find_foreign_damage(path: Path) -> str | None:
    """Return what is wrong with the beginning of a file that says nothing of its origin."""
    with open(path, "rb") as file:
        start = file.read(_FIRST_BYTES)
    if mp3.find_private_payload(start) is not None:
        return "what it says about its origin cannot be read"
    if start[:3] != b"ID3" and not (start[0] == 0xFF and start[1:2] >= b"\xe0"):
        return "it does not begin like an MP3 file"
    return None
