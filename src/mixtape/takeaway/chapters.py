"""The tag in front of a mixtape that is one MP3: its title, its cover, and a chapter per track."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mutagen import id3

_UTF_8: Final = 3
_FRONT_COVER: Final = 3
_RATE_HZ: Final = 44_100
# Of a tag, before its frames.
_HEADER_BYTES: Final = 10
# "There is no offset in bytes, the times count" (ID3v2 Chapter Frame Addendum 1.0, 3.1).
_NO_OFFSET: Final = 0xFFFFFFFF
# A table counts its entries in one byte, and one table is not part of another (the same, 3.2).
_MOST_ENTRIES: Final = 255
_TOP: Final = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED


@dataclass(frozen=True)
class Chapter:
    """A track of the tape; its times count samples at 44.1 kHz."""

    title: str
    start_sample: int
    end_sample: int


def make_tag(
    title: str, artist: str, notes: str, cover: bytes | None, chapters: Sequence[Chapter]
) -> bytes:
    """Return an ID3v2.4 tag.

    Args:
        title: of the whole.
        artist: of the whole.
        notes: "" for none.
        cover: a JPEG.
        chapters: in order.
    """
    frames: list[id3.Frame] = [
        _text("TIT2", title),
        _text("TALB", title),
        _text("TPE1", artist),
        _text("TLEN", str(_ms(chapters[-1].end_sample))),
    ]
    if notes:
        frames.append(_text("COMM", notes, lang="XXX", desc=""))
    if cover is not None:
        picture = {"mime": "image/jpeg", "type": _FRONT_COVER, "desc": "", "data": cover}
        frames.append(_frame("APIC", encoding=_UTF_8, **picture))
    names = [f"chp{number}" for number in range(len(chapters))]
    frames += _tables(names)
    # One by one: mutagen would sort them by their sizes, and players list them as they stand.
    frames += [_chapter(name, chapter) for name, chapter in zip(names, chapters, strict=True)]
    body = b"".join(map(_written, frames))
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + size + body


def _written(frame: id3.Frame) -> bytes:
    """Return a frame as it stands in a tag."""
    tag = id3.ID3()  # type: ignore[no-untyped-call]
    tag.add(frame)  # type: ignore[no-untyped-call]
    file = io.BytesIO()
    tag.save(file, v1=0, v2_version=4, padding=lambda _: 0)
    return file.getvalue()[_HEADER_BYTES:]


def _tables(names: list[str]) -> list[id3.Frame]:
    """Return the table of contents, which lists others where the chapters are too many for one."""
    if len(names) <= _MOST_ENTRIES:
        return [_table("toc", names, _TOP)]
    parts = [names[at : at + _MOST_ENTRIES] for at in range(0, len(names), _MOST_ENTRIES)]
    titles = [f"toc{number}" for number in range(len(parts))]
    inner = [
        _table(title, part, id3.CTOCFlags.ORDERED)
        for title, part in zip(titles, parts, strict=True)
    ]
    return [_table("toc", titles, _TOP), *inner]


def _table(name: str, held: list[str], flags: int) -> id3.Frame:
    return _frame("CTOC", element_id=name, flags=flags, child_element_ids=held, sub_frames=[])


def _chapter(name: str, chapter: Chapter) -> id3.Frame:
    return _frame(
        "CHAP",
        element_id=name,
        start_time=_ms(chapter.start_sample),
        end_time=_ms(chapter.end_sample),
        start_offset=_NO_OFFSET,
        end_offset=_NO_OFFSET,
        sub_frames=[_text("TIT2", chapter.title)],
    )


def _ms(sample: int) -> int:
    return round(sample * 1000 / _RATE_HZ)


def _text(kind: str, text: str, **more: str) -> id3.Frame:
    return _frame(kind, encoding=_UTF_8, text=text, **more)


def _frame(kind: str, **fields: Any) -> id3.Frame:
    frame: id3.Frame = getattr(id3, kind)(**fields)
    return frame
