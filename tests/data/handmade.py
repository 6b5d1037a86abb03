"""Writers of formats, or of odd cases of them, that ffmpeg doesn't write."""

from __future__ import annotations

import hashlib
import math
import random
import struct

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_PCM_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes, *, form: str = "<I", stated: int | None = None) -> bytes:
    """Return a chunk padded to an even size; `stated` is the size that it claims to have."""
    size = struct.pack(form, len(body) if stated is None else stated)
    return name + size + body + b"\0" * (len(body) % 2)


def wave_format(
    tag: int, rate: int, channels: int, bits: int, *, frame_bytes: int | None = None
) -> bytes:
    frame_bytes = channels * ((bits + 7) // 8) if frame_bytes is None else frame_bytes
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame_bytes, frame_bytes, bits)


def extensible_format(tag: int, rate: int, channels: int, bits: int, valid_bits: int) -> bytes:
    """Return a WAVE_FORMAT_EXTENSIBLE `fmt ` chunk, whose tag is the head of a GUID."""
    head = wave_format(0xFFFE, rate, channels, bits)
    return head + struct.pack("<HHIH", 22, valid_bits, 0, tag) + _PCM_GUID_TAIL


def riff(*chunks: bytes, magic: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack(">I" if magic == b"RIFX" else "<I", len(body)) + body


def wav(fmt: bytes, data: bytes, *, stated: int | None = None, after: bytes = b"") -> bytes:
    return riff(chunk(b"fmt ", fmt), chunk(b"data", data, stated=stated), after)


def aiff(*chunks: bytes, kind: bytes = b"AIFF") -> bytes:
    body = kind + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body)) + body


def aiff_common(
    frames: int, *, rate: int = 44100, channels: int = 1, bits: int = 16, kind: bytes = b""
) -> bytes:
    exponent = rate.bit_length() - 1
    extended = struct.pack(">HQ", 16383 + exponent, rate << 63 - exponent)
    compression = kind + b"\0\0" if kind else b""
    body = struct.pack(">hIh", channels, frames, bits) + extended + compression
    return chunk(b"COMM", body, form=">I")


def aiff_sound(data: bytes, *, skip: int = 0, stated: int | None = None) -> bytes:
    body = struct.pack(">II", skip, 0) + bytes(skip) + data
    return chunk(b"SSND", body, form=">I", stated=stated)


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def id3(*frames: tuple[str, str]) -> bytes:
    """Return an ID3v2.4 tag of UTF-8 text frames, each shorter than 128 bytes."""
    body = b"".join(
        name.encode() + struct.pack(">IH", len(text.encode()) + 1, 0) + b"\3" + text.encode()
        for name, text in frames
    )
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + size + body


def flac(samples: list[int], *, rate: int = 44100, total: int | None = None) -> bytes:
    """Return a FLAC file of one verbatim frame (RFC 9639); ffmpeg writes none below 16 samples."""
    raw = b"".join(struct.pack("<h", sample) for sample in samples)
    total = len(samples) if total is None else total
    packed = rate << 44 | 0 << 41 | 15 << 36 | total
    info = struct.pack(">HH6xQ", 4096, 4096, packed) + hashlib.md5(raw).digest()
    head = b"\xff\xf8\x70\x08\x00" + struct.pack(">H", max(0, len(samples) - 1))
    head += _crc(head, 8, 0x07)
    frame = head + b"\x02" + b"".join(struct.pack(">h", sample) for sample in samples)
    frame += _crc(frame, 16, 0x8005)
    return b"fLaC\x80\0\0\x22" + info + (frame if samples else b"")


def _crc(data: bytes, width: int, polynomial: int) -> bytes:
    value = 0
    for byte in data:
        value ^= byte << width - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> width - 1 else 0)
            value &= (1 << width) - 1
    return value.to_bytes(width // 8, "big")


def ticks(samples: int, *, every: int = 20_000, seed: int = 1) -> bytes:
    """Return 16-bit mono PCM, little of it anything but silence and no two ticks of it alike."""
    chance = random.Random(seed)
    levels = [0] * samples
    for start in range(0, samples - every, every):
        at = start + chance.randrange(every - 16)
        levels[at : at + 16] = [
            round(chance.randrange(2000, 8000) * (-0.7) ** n) for n in range(16)
        ]
    return struct.pack(f"<{samples}h", *levels)


def dsd_bits(bits: int, rate: int, seed: int = 0) -> bytes:
    """Return a sine as one-bit audio, oldest bit first, by a second-order sigma-delta modulator."""
    octets = bytearray((bits + 7) // 8)
    first = second = 0.0
    for time in range(bits):
        level = 0.4 * math.sin(math.tau * (1000 + 500 * seed) * time / rate)
        last = 1.0 if second >= 0 else -1.0
        if last > 0:
            octets[time // 8] |= 0x80 >> time % 8
        first += level - last
        second += first - last
    return bytes(octets)


def dsf(
    bits: int, *, rate: int = 2_822_400, channels: int = 2, block: int = 4096, tag: bytes = b""
) -> bytes:
    streams = [dsd_bits(bits, rate, seed).translate(_REVERSED) for seed in range(channels)]
    data = b"".join(
        stream[start : start + block].ljust(block, b"\0")
        for start in range(0, len(streams[0]), block)
        for stream in streams
    )
    kind = {1: 1, 2: 2, 6: 7}[channels]
    fmt = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, kind, channels, rate, 1, bits, block, 0)
    size = 28 + 52 + 12 + len(data)
    head = struct.pack("<4sQQQ", b"DSD ", 28, size + len(tag), size if tag else 0)
    return head + fmt + struct.pack("<4sQ", b"data", 12 + len(data)) + data + tag


def dff(
    bits: int,
    *,
    rate: int = 2_822_400,
    channels: int = 2,
    kind: bytes = b"DSD ",
    after: bytes = b"",
) -> bytes:
    streams = [dsd_bits(bits, rate, seed) for seed in range(channels)]
    data = b"".join(map(bytes, zip(*streams, strict=True)))
    names = {1: b"C   ", 2: b"SLFTSRGT"}[channels]
    properties = b"SND " + b"".join(
        (
            chunk(b"FS  ", struct.pack(">I", rate), form=">Q"),
            chunk(b"CHNL", struct.pack(">H", channels) + names, form=">Q"),
            chunk(b"CMPR", kind + b"\x03raw", form=">Q"),
        )
    )
    body = b"DSD " + b"".join(
        (
            chunk(b"FVER", b"\1\5\0\0", form=">Q"),
            chunk(b"PROP", properties, form=">Q"),
            chunk(kind, data, form=">Q"),
            after,
        )
    )
    return b"FRM8" + struct.pack(">Q", len(body)) + body
