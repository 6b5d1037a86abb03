"""The upgrade of entries of an earlier layout: their frames are kept, and nothing is encoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import AudioCacheError
from ..quality import parse_quality
from ..text import readable
from .cache import AudioCache
from .entry import Entry, Verdict, judge_alone, read_entry, stat_or_none


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of an entry.

    Args:
        path: the entry.
        is_needed: whether it is of an earlier layout, or was.
        problem: why it could not be taken over, in words; "" where it was, or needed nothing.
        source: what it says it was made from.
    """

    path: Path
    is_needed: bool = False
    problem: str = ""
    source: Path | None = None


def upgrade(cache: AudioCache, entries: Iterable[Path] | None = None) -> Iterator[Upgrade]:
    """Take over entries of an earlier layout, as the first play of each would; yield all of them.

    What cannot be taken over stays as it is: it is played where its source is gone, and else made
    anew at the next play.

    Args:
        cache: whose entries.
        entries: which; all by default.
    """
    for path in sorted(cache.entries()) if entries is None else entries:
        try:
            entry = read_entry(path)
            if entry is None or entry.legacy is None:
                yield Upgrade(path)
                continue
            problem = _take_over(cache, path, entry)
        except (AudioCacheError, OSError) as error:
            yield Upgrade(path, True, str(error))
            continue
        yield Upgrade(path, True, problem, entry.legacy.source_path)


def _take_over(cache: AudioCache, path: Path, entry: Entry) -> str:
    """Return why an entry cannot be taken over; "" where it was."""
    assert entry.legacy is not None
    source, quality = entry.legacy.source_path, parse_quality(entry.legacy.quality)
    status = stat_or_none(source)
    if status is None:
        return f"its source is gone: {readable(source)}"
    alone = judge_alone(entry, status)
    if not alone:
        return alone.value
    if cache.get_cache_path(source, quality) != path:
        return f"it is not under the name that {readable(source)} has at its bitrate"
    found = cache.find(source, quality, status)
    return found.value if isinstance(found, Verdict) else ""
