"""Telling from its first bytes what a file holds, whatever its name says."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .flac_ape_wavpack import read_ape, read_dsf, read_flac, read_tta, read_wavpack
from .mp4 import read_mp4
from .reader import DamagedError, Extent, Reader, TagBlock, strip_trailing_tags
from .stream import Stream
from .wav_aiff_dff import read_aiff, read_dsdiff, read_wav

_MAX_ID3_TAGS: Final = 16
_Parser = Callable[[Reader, int], Stream]

_MAGICS: Final[dict[bytes, tuple[_Parser, Stream]]] = {
    b"fLaC": (read_flac, Stream(codec="flac", demuxer="flac", lossless=True)),
    b"MAC ": (read_ape, Stream(codec="ape", demuxer="ape", lossless=True)),
    b"wvpk": (read_wavpack, Stream(codec="wavpack", demuxer="wv", lossless=True)),
    b"TTA1": (read_tta, Stream(codec="tta", demuxer="tta", lossless=True)),
    b"DSD ": (read_dsf, Stream(codec="dsd", demuxer="dsf", lossless=True)),
}
# Outer and inner name of formats made of chunks, and where the inner one stands.
_FORMS: Final[dict[tuple[bytes, bytes], tuple[int, _Parser, Stream]]] = {
    **{
        (outer, b"WAVE"): (8, read_wav, Stream(demuxer="wav"))
        for outer in (b"RIFF", b"RF64", b"BW64", b"RIFX")
    },
    **{(b"FORM", kind): (8, read_aiff, Stream(demuxer="aiff")) for kind in (b"AIFF", b"AIFC")},
    (b"FRM8", b"DSD "): (12, read_dsdiff, Stream(demuxer="iff")),
}
_MP4_FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
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


def read_stream(reader: Reader) -> Stream:
    """Return what a file holds; never an error, however damaged or odd the content is."""
    start, leading = _skip_id3(reader)
    stream = _read_stream_at(reader, start)
    return replace(stream, tags=(*stream.tags, *leading))


def _skip_id3(reader: Reader) -> tuple[int, tuple[TagBlock, ...]]:
    """Return where the content begins behind any ID3v2 tags, and those tags."""
    start = 0
    blocks: list[TagBlock] = []
    while len(blocks) < _MAX_ID3_TAGS:
        head = reader.read(start, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
            break
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        size += 20 if head[5] & 0x10 else 10
        blocks.append(TagBlock("id3", Extent(start, size)))
        start += size
    return start, tuple(blocks)


def _read_stream_at(reader: Reader, start: int) -> Stream:
    head = reader.read(start, 16)
    parse, fallback = _MAGICS.get(head[:4], (None, Stream()))
    for (outer, inner), (at, parse_form, form) in _FORMS.items():
        if head.startswith(outer) and head[at : at + 4] == inner:
            parse, fallback = parse_form, form
    if parse is None and head[4:8] in _MP4_FIRST_BOXES:
        parse, fallback = read_mp4, Stream(demuxer="mov")
    if parse is None:
        return _recognise_lossy(reader, start, head)
    try:
        return parse(reader, start)
    except (DamagedError, struct.error, OverflowError):
        return fallback


def _recognise_lossy(reader: Reader, start: int, head: bytes) -> Stream:
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
    """Return "mp3", "mp2" or "aac" where two frames follow one another, as they don't in text."""
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
