"""The layout of a rendition's file: ID3 tag, Info frame, frames of constant bitrate at 44.1 kHz.

Nothing here reads or writes anything. A frame is 1,152 samples of ISO/IEC 11172-3 layer III; a
group is 49 frames, after which LAME's padding pattern repeats (56,448 samples, 1.28 s exactly).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Final

from mutagen import id3

SAMPLE_RATE_HZ: Final = 44_100
FRAME_SAMPLES: Final = 1152
GROUP_FRAMES: Final = 49
# LAME's own delay; decoders add 528 + 1 samples of theirs (LAME's tag, "Delay" field).
ENCODER_DELAY_SAMPLES: Final = 576
DECODER_DELAY_SAMPLES: Final = 529
# The Info frame counts them in 32 bits.
MAX_AUDIO_BYTES: Final = (1 << 32) - 1

# ISO/IEC 11172-3, 2.4.2.3: what the four bits of a header stand for in layer III.
_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATE_INDEX: Final = {kbps * 1000: index for index, kbps in enumerate(_KBPS, start=1)}
_SIDE_INFO_BYTES: Final = 32
# The fourth byte: joint stereo, and original.
_JOINT_STEREO: Final = b"\x44"

PRIVATE_OWNER: Final = b"audio-cache"

# Vorbis comment names on the left, after the mapping that Picard documents.
_TEXT_FRAMES: Final[dict[str, str]] = {
    "title": "TIT2",
    "subtitle": "TIT3",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "conductor": "TPE3",
    "remixer": "TPE4",
    "composer": "TCOM",
    "lyricist": "TEXT",
    "genre": "TCON",
    "date": "TDRC",
    "grouping": "TIT1",
    "bpm": "TBPM",
    "isrc": "TSRC",
    "label": "TPUB",
    "organization": "TPUB",
    "copyright": "TCOP",
    "encodedby": "TENC",
    "language": "TLAN",
    "media": "TMED",
    "titlesort": "TSOT",
    "artistsort": "TSOP",
    "albumsort": "TSOA",
    "albumartistsort": "TSO2",
    "compilation": "TCMP",
}
# A decoder's own notes about the file they came from would be wrong in ours.
_NOT_CARRIED: Final = frozenset({"encoder", "encoded_using", "encodersettings", "vendor"})


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


def frame_heard_at(out_sample: int) -> int:
    """Return the index of the frame that a decoder gives a sample of the audio with."""
    delay = ENCODER_DELAY_SAMPLES + DECODER_DELAY_SAMPLES
    return (out_sample + delay) // FRAME_SAMPLES


def group_start(frame: int) -> int:
    """Return the first frame of the group that holds a frame."""
    return frame - frame % GROUP_FRAMES


def frame_prefix(bitrate_bps: int, frame: int) -> bytes:
    """Return the first three header bytes of a frame; the fourth depends on its stereo mode."""
    size = frames_size(bitrate_bps, frame + 1) - frames_size(bitrate_bps, frame)
    padded = size - 144 * bitrate_bps // SAMPLE_RATE_HZ
    return bytes((0xFF, 0xFB, _BITRATE_INDEX[bitrate_bps] << 4 | padded << 1))


def silence(bitrate_bps: int, start: int, stop: int) -> bytes:
    """Return the bytes [start, stop) of audio frames that hold nothing, which is silence.

    Without main data all samples are zero (ISO/IEC 11172-3, 2.4.1.7: part2_3_length of 0).
    """
    frame = frame_at(bitrate_bps, start)
    skipped = start - frames_size(bitrate_bps, frame)
    frames = bytearray()
    while len(frames) < skipped + stop - start:
        size = frames_size(bitrate_bps, frame + 1) - frames_size(bitrate_bps, frame)
        frames += (frame_prefix(bitrate_bps, frame) + _JOINT_STEREO).ljust(size, b"\0")
        frame += 1
    return bytes(frames[skipped : skipped + stop - start])


def intact_frames(bitrate_bps: int, audio: bytes | memoryview, first: int = 0) -> int:
    """Return how many whole frames at the start of `audio` have the right headers.

    Frames stand at most 1,045 bytes apart, so a page of zeros that a crash left behind cannot
    hide between two headers.

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


def info_size(bitrate_bps: int) -> int:
    """Return the bytes of the Info frame, which is never padded."""
    return 144 * _info_bitrate(bitrate_bps) // SAMPLE_RATE_HZ


def audio_size(bitrate_bps: int, out_samples: int) -> int:
    """Return the bytes of a file after its ID3 tag: of the Info frame and of all audio frames."""
    return info_size(bitrate_bps) + frames_size(bitrate_bps, frame_count(out_samples))


def info_frame(bitrate_bps: int, out_samples: int) -> bytes:
    """Return the Info frame, which tells decoders the exact length and what to cut at each end.

    The layout is Xing's with LAME's extension ("Mp3 Info Tag rev 1"). The delay of 576 and the
    padding F · 1152 - N - 576 make decoders give exactly N samples, in step with the source.
    """
    frames = frame_count(out_samples)
    size = info_size(bitrate_bps)
    total = audio_size(bitrate_bps, out_samples)
    padding = frames * FRAME_SAMPLES - out_samples - ENCODER_DELAY_SAMPLES
    frame = bytearray(size)
    frame[0:4] = frame_prefix(_info_bitrate(bitrate_bps), 0) + _JOINT_STEREO
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


