"""Lossy audio, recognised by its first bytes so that it is never taken for lossless."""

from __future__ import annotations

from typing import Final

from .reader import Reader, strip_trailing_tags
from .stream import Stream

_LOSSY_MAGICS: Final = {
    b"MPCK": "musepack",
    b"MP+": "musepack",
    b"#!AMR": "amr",
    b"\x0b\x77": "ac3",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "wma",
}
_OGG_PACKETS: Final = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"Speex   ": "speex"}

_MPEG_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG1_KBPS: Final = {
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_MPEG2_KBPS: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def recognise_lossy(reader: Reader, start: int, head: bytes) -> Stream:
    """Return what a file in no lossless format holds; unknown if nothing matches."""
    codec = next((name for magic, name in _LOSSY_MAGICS.items() if head.startswith(magic)), "")
    if head.startswith(b"OggS"):
        packet = reader.read(start + 28, 8)
        codec = next((name for magic, name in _OGG_PACKETS.items() if packet.startswith(magic)), "")
    elif head.startswith(b"\xff"):
        codec = _recognise_mpeg(reader, start)
    if not codec:
        return Stream()
    audio, tags = strip_trailing_tags(reader, start)
    return Stream(codec=codec, lossless=False, audio=(audio,), tags=tags)


def _recognise_mpeg(reader: Reader, start: int) -> str:
    """Return "mp3", "mp2" or "aac" if two frames follow one another, which they don't in text."""
    codec, size = _read_mpeg_frame(reader.read(start, 6))
    follower = reader.read(start + size, 6)
    if codec and (not follower or _read_mpeg_frame(follower)[0] == codec):
        return codec
    return ""


def _read_mpeg_frame(head: bytes) -> tuple[str, int]:
    """Return codec and size of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3) or ADTS frame."""
    if len(head) < 6 or head[0] != 0xFF:
        return "", 0
    if head[1] & 0xF6 == 0xF0:
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return ("aac", size) if size > 7 else ("", 0)
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer not in (1, 2):
        return "", 0
    if bitrate in (0, 15) or rate == 3:
        return "", 0
    kbps = (_MPEG1_KBPS[layer] if version == 3 else _MPEG2_KBPS)[bitrate - 1]
    slots = 72 if layer == 1 and version != 3 else 144
    size = slots * 1000 * kbps // _MPEG_RATES[version][rate] + (head[2] >> 1 & 1)
    return ("mp3" if layer == 1 else "mp2"), size
