"""The ID3v2.3 tag of a rendition: the source's text tags, behind one private frame of ours."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from mutagen import id3

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


def private_frame(payload: bytes) -> bytes:
    """Return the PRIV frame with our owner name around a payload (ID3v2.3 section 4.28)."""
    body = PRIVATE_OWNER + b"\0" + payload
    return b"PRIV" + len(body).to_bytes(4, "big") + b"\0\0" + body


def tag(tags: Iterable[tuple[str, str]], payload: bytes) -> bytes:
    """Return a whole ID3v2.3 tag: the private frame first, so that one short read finds it.

    Args:
        tags: pairs of a Vorbis comment name in lower case and a value; names may repeat.
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
    """Return the offset behind the private frame that a file of ours starts with."""
    return 20 + int.from_bytes(start[14:18], "big")


def tag_size(start: bytes) -> int:
    """Return the size in bytes of the ID3v2 tag that a file starts with; 0 where there is none."""
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
