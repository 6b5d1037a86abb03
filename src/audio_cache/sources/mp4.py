"""MP4 and QuickTime: the codec of the first audio track, its length, and its tags."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import mutagen.id3

from .flac_ape_wavpack import STREAMINFO_SIZE, describe_flac
from .reader import (
    Chunk,
    DamagedError,
    Extent,
    Pairs,
    Reader,
    TagBlock,
    iter_boxes,
    read_text,
)
from .stream import Stream, by_code
from .tag_names import MP4_ATOMS

# Kinds of PCM and their bits; 0 means those in the entry, which says 16 for all the others.
_PCM_BITS: Final = {
    b"lpcm": 0,
    b"ipcm": 0,
    b"fpcm": 0,
    b"raw ": 0,
    b"sowt": 0,
    b"twos": 0,
    b"in24": 24,
    b"in32": 32,
    b"fl32": 32,
    b"fl64": 64,
}
_LOSSY: Final = by_code(
    {
        "aac": (b"mp4a", b"drms"),
        "ac3": (b"ac-3",),
        "ac4": (b"ac-4",),
        "adpcm": (b"ima4",),
        "alaw": (b"alaw",),
        "amr": (b"samr", b"sawb"),
        "dts": (b"dtsc",),
        "eac3": (b"ec-3",),
        "mp3": (b".mp3",),
        "mulaw": (b"ulaw",),
        "opus": (b"Opus",),
        "qdesign": (b"QDMC", b"QDM2"),
    }
)
# The object types of ISO/IEC 14496-1 that an `mp4a` entry can have and that aren't AAC.
_OBJECT_TYPES: Final = by_code(
    {"mp3": (0x69, 0x6B), "ac3": (0xA5,), "dts": (0xA9,), "opus": (0xAD,), "vorbis": (0xDD,)}
)
_MAX_TIME_ENTRIES: Final = 1 << 20
_id3: Final[Any] = mutagen.id3
_MP4_TEXT: Final = 1
_MAX_NUMBER_BYTES: Final = 8
_MP4_NUMBERS: Final = frozenset({b"trkn", b"disk"})


def read_mp4(reader: Reader, start: int, form: Stream) -> Stream:
    """Read the boxes of an MP4 or QuickTime file; `mdat` may stand on either side of `moov`."""
    audio: list[Extent] = []
    for box in iter_boxes(reader, Extent(start, reader.size_bytes - start)):
        if box.name == b"mdat":
            audio.append(reader.clip(box.body))
        elif box.name == b"moov" and form.codec == "unknown":
            form = _read_movie(reader, box.body, form)
    return replace(form, audio=tuple(audio))


def _read_movie(reader: Reader, moov: Extent, form: Stream) -> Stream:
    """Return the stream of the first audio track, which is the one that ffmpeg calls 0:a:0."""
    second = 0
    fragmented = False
    tags: tuple[TagBlock, ...] = ()
    for box in iter_boxes(reader, moov):
        if box.name == b"mvhd":
            second = _read_timescale(reader, box.body)[0]
        elif box.name == b"mvex":
            fragmented = True
        elif box.name == b"trak" and form.codec == "unknown":
            form = _read_track(reader, box.body, second) or form
        elif box.name == b"udta":
            tags = tuple(TagBlock("ilst", body) for body in _iter_tag_lists(reader, box.body))
    return replace(form, samples=None if fragmented else form.samples, tags=tags)


def _iter_tag_lists(reader: Reader, udta: Extent) -> Iterator[Extent]:
    for meta in _find_all(reader, udta, b"meta"):
        # MP4 has four bytes of version and flags here, QuickTime has none.
        skip = 0 if reader.read(meta.start + 4, 4) == b"hdlr" else 4
        yield from _find_all(reader, Extent(meta.start + skip, meta.size - skip), b"ilst")


def _read_track(reader: Reader, trak: Extent, second: int) -> Stream | None:
    """Return the stream of a track, None if it isn't audio."""
    media = _find(reader, trak, b"mdia")
    handler = _find(reader, media, b"hdlr")
    if reader.read(handler.start + 8, 4) != b"soun":
        return None
    table = _find(reader, _find(reader, media, b"minf"), b"stbl")
    form = _read_description(reader, _find(reader, table, b"stsd"))
    timescale, _ = _read_timescale(reader, _find(reader, media, b"mdhd"))
    if not form.lossless or not timescale or timescale != form.rate_hz:
        return form
    samples = _count_samples(reader, _find(reader, table, b"stts"))
    if samples:
        samples = _cut_to_edit(reader, trak, samples, timescale, second)
    return replace(form, samples=samples)


