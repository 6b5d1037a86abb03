"""Tracks that have to be encoded, told from what the cache holds now."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..quality import QualityLevel, parse_quality
from ..store.cache import AudioCache
from ..store.entry import Verdict, judge, read_entry, stat_or_none
from .outcome import ALREADY_CACHED, MISSING, NOT_NEEDED, Fate, Outcome


def look_up(
    cache: AudioCache, path: Path, qualities: Sequence[QualityLevel], logger: logging.Logger
) -> Outcome | None:
    """Return what becomes of a track that needs no encoder; None where it needs one.

    A missing file is warned about. One whose qualities are all cached is not missed.
    """
    encoded = [quality for quality in qualities if quality != "original"]
    available = dict.fromkeys(qualities, True)
    if encoded and all(is_valid(cache, path, quality) for quality in encoded):
        return Outcome(Fate.SKIPPED, ALREADY_CACHED, available)
    is_lossy = not cache.should_transcode(path)
    if is_missing(path):
        logger.warning("there is no file %r", str(path))
        cached = {each: cache.is_cached(path, each) for each in qualities}
        return Outcome(Fate.SKIPPED, MISSING, cached, is_lossy=is_lossy)
    if is_lossy:
        return Outcome(Fate.SKIPPED, NOT_NEEDED, available, is_lossy=True)
    return None if encoded else Outcome(Fate.SKIPPED, ALREADY_CACHED, available)


def missing(
    cache: AudioCache, paths: Iterable[Path], qualities: Sequence[QualityLevel]
) -> dict[Path, list[QualityLevel]]:
    """Return by track the qualities that have to be encoded, from what the cache holds now.

    Lossy and missing tracks are left out, as nothing can be done for them.
    """
    todo = {}
    for path in dict.fromkeys(map(Path, paths)):
        lacks = outdated(cache, path, qualities)
        if lacks and not is_missing(path):
            todo[path] = lacks
    return todo


def outdated(
    cache: AudioCache, path: Path, qualities: Sequence[QualityLevel]
) -> list[QualityLevel]:
    """Return the qualities of a lossless track that have no valid entry."""
    lacks: list[QualityLevel] = [each for each in qualities if each != "original"]
    lacks = [each for each in lacks if not is_valid(cache, path, each)]
    return lacks if lacks and cache.should_transcode(path) else []


def is_valid(cache: AudioCache, path: Path, quality: QualityLevel) -> bool:
    """Say whether a quality of a track has a valid entry; where that cannot be seen, it has not."""
    try:
        return cache.examine(path, quality) is Verdict.VALID
    except OSError:
        # Whoever tries to make it will be told what is wrong.
        return False


def is_missing(path: Path) -> bool:
    """Say whether a source is not there; where that cannot be told, it counts as there."""
    try:
        return stat_or_none(path) is None
    except OSError:
        return False


def find_outdated(cache: AudioCache) -> Iterator[tuple[Path, QualityLevel]]:
    """Yield source and quality of each entry that its source, which is there, has outgrown."""
    for path in cache.entries():
        with contextlib.suppress(OSError):
            entry = read_entry(path)
            if entry is None or entry.identity is None:
                continue
            source = entry.identity.source_path
            status = stat_or_none(source)
            quality = parse_quality(entry.identity.quality)
            is_own = cache.get_cache_path(source, quality) == path
            if status is not None and is_own and judge(entry, status) is not Verdict.VALID:
                yield source, quality
