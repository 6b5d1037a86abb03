"""Formats made of chunks: WAV (RF64, BW64 and RIFX too), AIFF, AIFF-C and DSDIFF."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .reader import (
    DSDIFF,
    IFF,
    RIFF,
    RIFX,
    DamagedError,
    Extent,
    Reader,
    TagBlock,
    iter_chunks,
    read_text,
)
from .stream import DSD_BITS_PER_SAMPLE, Stream, by_code
from .tag_names import RIFF_INFO

# Writers that can't seek back to fill in the size leave one of these or a little less.
_STREAMED: Final = (range(0x7FFF_0000, 0x8000_0001), range(0xFFFF_0000, 0x1_0000_0000))
_UNKNOWN_64: Final = 0xFFFF_FFFF_FFFF_FFFF

_WAVE_PCM: Final = 1
_WAVE_FLOAT: Final = 3
_WAVE_FLAC: Final = 0xF1AC
_WAVE_EXTENSIBLE: Final = 0xFFFE
_EXTENSIBLE_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_WAVE_LOSSY: Final = by_code(
    {
        "adpcm": (0x02, 0x10, 0x11, 0x14, 0x17, 0x20, 0x40, 0x45, 0x64, 0x65, 0x69, 0x85, 0x28F),
        "aac": (0xFF, 0x1600, 0x1602, 0x706D, 0xA106),
        "wma": (0x160, 0x161, 0x162),
        "alaw": (0x06,),
        "mulaw": (0x07,),
        "truespeech": (0x22,),
        "gsm": (0x31, 0x32),
        "mp2": (0x50,),
        "mp3": (0x55,),
        "atrac3": (0x270,),
        "ac3": (0x2000,),
        "dts": (0x2001,),
        "opus": (0x704F,),
    }
)

# The kinds of PCM in ffmpeg's table, and their bits; None is as many as the header says.
_AIFF_PCM_BITS: Final = {
    b"NONE": None,
    b"twos": 16,
    b"sowt": 16,
    b"in24": 24,
    b"in32": 32,
    b"fl32": 32,
    b"FL32": 32,
    b"fl64": 64,
    b"FL64": 64,
}
_AIFF_LOSSY: Final = by_code(
    {
        "adpcm": (b"ima4", b"G722", b"G726", b"ADP4"),
        "alaw": (b"alaw", b"ALAW"),
        "mulaw": (b"ulaw", b"ULAW"),
        "mace": (b"MAC3", b"MAC6"),
        "gsm": (b"GSM ",),
        "g728": (b"G728",),
        "mp3": (b".mp3",),
        "qcelp": (b"Qclp",),
        "qdesign": (b"QDMC", b"QDM2"),
        "sdx2": (b"SDX2",),
    }
)
_AIFF_TEXTS: Final = {b"NAME": "title", b"AUTH": "artist", b"(c) ": "copyright", b"ANNO": "comment"}
_DSDIFF_TEXTS: Final = {b"DITI": "title", b"DIAR": "artist"}


def read_wav(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the chunks of a WAV file; RF64 and BW64 have its sizes in `ds64` (EBU Tech 3306)."""
    magic = reader.read(start, 4)
    big = magic == b"RIFX"
    inside = Extent(start + 12, reader.size_bytes - start - 12)
    long_sizes: dict[bytes, int] = {}
    frame_bytes = 0
    data: Extent | None = None
    tags: list[TagBlock] = []
    for chunk in iter_chunks(reader, inside, RIFX if big else RIFF, long_sizes):
        if chunk.name == b"ds64" and magic != b"RIFF":
            long_sizes[b"data"] = reader.unpack("<Q", chunk.body.start + 8)[0]
        elif chunk.name == b"fmt " and not form.rate_hz:
            body = reader.read(chunk.body.start, min(chunk.body.size, 40))
            form, frame_bytes = _read_wave_format(body, big)
        elif chunk.name == b"data" and data is None:
            data = chunk.body
            if data.size == 0:
                break  # ffmpeg takes all that follows for audio, and so must we.
        elif chunk.name in (b"id3 ", b"ID3 "):
            tags.insert(0, TagBlock("id3", chunk.body))
        elif chunk.name == b"LIST" and reader.read(chunk.body.start, 4) == b"INFO":
            tags.append(TagBlock("info", Extent(chunk.body.start + 4, chunk.body.size - 4)))
    if data is None:
        return replace(form, tags=tuple(tags))
    streamed = data.size in (0, _UNKNOWN_64) or _is_placeholder(reader, data)
    if streamed:
        data = Extent(data.start, reader.size_bytes - data.start)
    # A data chunk of no bytes at the very end of the file is empty, not streamed.
    exact = frame_bytes and (not streamed or not data.size)
    samples = data.size // frame_bytes if exact else None
    return replace(form, samples=samples, audio=(reader.clip(data),), tags=tuple(tags))