def _info_bitrate(bitrate_bps: int) -> int:
    # A frame of less would not hold the 190 bytes of the tag and its checksum.
    return max(bitrate_bps, 64_000)


def _crc16(data: bytes | bytearray) -> int:
    """Return CRC-16/ARC, which LAME puts over the 190 bytes before it."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC_OF_BYTE[(crc ^ byte) & 0xFF]
    return crc


def _crc_of_byte(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


_CRC_OF_BYTE: Final = tuple(map(_crc_of_byte, range(256)))


def private_frame(payload: bytes) -> bytes:
    """Return the PRIV frame with our owner name around a payload (ID3v2.3 section 4.28)."""
    body = PRIVATE_OWNER + b"\0" + payload
    return b"PRIV" + len(body).to_bytes(4, "big") + b"\0\0" + body


def id3_tag(tags: Iterable[tuple[str, str]], payload: bytes) -> bytes:
    """Return a whole ID3v2.3 tag: the private frame first, so that one short read finds it.

    Args:
        tags: pairs of a Vorbis comment name in lower case and a value; a name may be repeated.
        payload: what the private frame holds.
    """
    body = private_frame(payload) + _text_frames(tags)
    return b"ID3\x03\0\0" + _syncsafe(len(body)) + body


def find_private_payload(start: bytes) -> bytes | None:
    """Return the payload of our private frame in the first bytes of a file, or None.

    The payload is cut where `start` ends; `private_frame_end` tells how many bytes hold it all.
    """
    if start[:3] != b"ID3" or start[10:14] != b"PRIV":
        return None
    owner_end = 20 + len(PRIVATE_OWNER)
    if start[20 : owner_end + 1] != PRIVATE_OWNER + b"\0":
        return None
    return start[owner_end + 1 : private_frame_end(start)]


def private_frame_end(start: bytes) -> int:
    """Return the offset after the private frame that a file of ours starts with."""
    return 20 + int.from_bytes(start[14:18], "big")


def tag_size(start: bytes) -> int:
    """Return the size in bytes of the ID3v2 tag that a file starts with; 0 if there is none."""
    if start[:3] != b"ID3" or len(start) < 10:
        return 0
    return 10 + (start[6] << 21 | start[7] << 14 | start[8] << 7 | start[9])


def _syncsafe(size: int) -> bytes:
    if size >= 1 << 28:
        raise ValueError(f"the tags take {size} bytes: an ID3v2 tag holds less than 256 MiB")
    return bytes((size >> 21 & 0x7F, size >> 14 & 0x7F, size >> 7 & 0x7F, size & 0x7F))


def _text_frames(tags: Iterable[tuple[str, str]]) -> bytes:
    values: dict[str, list[str]] = {}
    for name, value in tags:
        if name not in _NOT_CARRIED and value:
            values.setdefault(name, []).append(value)
    frames = id3.ID3()  # type: ignore[no-untyped-call]
    for name, texts in _with_totals(values).items():
        frames.add(_frame(name, texts))  # type: ignore[no-untyped-call]
    if not frames:
        return b""
    frames.update_to_v23()  # type: ignore[no-untyped-call]
    file = BytesIO()
    frames.save(file, v1=0, v2_version=3, v23_sep="/", padding=lambda _: 0)
    return file.getvalue()[10:]


def _with_totals(values: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the values with "track 3" and "of 12" joined as ID3 has them: "3/12"."""
    joined = dict(values)
    for number, frame, totals in (
        ("tracknumber", "TRCK", ("tracktotal", "totaltracks")),
        ("discnumber", "TPOS", ("disctotal", "totaldiscs")),
    ):
        found = [joined.pop(total)[0] for total in totals if total in joined]
        if number in joined:
            text = joined.pop(number)[0]
            joined[frame] = [text if "/" in text or not found else f"{text}/{found[0]}"]
    return joined


def _frame(name: str, texts: list[str]) -> id3.Frame:
    described, lines = {}, texts
    if name in ("TRCK", "TPOS"):
        kind = name
    elif name in _TEXT_FRAMES:
        kind = _TEXT_FRAMES[name]
    elif name in ("comment", "description", "lyrics", "unsyncedlyrics"):
        kind = "COMM" if name in ("comment", "description") else "USLT"
        described, lines = {"lang": "XXX", "desc": ""}, ["\n".join(texts)]
    else:
        # ReplayGain is read under exactly these names, in this case, by most players.
        kind = "TXXX"
        described = {"desc": name if name.startswith("replaygain_") else name.upper()}
    encoding = 0 if all(map(_is_latin1, (*texts, *described.values()))) else 1
    text = lines[0] if kind == "USLT" else lines
    frame: id3.Frame = getattr(id3, kind)(encoding=encoding, text=text, **described)
    return frame


def _is_latin1(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
