"""Near matches: entries and sources that a lookup may have meant."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..encoding.rendition import audio_key
from ..sources.source import Source
from .cache import AudioCache
from .facts import EntryFacts

_MOST_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class NearMatch:
    """A file that nearly matches, and in what way."""

    path: Path
    reason: str


def find_near_entries(
    cache: AudioCache, path: Path, source: Source | None, expected: Sequence[Path]
) -> list[NearMatch]:
    """Return entries that may belong to a source although lookups don't find them.

    Args:
        cache: the cache.
        path: of the source, normalised.
        source: what its header says, if it can be read.
        expected: the entries that lookups find, which are left out.
    """
    digest = expected[0].name.partition("_")[0]
    facts = cache.facts.entries()
    found = []
    for entry in sorted(cache.entries()):
        if entry in expected:
            continue
        if entry.name.startswith(digest):
            found.append(NearMatch(entry, "for this path, but at another quality or bitrate"))
        elif entry.name in facts:
            reason = _resemblance(facts[entry.name], path, source)
            if reason:
                found.append(NearMatch(entry, reason))
    return found[:_MOST_LISTED]


def find_near_sources(path: Path) -> list[NearMatch]:
    """Return files that a missing path may mean: similar, or the same but for case or Unicode."""
    alike = [each for each in _paths_alike(path) if each != path]
    if alike:
        return [NearMatch(each, _difference(path, each)) for each in alike][:_MOST_LISTED]
    parent = path.parent
    similar = difflib.get_close_matches(path.name, _names(parent), n=5, cutoff=0.6)
    reason = "with a similar name in the same folder"
    return [NearMatch(parent / name, reason) for name in similar]


def _resemblance(made: EntryFacts, path: Path, source: Source | None) -> str:
    where = os.fsencode(made.path).decode("utf-8", "replace")
    if source is not None and source.audio and made.id.startswith(audio_key(source.audio)):
        return f"the same audio, from {where}: was the library moved, or the file copied?"
    if _key(made.path.name) == _key(path.name):
        return f"of a file with the same name: {where}"
    return ""


def _paths_alike(path: Path) -> Iterable[Path]:
    """Yield existing paths that differ from this one only in case and Unicode normal form."""
    candidates = [Path(path.anchor)]
    for part in path.parts[1:]:
        candidates = [
            folder / name
            for folder in candidates
            for name in ([part] if os.path.lexists(folder / part) else _alike(folder, part))
        ]
    return candidates


def _alike(folder: Path, part: str) -> Iterator[str]:
    return (name for name in _names(folder) if _key(name) == _key(part))


def _difference(path: Path, other: Path) -> str:
    if _nfc(path) == _nfc(other):
        return "the same name, written with other Unicode characters (NFC or NFD)"
    return "the same name except for upper and lower case"


def _nfc(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