def _is_placeholder(reader: Reader, data: Extent) -> bool:
    return data.end > reader.size_bytes and any(data.size in sizes for sizes in _STREAMED)


def _read_wave_format(body: bytes, big: bool) -> tuple[Stream, int]:
    """Return what a `fmt ` chunk says, and the bytes of a sample in all channels, 0 if in doubt."""
    if len(body) < 14:
        raise DamagedError("a fmt chunk of a WAV file is too short")
    fields = struct.unpack((">" if big else "<") + "HHI4xHH", body[:16].ljust(16, b"\0"))
    tag, channels, rate, frame_bytes, bits = fields
    decoder = ""
    if tag == _WAVE_EXTENSIBLE and body[26:40] == _EXTENSIBLE_GUID_TAIL:
        valid_bits, tag = struct.unpack("<2xH4xH", body[16:26])
        # Fewer valid bits stand at the top of their container. ffmpeg goes by the valid ones,
        # and 24 in 32 come out 256 times too loud.
        if tag == _WAVE_PCM and 0 < (valid_bits + 7) // 8 < bits // 8:
            decoder = f"pcm_s{bits}le"
    coding = f"{tag} {big}"
    form = Stream(demuxer="wav", coding=coding, rate_hz=rate, channels=channels, bits=bits)
    if tag in (_WAVE_PCM, _WAVE_FLOAT):
        as_expected = frame_bytes == channels * ((bits + 7) // 8)
        form = replace(form, codec="pcm", decoder=decoder, lossless=True)
        return form, frame_bytes if as_expected else 0
    if tag == _WAVE_FLAC:
        return replace(form, codec="flac", lossless=True), 0
    if tag in _WAVE_LOSSY:
        return replace(form, codec=_WAVE_LOSSY[tag], lossless=False), 0
    return form, 0


def read_aiff(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the chunks of an AIFF or AIFF-C file."""
    frames = frame_bytes = 0
    sound: Extent | None = None
    tags: list[TagBlock] = []
    for chunk in iter_chunks(reader, Extent(start + 12, reader.size_bytes - start - 12), IFF):
        if chunk.name == b"COMM" and not form.rate_hz:
            form, frames, frame_bytes = _read_aiff_common(reader, chunk.body)
        elif chunk.name == b"SSND" and sound is None:
            sound = _find_aiff_sound(reader, chunk.body)
        elif chunk.name in (b"ID3 ", b"id3 "):
            tags.insert(0, TagBlock("id3", chunk.body))
        elif chunk.name in _AIFF_TEXTS:
            tags.append(TagBlock("text:" + _AIFF_TEXTS[chunk.name], chunk.body))
    if sound is None:
        # A file without a sample needs no SSND.
        return replace(form, samples=0 if frame_bytes and not frames else None, tags=tuple(tags))
    # ffmpeg goes by the size of SSND, others by COMM: where they differ, only decoding tells.
    agreed = frame_bytes and frames == sound.size // frame_bytes
    samples = frames if agreed and not _is_placeholder(reader, sound) else None
    return replace(form, samples=samples, audio=(reader.clip(sound),), tags=tuple(tags))


def _find_aiff_sound(reader: Reader, body: Extent) -> Extent:
    """Return where SSND has its audio; writers that couldn't seek back leave a size of 0."""
    (skip,) = reader.unpack(">I", body.start)
    start = body.start + 8 + skip
    end = body.end if body.size >= 8 else reader.size_bytes
    return Extent(start, max(0, end - start))


def _read_aiff_common(reader: Reader, body: Extent) -> tuple[Stream, int, int]:
    """Return what COMM says, its sample count, and the bytes of a sample in all channels."""
    channels, frames, bits, exponent, mantissa = reader.unpack(">HIHHQ", body.start)
    kind = reader.read(body.start + 18, 4) if body.size >= 22 else b"NONE"
    rate = _round_extended(exponent, mantissa)
    coding = kind.decode("latin-1")
    form = Stream(demuxer="aiff", coding=coding, rate_hz=rate, channels=channels, bits=bits)
    if kind in _AIFF_PCM_BITS:
        width = (_AIFF_PCM_BITS[kind] or bits) + 7 >> 3
        return replace(form, codec="pcm", lossless=True), frames, width * channels
    if kind in _AIFF_LOSSY:
        return replace(form, codec=_AIFF_LOSSY[kind], lossless=False), 0, 0
    return form, 0, 0


def _round_extended(exponent: int, mantissa: int) -> int:
    """Return an 80-bit float of AIFF as a whole number of Hz, rounded as ffmpeg rounds it."""
    shift = 16383 + 63 - exponent
    if not 1 <= shift <= 63:
        return 0
    return (mantissa + (1 << shift - 1)) >> shift


def read_dsdiff(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the chunks of a DSDIFF file, plain or compressed by DST."""
    found = b""
    tags: list[TagBlock] = []
    sound = Extent(start, 0)
    for chunk in iter_chunks(reader, Extent(start + 16, reader.size_bytes - start - 16), DSDIFF):
        if chunk.name == b"PROP":
            form = _read_dsdiff_properties(reader, chunk.body)
        elif chunk.name in (b"DSD ", b"DST ") and not found:
            found, sound = chunk.name, chunk.body
        elif chunk.name == b"ID3 ":
            tags.insert(0, TagBlock("id3", chunk.body))
        elif chunk.name == b"DIIN":
            tags.extend(_find_dsdiff_texts(reader, chunk.body))
    # How many samples a DST stream has depends on its frames: the engine counts them.
    exact = form.codec == "dsd" and found == b"DSD " and form.channels
    samples = sound.size // form.channels if exact else None
    return replace(form, samples=samples, audio=(reader.clip(sound),), tags=tuple(tags))


def _read_dsdiff_properties(reader: Reader, body: Extent) -> Stream:
    form = Stream(demuxer="iff", bits=1)
    for chunk in iter_chunks(reader, Extent(body.start + 4, body.size - 4), DSDIFF):
        if chunk.name == b"FS  ":
            (rate,) = reader.unpack(">I", chunk.body.start)
            form = replace(form, rate_hz=rate // DSD_BITS_PER_SAMPLE)
        elif chunk.name == b"CHNL":
            form = replace(form, channels=reader.unpack(">H", chunk.body.start)[0])
        elif chunk.name == b"CMPR":
            kind = reader.read(chunk.body.start, 4).decode("latin-1").strip().lower()
            form = replace(form, codec=kind, lossless=True) if kind in ("dsd", "dst") else form
    return form


def _find_dsdiff_texts(reader: Reader, body: Extent) -> list[TagBlock]:
    """Return the title and artist of an edited-master chunk; their text follows its length."""
    return [
        TagBlock(
            "text:" + _DSDIFF_TEXTS[chunk.name], Extent(chunk.body.start + 4, chunk.body.size - 4)
        )
        for chunk in iter_chunks(reader, body, DSDIFF)
        if chunk.name in _DSDIFF_TEXTS
    ]


def read_info(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a LIST chunk of the kind INFO."""
    for chunk in iter_chunks(reader, body, RIFF):
        if chunk.name in RIFF_INFO:
            text = read_text(reader, chunk.body.within(body))
            yield RIFF_INFO[chunk.name], text.partition("\0")[0]