def _read_timescale(reader: Reader, header: Extent) -> tuple[int, int]:
    """Return units per second and duration of an `mvhd` or `mdhd` box."""
    (version,) = reader.unpack(">B", header.start)
    form = ">IQ" if version == 1 else ">II"
    scale, duration = reader.unpack(form, header.start + (20 if version == 1 else 12))
    return scale, duration


def _count_samples(reader: Reader, stts: Extent) -> int | None:
    """Return the sum of all durations; None if the table is empty or cut short."""
    (count,) = reader.unpack(">I", stts.start + 4)
    if not 0 < count <= _MAX_TIME_ENTRIES or 8 * count > stts.size - 8:
        return None
    table = reader.read(stts.start + 8, 8 * count)
    if len(table) < 8 * count:
        return None
    entries: Iterator[tuple[int, int]] = struct.iter_unpack(">II", table)
    return sum(n * duration for n, duration in entries)


def _cut_to_edit(reader: Reader, trak: Extent, samples: int, rate: int, second: int) -> int | None:
    """Return how many samples the edit list plays, as ffmpeg rounds it; None if it starts late.

    iTunes counts an edit in 1/600 s, so that it can end some samples before the track does.
    """
    for edits in _find_all(reader, trak, b"edts"):
        for elst in _find_all(reader, edits, b"elst"):
            version, count = reader.unpack(">B3xI", elst.start)
            if count != 1 or not second:
                return None
            duration, start = reader.unpack(">Qq" if version == 1 else ">Ii", elst.start + 8)
            if start != 0 or not duration:
                return None
            samples = min(samples, (duration * rate + second // 2) // second)
    return samples


def _read_description(reader: Reader, stsd: Extent) -> Stream:
    """Return what the first entry of a sample description says."""
    entries = iter_boxes(reader, Extent(stsd.start + 8, stsd.size - 8))
    entry = next(entries, None)
    if entry is None:
        raise DamagedError("a track of an MP4 file describes no samples")
    form, size = _read_sound_entry(reader, entry)
    details = Extent(entry.body.start + size, entry.body.size - size)
    if entry.name == b"alac":
        return _read_alac(reader, details, form)
    if entry.name == b"fLaC":
        config = _find(reader, details, b"dfLa")
        info = reader.read(config.start + 8, STREAMINFO_SIZE)
        flac = Stream(codec="flac", demuxer="mov", lossless=True, audio=(config,))
        return describe_flac(info, flac)
    if entry.name in _PCM_BITS:
        bits = _PCM_BITS[entry.name] or form.bits
        return replace(form, codec="pcm", lossless=True, bits=bits)
    if entry.name == b"mp4a":
        return replace(form, codec=_read_object_type(reader, details), lossless=False)
    if entry.name in _LOSSY:
        return replace(form, codec=_LOSSY[entry.name], lossless=False)
    return form


def _read_sound_entry(reader: Reader, entry: Chunk) -> tuple[Stream, int]:
    """Return the fields that all sound entries have, and their size: QuickTime grew it twice."""
    start = entry.body.start
    version, channels, bits, rate = reader.unpack(">H6xHH4xI", start + 8)
    kind = entry.name.decode("latin-1")
    size = {1: 44, 2: 64}.get(version, 28)
    rate >>= 16
    if version == 2:
        exact_rate, channels, bits, flags = reader.unpack(">dI4xII", start + 32)
        rate = int(exact_rate) if 0 < exact_rate < 1 << 31 else 0
        kind += f" {flags}"
    form = Stream(demuxer="mov", coding=kind, rate_hz=rate, channels=channels, bits=bits)
    return form, size


def _read_alac(reader: Reader, details: Extent, form: Stream) -> Stream:
    """Return the stream that ALAC's own configuration describes, which can say any rate."""
    form = replace(form, codec="alac", lossless=True)
    for box in _iter_codec_boxes(reader, details):
        if box.name == b"alac" and box.body.size >= 28:
            bits, channels, rate = reader.unpack(">9xB3xB10xI", box.body.start)
            return replace(form, bits=bits, channels=channels, rate_hz=rate)
    return replace(form, rate_hz=0)


def _read_object_type(reader: Reader, details: Extent) -> str:
    """Return the codec that the elementary stream descriptor of an `mp4a` entry names."""
    for box in _iter_codec_boxes(reader, details):
        if box.name == b"esds":
            head = reader.read(box.body.start, min(box.body.size, 64))
            at = head.find(b"\x04", 4 + 3)
            # Tag 4 is the decoder's configuration; its length may be padded with 0x80.
            kind = head[at + 1 :].lstrip(b"\x80")[1:2] if at >= 0 else b""
            return _OBJECT_TYPES.get(kind[0], "aac") if kind else "aac"
    return "aac"


def _iter_codec_boxes(reader: Reader, details: Extent) -> Iterator[Chunk]:
    """Yield the boxes behind a sample entry; QuickTime wraps them in one named `wave`."""
    for box in iter_boxes(reader, details):
        if box.name == b"wave":
            yield from iter_boxes(reader, box.body)
        else:
            yield box


def _find_all(reader: Reader, inside: Extent, name: bytes) -> Iterator[Extent]:
    return (box.body for box in iter_boxes(reader, inside) if box.name == name)


def _find(reader: Reader, inside: Extent, name: bytes) -> Extent:
    found = next(_find_all(reader, inside, name), None)
    if found is None:
        raise DamagedError(f"an MP4 file has no {name.decode()} box where one must be")
    return found


def read_ilst(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Yield the items of an iTunes list; done here because mutagen's reader loads the cover too."""
    for item in iter_boxes(reader, body):
        if item.name == b"----":
            parts = {part.name: part.body for part in iter_boxes(reader, item.body)}
            named = parts[b"name"]
            name = read_text(reader, Extent(named.start + 4, max(0, named.size - 4)))
        else:
            name = MP4_ATOMS.get(item.name, "")
        if name or item.name == b"gnre":
            yield from _iter_mp4_texts(reader, item.name, name, item.body)


def _iter_mp4_texts(reader: Reader, atom: bytes, name: str, item: Extent) -> Pairs:
    for part in iter_boxes(reader, item):
        if part.name != b"data":
            continue
        kind = int.from_bytes(reader.read(part.body.start, 4), "big")
        body = Extent(part.body.start + 8, max(0, part.body.size - 8))
        content = reader.read(body.start, min(body.size, _MAX_NUMBER_BYTES))
        if atom in _MP4_NUMBERS:
            yield name, "/".join(str(int.from_bytes(content[at : at + 2], "big")) for at in (2, 4))
        elif atom == b"gnre":
            number = int.from_bytes(content[:2], "big")
            yield "genre", _id3.TCON(text=[str(number - 1)]).genres[0]
        elif atom in (b"tmpo", b"cpil"):
            yield name, str(int.from_bytes(content, "big") or "")
        elif kind == _MP4_TEXT:
            yield name, read_text(reader, body)
