"""Lyrics inside audio files, read in a sandbox: a file may harm whoever unpacks its tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import mutagen

from .lyrics import MAX_TEXT_BYTES, Lyrics, clean_language, read_lyrics
from .opening import Identity, opened_again
from .sandbox import SANDBOXES
from .tags import clean_text

# As tags of Vorbis, APE, MP4 and free ID3 frames are called; those with times come first.
_NAMES: Final = ("syncedlyrics", "lyrics", "unsyncedlyrics", "unsynced lyrics", "\xa9lyr")
_FREEFORM: Final = "----:com.apple.itunes:"
# ID3v2.4, 4.9: times are milliseconds, and the text is that of the song.
_MILLISECONDS: Final = 2
_SONG: Final = 1
_MOST: Final = 20
# A language, and either a text or lines with their times.
_Found = tuple[str, str | list[tuple[str, int]]]


def read_tagged_lyrics(path: Path, known: Identity) -> tuple[Lyrics, ...]:
    """Return the lyrics inside a file, those that are synced first.

    Args:
        known: of the open file that the path has to stand for.

    Raises:
        SandboxError: the content ends what reads it.
        OSError, ValueError: the file cannot be read.
    """
    _, content = SANDBOXES.ask("lyrics", {"path": str(path), "known": known})
    found = [_lyrics(*each) for each in json.loads(content)]
    return tuple(
        sorted((each for each in found if each is not None), key=lambda each: not each.is_synced)
    )


def read_lyrics_here(path: Path, known: Identity | None) -> bytes:
    """Return the lyrics inside a file as JSON, read by this process."""
    with opened_again(path, known) as opened:
        file = mutagen.File(opened)
    found = [] if file is None or file.tags is None else list(_find(file.tags))
    return json.dumps(found[:_MOST]).encode("ascii")


def _find(tags: Any) -> Iterator[_Found]:
    if hasattr(tags, "getall"):  # ID3
        for frame in tags.getall("SYLT"):
            if frame.format == _MILLISECONDS and frame.type == _SONG:
                lines = [(words[:1000], start_ms) for words, start_ms in frame.text]
                yield frame.lang, lines[:5000]
        for frame in tags.getall("USLT"):
            yield frame.lang, frame.text[:MAX_TEXT_BYTES]
        for frame in tags.getall("TXXX"):
            if frame.desc.lower() in _NAMES:
                yield from (("", str(text)[:MAX_TEXT_BYTES]) for text in frame.text)
        return
    names = {key.lower().removeprefix(_FREEFORM): key for key in list(tags.keys())}
    for name in _NAMES:
        for value in _values(tags[names[name]]) if name in names else ():
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield "", text[:MAX_TEXT_BYTES]


def _values(value: Any) -> list[Any]:
    if isinstance(value, str | bytes):
        return [value]
    try:
        return list(value)
    except TypeError:  # a binary APEv2 value
        return []


def _lyrics(language: str, words: str | list[tuple[str, int]]) -> Lyrics | None:
    if isinstance(words, str):
        return read_lyrics(words, language)
    lines = [(start_ms, clean_text(text)) for text, start_ms in words]
    if not any(text for _, text in lines):
        return None
    return Lyrics(tuple(sorted(lines)), clean_language(language))
