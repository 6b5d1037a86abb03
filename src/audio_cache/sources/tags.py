"""Text tags of every form that lossless files carry, under one set of names."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import mutagen.apev2
import mutagen.id3

from .reader import RIFF, DamagedError, Extent, Reader, TagBlock, iter_boxes, iter_chunks
from .tag_names import (
    ALIASES,
    DROPPED,
    ID3_FRAMES,
    MAX_TEXT_CHARACTERS,
    MP4_ATOMS,
    MUSICBRAINZ,
    RIFF_INFO,
    TOTALS,
)

# Blocks of tags hold pictures too; but a length can be a lie, and then it's a huge one.
_MAX_BLOCK_BYTES: Final = 64 << 20
_MP4_TEXT: Final = 1
_MP4_NUMBERS: Final = frozenset({b"trkn", b"disk"})

# mutagen ships types, but not for these.
_id3: Final[Any] = mutagen.id3
_apev2: Final[Any] = mutagen.apev2
Pairs = Iterable[tuple[str, str]]


def read_tags(reader: Reader, blocks: Iterable[TagBlock]) -> tuple[tuple[str, str], ...]:
    """Return the text tags of a file, sorted by name; of several blocks the first to have one.

    A damaged block gives what was read before the damage, or nothing.
    """
    tags: dict[str, list[str]] = {}
    for block in blocks:
        found: dict[str, list[str]] = {}
        for name, text in normalise(_collect(reader, block)):
            found.setdefault(name, []).append(text)
        tags = found | tags
    return tuple((name, text) for name in sorted(tags) for text in tags[name])


def _collect(reader: Reader, block: TagBlock) -> list[tuple[str, str]]:
    form, _, name = block.form.partition(":")
    pairs: list[tuple[str, str]] = []
    try:
        for key, text in _FORMS[form](reader, block.body, name):
            pairs.append((key, text))
    except OSError:
        raise
    except Exception:
        # mutagen fails in many ways on damage, and no tag is worth failing for.
        return pairs
    return pairs


def _read_vorbis(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
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
        name, separator, text = _decode(reader.read(offset - size, size)).partition("=")
        if separator:
            yield name, text


def _read_id3(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    given = io.BytesIO(_read_some(reader, body))
    return _iter_frames(_id3.ID3(given, load_v1=False).values())


def _read_id3v1(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    return _iter_frames((_id3.ParseID3v1(reader.read(body.start, body.size)) or {}).values())


def _iter_frames(frames: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for frame in frames:
        kind = frame.FrameID
        if kind in ID3_FRAMES:
            texts = frame.genres if kind == "TCON" else frame.text
            yield from ((ID3_FRAMES[kind], str(text)) for text in texts)
        elif kind == "TXXX":
            yield from ((frame.desc, str(text)) for text in frame.text)
        elif kind == "COMM" and frame.desc in ("", "ID3v1 Comment"):
            yield from (("comment", str(text)) for text in frame.text)
        elif kind == "USLT":
            yield "lyrics", frame.text
        elif kind == "UFID" and frame.owner == "http://musicbrainz.org":
            yield "musicbrainz_trackid", _decode(frame.data)
        elif kind == "RVA2" and frame.desc.lower() in ("track", "album"):
            yield f"replaygain_{frame.desc.lower()}_gain", f"{frame.gain:+.2f} dB"
            # Most writers leave the peak out, which is stored as 0.
            yield f"replaygain_{frame.desc.lower()}_peak", f"{frame.peak:.6f}" if frame.peak else ""


def _read_ape(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    given = io.BytesIO(_read_some(reader, body))
    for name, value in _apev2.APEv2(given).items():
        if value.kind == _apev2.TEXT:
            yield from ((name, text) for text in value)


def _read_info(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    for chunk in iter_chunks(reader, body, RIFF):
        if chunk.name in RIFF_INFO:
            yield RIFF_INFO[chunk.name], _decode(_read_some(reader, chunk.body)).partition("\0")[0]


def _read_single(reader: Reader, body: Extent, name: str) -> Iterator[tuple[str, str]]:
    yield name, _decode(_read_some(reader, body))


def _read_ilst(reader: Reader, body: Extent, _: str) -> Iterator[tuple[str, str]]:
    """Yield the items of an iTunes list; done here because mutagen's reader loads the cover too."""
    for item in iter_boxes(reader, body):
        if item.name == b"----":
            parts = {part.name: part.body for part in iter_boxes(reader, item.body)}
            named = parts[b"name"]
            name = _decode(_read_some(reader, Extent(named.start + 4, named.size - 4)))
        else:
            name = MP4_ATOMS.get(item.name, "")
        if name or item.name == b"gnre":
            yield from _iter_mp4_texts(reader, item.name, name, item.body)


def _iter_mp4_texts(reader: Reader, atom: bytes, name: str, item: Extent) -> Pairs:
    for part in iter_boxes(reader, item):
        if part.name != b"data":
            continue
        kind = int.from_bytes(reader.read(part.body.start, 4), "big")
        content = _read_some(reader, Extent(part.body.start + 8, part.body.size - 8))
        if atom in _MP4_NUMBERS:
            yield name, "/".join(str(int.from_bytes(content[at : at + 2], "big")) for at in (2, 4))
        elif atom == b"gnre":
            number = int.from_bytes(content[:2], "big")
            yield "genre", _id3.TCON(text=[str(number - 1)]).genres[0]
        elif atom in (b"tmpo", b"cpil"):
            yield name, str(int.from_bytes(content, "big") or "")
        elif kind == _MP4_TEXT:
            yield name, _decode(content)


def _read_some(reader: Reader, body: Extent) -> bytes:
    return reader.read(body.start, min(body.size, _MAX_BLOCK_BYTES))


def _decode(text: bytes) -> str:
    """Return text that should be UTF-8 and, in RIFF and AIFF, often is Windows code page 1252."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


_FORMS: Final[dict[str, Callable[[Reader, Extent, str], Pairs]]] = {
    "vorbis": _read_vorbis,
    "id3": _read_id3,
    "id3v1": _read_id3v1,
    "ape": _read_ape,
    "info": _read_info,
    "ilst": _read_ilst,
    "text": _read_single,
    "lyrics3": lambda reader, body, name: (),
}


def rename(name: str) -> str:
    """Return our name for what a tag is called in a file; "" where it is to be dropped."""
    name = name.strip().lower()
    if name.startswith(("musicbrainz ", "acoustid ")):
        service, _, field = name.partition(" ")
        name = f"{service}_{field.replace(' ', '')}"
    name = ALIASES.get(name) or MUSICBRAINZ.get(name) or name
    return "" if name in DROPPED else name


def normalise(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return tags under our names, totals taken out of "3/12", nothing empty, nothing twice."""
    pairs = [(name, rename(name), _clean(text)) for name, text in found]
    plain = {name.lower() for name, _, text in pairs if text}
    tags: dict[tuple[str, str], None] = {}
    for name, ours, text in pairs:
        # YEAR beside DATE says less, and DESCRIPTION beside COMMENT says the same.
        if ours and (ours == name.lower() or ours not in plain):
            for pair in _split_total(ours, text):
                tags.setdefault(pair)
    return list(tags)


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").strip(" \0\t\r\n")
    return text if len(text) <= MAX_TEXT_CHARACTERS else ""


def _split_total(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name not in TOTALS:
        number, total = text, ""
    else:
        number, total = (part.strip() for part in text.partition("/")[::2])
        number = "" if number == "0" else number
    if number:
        yield name, number
    if total.isdigit() and int(total):
        yield TOTALS[name], total
