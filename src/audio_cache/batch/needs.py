"""The tracks that have to be encoded, judging by what the cache holds now."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import AudioCacheError
from ..quality import QUALITY_SETTINGS, QualityLevel
from ..store.cache import AudioCache
from ..store.entry import Verdict, read_entry, stat_or_none
from .outcome import ALREADY_CACHED, MISSING, NOT_NEEDED, Fate, Outcome


def look_up(
    cache: AudioCache, path: Path, qualities: Sequence[QualityLevel], logger: logging.Logger
) -> Outcome | None:
    """Return the outcome of a track that needs no encoding; None if it does.

    A missing file is warned about, unless all its qualities are cached.
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


def find_outdated(
    cache: AudioCache,
    wanted: Mapping[Path, Sequence[QualityLevel]] | None = None,
    *,
    with_absent: bool = False,
    on_source: Callable[[int, int], None] = lambda done, total: None,
) -> dict[Path, list[QualityLevel]]:
    """Return by source the qualities whose entries are no longer valid.

    Args:
        cache: the cache to check.
        wanted: the sources to check, and at which qualities; None means every source that has
            something cached and still exists, at every quality.
        with_absent: include what has no entry yet.
        on_source: is called with how many sources were checked, and how many there are.
    """
    if wanted is None:
        wanted = dict.fromkeys(_cached_sources(cache), tuple(QUALITY_SETTINGS))
    found = {}
    for done, (path, qualities) in enumerate(wanted.items(), 1):
        if stale := outdated(cache, path, qualities, with_absent=with_absent):
            found[path] = stale
        on_source(done, len(wanted))
    return found


def missing(
    cache: AudioCache, paths: Iterable[Path], qualities: Sequence[QualityLevel]
) -> dict[Path, list[QualityLevel]]:
    """Return by track the qualities that have to be encoded.

    Lossy and missing tracks are left out, as nothing can be done for them.
    """
    todo = find_outdated(cache, dict.fromkeys(map(Path, paths), qualities), with_absent=True)
    return {path: lacks for path, lacks in todo.items() if not is_missing(path)}


def outdated(
    cache: AudioCache,
    path: Path,
    qualities: Sequence[QualityLevel],
    *,
    with_absent: bool = True,
) -> list[QualityLevel]:
    """Return the qualities of a lossless track that have no valid entry."""
    done = (Verdict.VALID,) if with_absent else (Verdict.VALID, Verdict.ABSENT)
    lacks: list[QualityLevel] = [
        each
        for each in qualities
        if each != "original"
        and _judge(cache, path, each) not in done
        and not is_behind(cache, path, each)
    ]
    return lacks if lacks and cache.should_transcode(path) else []


def is_valid(cache: AudioCache, path: Path, quality: QualityLevel) -> bool:
    """Say whether a track need not be encoded at a quality: it has a valid entry, here or behind.

    If that can't be read, it has none.
    """
    return _judge(cache, path, quality) is Verdict.VALID or is_behind(cache, path, quality)


def is_behind(cache: AudioCache, path: Path, quality: QualityLevel) -> bool:
    """Say whether another node has made a track, as far as its header tells what it is."""
    if cache.backing is None or quality == "original":
        return False
    try:
        rendition = cache.recall(cache.get_rendition(path, quality))
    except (AudioCacheError, OSError):
        return False
    return cache.backing.has(rendition)


def is_missing(path: Path) -> bool:
    """Say whether a source is missing; if that can't be determined, it isn't."""
    try:
        return stat_or_none(path) is None
    except OSError:
        return False


def _judge(cache: AudioCache, path: Path, quality: QualityLevel) -> Verdict | None:
    """Return the verdict on an entry; None if it can't be read, which encoding will explain."""
    try:
        return cache.examine(path, quality)
    except OSError:
        return None


def _cached_sources(cache: AudioCache) -> Iterator[Path]:
    """Yield the sources of entries, as far as they are known and still exist."""
    known = cache.facts.entries()
    for entry in cache.entries():
        with contextlib.suppress(OSError):
            source = known[entry.name].path if entry.name in known else _legacy_source(entry)
            if source is not None and stat_or_none(source) is not None:
                yield source


def _legacy_source(entry: Path) -> Path | None:
    """Return what an entry of an earlier layout says it was made from."""
    found = read_entry(entry)
    return found.legacy.source_path if found is not None and found.legacy is not None else None
