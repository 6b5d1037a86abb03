"""An explanation of a lookup: what is cached of a track, why it is valid or not, near matches."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..encoding.rendition import Identity
from ..encoding.survey import Damage
from ..errors import AudioCacheError
from ..quality import QUALITY_SETTINGS, QualityLevel
from ..sources.source import Source, is_lossless, read_source
from ..text import readable
from .cache import AudioCache
from .entry import Entry, Verdict, entry_name, read_entry, stat_or_none
from .near_matches import NearMatch, find_near_entries, find_near_sources
from .partial import is_locked


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The unfinished file of an entry; `of_bytes` is None if it isn't known yet."""

    size_bytes: int
    of_bytes: int | None
    is_being_written: bool


@dataclass(frozen=True, slots=True)
class QualityExplanation:
    """What is cached of a source at one quality.

    `verdict` is None if the entry cannot be read; `reason` then says why. `origin` is the source
    that it was made from, and `object_id` the id of a valid one.
    """

    quality: QualityLevel
    path: Path
    exists: bool
    verdict: Verdict | None
    reason: str
    identity: Identity | None = None
    partial: PartialFile | None = None
    origin: Path | None = None
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A lookup, explained.

    Args:
        path: the source's, absolute and normalised.
        hash: the path's MD5, with which the names of its entries begin.
        exists: whether the source exists.
        lossless: whether it would be transcoded; judged by its name if it is missing.
        source: what its header says; None if it is missing or unreadable.
        problem: why the source or the cache directory cannot be read; empty if both can.
        qualities: what is cached, the best quality first.
        near: files that may have been meant instead.
    """

    path: Path
    hash: str
    exists: bool
    lossless: bool
    source: Source | None
    problem: str
    qualities: tuple[QualityExplanation, ...]
    near: tuple[NearMatch, ...] = field(default=())

    @property
    def is_playable(self) -> bool:
        """Say whether some quality can be played from the cache."""
        return any(each.verdict for each in self.qualities)


def explain(music_root: Path, rel_path: Path | str, cache_dir: Path) -> Explanation:
    """Explain the lookup of a track; nothing is changed and nothing is encoded.

    Args:
        music_root: the music folder.
        rel_path: the track in it; an absolute path ignores the folder.
        cache_dir: the cache, which may be missing.
    """
    name = os.path.abspath(os.path.join(music_root, rel_path))
    directory = Path(os.path.abspath(cache_dir))
    source, problem = _read_source(name)
    if not directory.is_dir():
        problem = f"there is no cache directory {readable(directory)}"
    # An AudioCache makes its directory; a misspelt one has to stay missing.
    cache = AudioCache(directory) if directory.is_dir() else None
    qualities = tuple(
        _explain_quality(cache, directory, name, quality) for quality in QUALITY_SETTINGS
    )
    expected = [each.path for each in qualities]
    near = find_near_entries(cache, Path(name), source, expected) if cache else []
    if stat_or_none(name) is None:
        near = [*find_near_sources(Path(name)), *near]
    return Explanation(
        path=Path(name),
        hash=expected[0].name.partition("_")[0],
        exists=stat_or_none(name) is not None,
        lossless=is_lossless(name),
        source=source,
        problem=problem,
        qualities=qualities,
        near=tuple(near),
    )


def _read_source(name: str) -> tuple[Source | None, str]:
    try:
        return read_source(name), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"the source cannot be read: {error.strerror or error}"


def _explain_quality(
    cache: AudioCache | None, directory: Path, name: str, quality: QualityLevel
) -> QualityExplanation:
    path = directory / entry_name(name, quality)
    if cache is None:
        return QualityExplanation(quality, path, False, Verdict.ABSENT, Verdict.ABSENT.value)
    partial = _find_partial(cache, path)
    try:
        found = cache.find(name, quality)
        entry = read_entry(path)
    except (AudioCacheError, OSError) as error:
        return QualityExplanation(quality, path, True, None, str(error), partial=partial)
    verdict = found if isinstance(found, Verdict) else Verdict.VALID
    damage = cache.damages.now(name) if verdict is Verdict.ABSENT else None
    return QualityExplanation(
        quality=quality,
        path=path,
        exists=entry is not None,
        verdict=verdict,
        reason=_reason(verdict, entry, damage),
        identity=entry.identity if entry else None,
        partial=partial,
        origin=cache.facts.source_of(path.name),
        object_id="" if isinstance(found, Verdict) else found.etag,
    )


def _reason(verdict: Verdict, entry: Entry | None, damage: Damage | None) -> str:
    """Return a verdict with the facts behind it."""
    if damage is not None:
        where = "" if damage.at_s is None else f" at {damage.at_s:.1f} s"
        return f"{verdict.value}, and none is made: the source is damaged{where}"
    if verdict is Verdict.INCOMPLETE and entry is not None:
        return f"{verdict.value}: {entry.size_bytes:,} bytes instead of {entry.expected_size():,}"
    return verdict.value


def _find_partial(cache: AudioCache, entry: Path) -> PartialFile | None:
    for path in cache.partials():
        if path.name.startswith(f"{entry.name}."):
            with contextlib.suppress(OSError):
                made = read_entry(path)
                if made is not None:
                    length = made.expected_size() if made.identity else None
                    return PartialFile(made.size_bytes, length, is_locked(path))
    return None
