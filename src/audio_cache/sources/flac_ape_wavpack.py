"""Formats with a header of their own: FLAC, Monkey's Audio, WavPack, TTA and DSF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .reader import (
    UNKNOWN_32,
    DamagedError,
    Extent,
    Reader,
    TagBlock,
    read_text,
    strip_trailing_tags,
)
from .stream import DSD_BITS_PER_SAMPLE, Stream
from .tag_names import CUESHEET

STREAMINFO_SIZE: Final = 34
_NO_MD5: Final = bytes(16)

_WV_RATES: Final = (
    *(6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000),
    *(32000, 44100, 48000, 64000, 88200, 96000, 192000, 0),
)
_WV_MONO: Final = 1 << 2
_WV_HYBRID: Final = 1 << 3
_WV_WHOLE: Final = 3 << 11  # first and last block of its time: one or two channels, no more
_WV_DSD: Final = 1 << 31
_WV_MAX_EMPTY_BLOCKS: Final = 64
_WV_SUBBLOCK_CHANNELS: Final = 0x0D
_WV_SUBBLOCK_DSD: Final = 0x0E
_WV_SUBBLOCK_RATE: Final = 0x27


def read_flac(reader: Reader, start: int, form: Stream) -> Stream:
    """Read STREAMINFO, find comments and CUE sheet of a FLAC file (RFC 9639, section 8)."""
    info = b""
    blocks: list[TagBlock] = []
    offset = start + 4
    while len(head := reader.read(offset, 4)) == 4:
        body = Extent(offset + 4, int.from_bytes(head[1:], "big"))
        offset = body.end
        if head[0] & 0x7F == 0:
            info = info or reader.read(body.start, min(STREAMINFO_SIZE, body.size))
        elif head[0] & 0x7F == 4:
            blocks.append(TagBlock("vorbis", body))
        elif head[0] & 0x7F == 5:
            blocks.append(TagBlock(CUESHEET, body))
        if head[0] & 0x80:
            break
    audio, trailing = strip_trailing_tags(reader, min(offset, reader.size_bytes))
    form = replace(form, audio=(audio,), tags=(*blocks, *trailing))
    return describe_flac(info, form)


def describe_flac(info: bytes, form: Stream) -> Stream:
    """Return the form of a FLAC stream with what its STREAMINFO says; as it is if cut short."""
    if len(info) < STREAMINFO_SIZE:
        return form
    packed = int.from_bytes(info[10:18], "big")
    bits = (packed >> 36 & 0x1F) + 1
    # ffmpeg gives other widths shifted, so that nothing would show whether the MD5 is right.
    md5 = _NO_MD5 if bits % 8 else info[18:34]
    return replace(
        form,
        rate_hz=packed >> 44,
        channels=(packed >> 41 & 0x7) + 1,
        bits=bits,
        samples=packed & (1 << 36) - 1 or None,
        md5="" if md5 == _NO_MD5 else md5.hex(),
    )


def read_ape(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the header of a Monkey's Audio file, of version 3.98 and newer or of an older one."""
    (version,) = reader.unpack("<H", start + 4)
    header_size = 0
    if version >= 3980:
        sizes = reader.unpack("<IIII", start + 8)  # descriptor, header, seek table, WAV header
        fields = reader.unpack("<IIIHHI", start + sizes[0] + 4)
        per_frame, final_frame, frames, bits, channels, rate = fields
        header_size = sum(sizes)
    else:
        level, flags, channels, rate = reader.unpack("<HHHI", start + 6)
        frames, final_frame = reader.unpack("<II", start + 24)
        bits = 8 if flags & 1 else 24 if flags & 8 else 16
        per_frame = _ape_frame_samples(version, level)
    audio, tags = strip_trailing_tags(reader, min(start + header_size, reader.size_bytes))
    return replace(
        form,
        rate_hz=rate,
        channels=channels,
        bits=bits,
        samples=(frames - 1) * per_frame + final_frame if frames else None,
        audio=(audio,),
        tags=tags,
    )


def _ape_frame_samples(version: int, level: int) -> int:
    if version >= 3950:
        return 73728 * 4
    return 73728 if version >= 3900 or level >= 4000 else 9216


