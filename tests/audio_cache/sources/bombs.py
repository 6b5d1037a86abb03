"""Files of at most 20 MB that are laid out to cost whoever reads them as much as they can."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.data.handmade import aiff, aiff_common, aiff_sound, box, chunk, riff, wave_format
from tests.helpers.audio import DATA

LARGE = 20_000_000
_TTA_HEAD = struct.pack("<4sHHHIII4x", b"TTA1", 1, 2, 16, 44100, 4410, 0)


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3_tag(body: bytes, version: int = 4, flags: int = 0) -> bytes:
    """Return an ID3v2 tag around frames."""
    return b"ID3" + bytes((version, 0, flags)) + _syncsafe(len(body)) + body


def id3_frame(name: bytes, body: bytes, flags: int = 0) -> bytes:
    """Return a frame of ID3v2.4."""
    return name + _syncsafe(len(body)) + struct.pack(">H", flags) + body


def inflating(size: int) -> bytes:
    """Return what inflates to so many zeros, whole MiB of them, of which it takes a thousandth."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    mebibyte = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    # RFC 1950: the checksum of zeros is 1 below and their number, modulo 65,521, above.
    checksum = struct.pack(">HH", size % 65_521, 1)
    return b"\x78\xda" + mebibyte * (size >> 20) + deflater.flush() + checksum


def titles_of_4_gb() -> bytes:
    claim = struct.pack(">I4sI4x", 0xFFFF_FFF0, b"data", 1) + b"x" * 76
    return mp4_with_tags(box(b"\xa9nam", claim) * 10_000)


def mp4_with_tags(*items: bytes) -> bytes:
    meta = box(b"meta", bytes(4), box(b"ilst", *items))
    return box(b"ftyp", b"M4A ") + box(b"moov", box(b"udta", meta))


def overlapping_tracks() -> bytes:
    # Each is eight bytes by its own size, and has all that follow it for children by theirs.
    child = struct.pack(">I4s", 0x7FFF_FFFF, b"mdia")
    video = box(b"hdlr", bytes(8), b"vide")
    return box(b"ftyp", b"M4A ") + box(b"moov", box(b"trak", child) * 5_000, video)


def long_time_table() -> bytes:
    entries = struct.pack(">II", 1, 1) * (1 << 20)
    whole = (DATA / "alac-front.m4a").read_bytes()
    at = whole.index(b"stts")
    (size,) = struct.unpack_from(">I", whole, at - 4)
    table = box(b"stts", struct.pack(">4xI", 1 << 20), entries)
    grown = bytearray(whole[: at - 4] + table + whole[at - 4 + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        start = whole.index(name) - 4
        (old,) = struct.unpack_from(">I", whole, start)
        struct.pack_into(">I", grown, start, old + len(table) - size)
    return bytes(grown)


def wavpack_of_empty_parts() -> bytes:
    flags = 15 << 23  # a rate that only a sub-block can tell
    head = struct.pack("<4sI2xBBIIIII", b"wvpk", LARGE - 8, 0, 0, 4410, 0, 4410, flags, 0)
    return head + bytes(LARGE - len(head))


def many_lists() -> bytes:
    inner = chunk(b"INAM", b"") * 270
    audio = chunk(b"fmt ", wave_format(1, 44100, 2, 16)), chunk(b"data", bytes(40))
    return riff(*audio, chunk(b"LIST", b"INFO" + inner) * 9_000)


def flac_of_empty_blocks() -> bytes:
    info = (DATA / "stereo.flac").read_bytes()[4:42]
    return b"fLaC" + b"\0" + info[1:] + b"\x02\0\0\0" * (LARGE // 4 - 100)


def empty_comments() -> bytes:
    info = (DATA / "stereo.flac").read_bytes()[4:42]
    body = struct.pack("<II", 0, 4_000_000) + bytes(4 * 4_000_000)
    return b"fLaC" + b"\0" + info[1:] + b"\x84" + len(body).to_bytes(3, "big") + body


def trailing_id3v1() -> bytes:
    return _TTA_HEAD + b"TAG".ljust(128, b"\0") * 80_000


def trailing_ape() -> bytes:
    return _TTA_HEAD + struct.pack("<8sIIII8x", b"APETAGEX", 2000, 32, 0, 0) * 80_000


def ape_of_one_name() -> bytes:
    item = struct.pack("<II", 1, 0) + b"n" * (LARGE // 2)
    foot = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, 0)
    return _TTA_HEAD + item + foot


def ape_of_separators() -> bytes:
    items = b"".join(
        struct.pack("<II", 250_000, 0) + b"N%d\0" % number + bytes(250_000) for number in range(70)
    )
    return _TTA_HEAD + items + struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(items) + 32, 70, 0)


def inflating_frames() -> bytes:
    packed = _syncsafe(200_000) + inflating(200 << 20)
    return id3_tag(id3_frame(b"TIT2", packed, 0x0009) * 30) + _TTA_HEAD


def tiny_frames() -> bytes:
    return id3_tag(id3_frame(b"TIT2", b"\3x") * (LARGE // 12)) + _TTA_HEAD


def frames_of_separators() -> bytes:
    frames = (id3_frame(b"TXXX", b"\0" + b"%d" % n + bytes(250_000)) for n in range(70))
    return id3_tag(b"".join(frames)) + _TTA_HEAD


def unsynchronised_throughout() -> bytes:
    return id3_tag(b"\xff\0" * (LARGE // 2), version=3, flags=0x80) + _TTA_HEAD


def empty_dsdiff_chunks() -> bytes:
    properties = chunk(b"PROP", b"SND " + bytes(12) * 150, form=">Q") * 9_000
    return b"FRM8" + struct.pack(">Q", len(properties) + 4) + b"DSD " + properties


def many_aiff_texts() -> bytes:
    texts = chunk(b"ANNO", b"x" * 2_000, form=">I") * 9_900
    return aiff(aiff_common(10), aiff_sound(bytes(20)), texts)


BOMBS: dict[str, Callable[[], bytes]] = {
    "titles of 4 GB.m4a": titles_of_4_gb,
    "overlapping tracks.m4a": overlapping_tracks,
    "a long time table.m4a": long_time_table,
    "empty parts.wv": wavpack_of_empty_parts,
    "many lists.wav": many_lists,
    "empty blocks.flac": flac_of_empty_blocks,
    "empty comments.flac": empty_comments,
    "80,000 ID3v1.tta": trailing_id3v1,
    "80,000 APE.tta": trailing_ape,
    "one name.tta": ape_of_one_name,
    "separators in APE.tta": ape_of_separators,
    "inflating frames.tta": inflating_frames,
    "tiny frames.tta": tiny_frames,
    "separators in ID3.tta": frames_of_separators,
    "unsynchronised.tta": unsynchronised_throughout,
    "empty chunks.dff": empty_dsdiff_chunks,
    "many texts.aiff": many_aiff_texts,
}