def read_wavpack(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the first block with audio of a WavPack file; hybrid ones are lossy without their .wvc.

    ffmpeg reads no correction file, so a hybrid file counts as lossy even if there is one.
    """
    offset = start
    for _ in range(_WV_MAX_EMPTY_BLOCKS):
        header = reader.unpack("<4sI2xBBIIII", offset)
        name, size, _, high, low, index, block_samples, flags = header
        if name != b"wvpk":
            raise DamagedError(f"no WavPack block at byte {offset}")
        if block_samples:
            break
        offset += 8 + size
    else:
        raise DamagedError("no WavPack block with audio")
    rate, channels = _read_wavpack_details(reader, Extent(offset + 32, size - 24), flags)
    audio, tags = strip_trailing_tags(reader, start)
    return replace(
        form,
        lossless=not flags & _WV_HYBRID,
        rate_hz=rate,
        channels=channels,
        bits=1 if flags & _WV_DSD else ((flags & 3) + 1) * 8 - (flags >> 13 & 0x1F),
        # 40 bits, of which 0xFFFFFFFF in the lower 32 means unknown (WavPack 5 file format).
        samples=None if low == UNKNOWN_32 or index else low + (high << 32) - high,
        audio=(audio,),
        tags=tags,
    )


def _read_wavpack_details(reader: Reader, body: Extent, flags: int) -> tuple[int, int]:
    """Return rate and channels, from the flags or, if those can't say, from the sub-blocks."""
    rate = _WV_RATES[flags >> 23 & 0xF]
    rate_factor = 4 if flags & _WV_DSD else 1
    channels = 1 if flags & _WV_MONO else 2
    if rate and flags & _WV_WHOLE == _WV_WHOLE and not flags & _WV_DSD:
        return rate, channels
    offset = body.start
    while offset + 2 <= min(body.end, reader.size_bytes):
        kind, *sizes = reader.read(offset, 4).ljust(4, b"\0")
        width = 4 if kind & 0x80 else 2
        size = int.from_bytes(bytes(sizes[: width - 1]), "little") * 2
        content = reader.read(offset + width, min(size, 6)).ljust(6, b"\0")
        if kind & 0x3F == _WV_SUBBLOCK_CHANNELS:
            many = size - (kind >> 6 & 1) >= 6  # the form for more than 255 channels
            channels = (content[0] | (content[2] & 0xF) << 8) + 1 if many else content[0]
        elif kind & 0x3F == _WV_SUBBLOCK_DSD:
            rate_factor = 1 << (content[0] & 0x1F)
        elif kind & 0x3F == _WV_SUBBLOCK_RATE:
            rate = int.from_bytes(content[:3], "little")
        offset += width + size
    return rate * rate_factor, channels


def read_tta(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the header of a TTA1 file."""
    channels, bits, rate, samples = reader.unpack("<HHII", start + 6)
    audio, tags = strip_trailing_tags(reader, start)
    return replace(
        form,
        rate_hz=rate,
        channels=channels,
        bits=bits,
        samples=None if samples in (0, UNKNOWN_32) else samples,
        audio=(audio,),
        tags=tags,
    )


def read_dsf(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the header of a DSF file: blocks of one-bit audio, an ID3 tag behind them."""
    (tag_start,) = reader.unpack("<Q", start + 20)
    fields = reader.unpack("<4s20xIIIQ8x4sQ", start + 28)
    name, channels, rate, bit_order, bit_count, data_name, data_size = fields
    if name != b"fmt " or data_name != b"data":
        raise DamagedError("a DSF file begins with the chunks DSD, fmt and data")
    audio = reader.clip(Extent(start + 92, max(0, data_size - 12)))
    tag = TagBlock("id3", Extent(tag_start, max(0, reader.size_bytes - tag_start)))
    return replace(
        form,
        coding=str(bit_order),
        rate_hz=rate // DSD_BITS_PER_SAMPLE,
        channels=channels,
        bits=1,
        samples=bit_count // DSD_BITS_PER_SAMPLE or None,
        audio=(audio,),
        tags=(tag,) if tag_start else (),
    )


def read_vorbis(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Yield Vorbis comments; done here because mutagen's reader loads the pictures as well."""
    (vendor_size,) = reader.unpack("<I", body.start)
    offset = body.start + 4 + vendor_size
    (count,) = reader.unpack("<I", offset)
    offset += 4
    for _number in range(count):
        (size,) = reader.unpack("<I", offset)
        if offset + 4 + size > body.end:
            raise DamagedError("a comment reaches past its block")
        offset += 4 + size
        comment = read_text(reader, Extent(offset - size, size))
        name, separator, text = comment.partition("=")
        if separator:
            yield name, text
