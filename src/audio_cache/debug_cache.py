"""Why a track is, or is not, in the cache: `python -m audio_cache.debug_cache` explains a lookup.

Nothing is changed and nothing is encoded.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .encoding.rendition import Identity
from .quality import QUALITY_SETTINGS, QualityLevel
from .sources.source import Source, is_lossless, read_source
from .store.cache import entry_name
from .store.entry import Entry, Verdict, judge, read_entry, stat_or_none
from .store.near_matches import NearMatch, find_near_entries, find_near_sources
from .store.partial import is_locked, partial_path
from .text import readable


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The unfinished file of an entry; `of_bytes` is None where it does not say yet."""

    size_bytes: int
    of_bytes: int | None
    is_being_written: bool


@dataclass(frozen=True, slots=True)
class QualityExplanation:
    """What the cache has of a source at one quality.

    `verdict` is None where the entry cannot be read; `reason` then says why.
    """

    quality: QualityLevel
    path: Path
    exists: bool
    verdict: Verdict | None
    reason: str
    identity: Identity | None = None
    partial: PartialFile | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A lookup, explained.

    Args:
        path: of the source, absolute and normalised.
        hash: its MD5, which the names of its entries begin with.
        exists: whether the source is there.
        lossless: whether it is one to transcode; where it is missing, by its name.
        source: what its header says; None where it is missing or unreadable.
        problem: why the source or the cache directory cannot be read; empty where both can.
        qualities: what the cache has, best quality first.
        near: files that may be meant instead.
    """

    path: Path
    hash: str
    exists: bool
    lossless: bool
    source: Source | None
    problem: str
    qualities: tuple[QualityExplanation, ...]
    near: tuple[NearMatch, ...] = field(default=())


def explain(music_root: Path, rel_path: Path | str, cache_dir: Path) -> Explanation:
    """Explain the lookup of a track.

    Args:
        music_root: the music folder.
        rel_path: the track in it; an absolute path stands on its own.
        cache_dir: the cache; it may be missing.
    """
    name = os.path.abspath(os.path.join(music_root, rel_path))
    directory = Path(os.path.abspath(cache_dir))
    source, problem = _read_source(name)
    if not directory.is_dir():
        problem = f"there is no cache directory {readable(directory)}"
    qualities = tuple(_explain_quality(directory, name, quality) for quality in QUALITY_SETTINGS)
    expected = [each.path for each in qualities]
    near = find_near_entries(directory, Path(name), source, expected)
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


def describe(explanation: Explanation) -> list[str]:
    """Return an explanation as lines for people."""
    lines = [
        f"path      {readable(explanation.path)}",
        f"hash      {explanation.hash}",
        f"source    {_source_in_words(explanation)}",
    ]
    if explanation.problem:
        lines.append(f"problem   {explanation.problem}")
    for each in explanation.qualities:
        lines += ["", *_quality_in_words(each)]
    if explanation.near:
        lines += ["", "near matches:"]
        lines += [f"  {readable(near.path)}\n    {near.reason}" for near in explanation.near]
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Explain the lookup that the command line names; 0 where some quality can be played."""
    parser = argparse.ArgumentParser(prog="python -m audio_cache.debug_cache", description=__doc__)
    parser.add_argument("music_root", metavar="MUSIC_ROOT", type=Path)
    parser.add_argument("rel_path", metavar="REL_PATH", help="the track, relative to MUSIC_ROOT")
    parser.add_argument("cache_dir", metavar="CACHE_DIR", type=Path)
    arguments = parser.parse_args(argv)
    explanation = explain(arguments.music_root, arguments.rel_path, arguments.cache_dir)
    sys.stdout.write("\n".join(describe(explanation)) + "\n")
    return 0 if any(each.verdict for each in explanation.qualities) else 1


def _read_source(name: str) -> tuple[Source | None, str]:
    try:
        return read_source(name), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"the source cannot be read: {error.strerror or error}"


def _explain_quality(directory: Path, name: str, quality: QualityLevel) -> QualityExplanation:
    path = directory / entry_name(name, quality)
    partial = _find_partial(path)
    try:
        entry = read_entry(path)
        verdict = judge(entry, stat_or_none(name))
    except OSError as error:
        return QualityExplanation(quality, path, True, None, str(error), None, partial)
    identity = entry.identity if entry else None
    reason = _reason(verdict, entry, name)
    return QualityExplanation(quality, path, entry is not None, verdict, reason, identity, partial)


def _reason(verdict: Verdict, entry: Entry | None, name: str) -> str:
    """Return a verdict with the facts that led to it."""
    if verdict is Verdict.INCOMPLETE and entry is not None:
        return f"{verdict.value}: {entry.size_bytes:,} bytes instead of {entry.expected_size():,}"
    status = stat_or_none(name)
    if verdict is Verdict.SOURCE_CHANGED and entry is not None and entry.identity and status:
        made = entry.identity
        changes = []
        if made.size_bytes != status.st_size:
            changes.append(f"it had {made.size_bytes:,} bytes and has {status.st_size:,}")
        if made.mtime_ns != status.st_mtime_ns:
            changes.append(f"its time was {made.mtime_ns} and is {status.st_mtime_ns} (in ns)")
        return f"{verdict.value}: {', '.join(changes)}"
    return verdict.value


def _find_partial(entry: Path) -> PartialFile | None:
    path = partial_path(entry)
    try:
        made = read_entry(path)
        if made is None:
            return None
        length = made.expected_size() if made.identity else None
        return PartialFile(made.size_bytes, length, is_locked(path))
    except OSError:
        return None


def _source_in_words(explanation: Explanation) -> str:
    source = explanation.source
    if not explanation.exists:
        return "missing (an entry of it stays valid)"
    if source is None:
        return "there, but it cannot be read"
    kind = "lossless" if explanation.lossless else "lossy: it is played as it is"
    length = f"{source.duration_s:.3f} s" if source.duration_s else "unknown length"
    return f"{source.codec}, {source.rate_hz} Hz, {length}, {source.size_bytes:,} bytes, {kind}"


def _quality_in_words(each: QualityExplanation) -> list[str]:
    state = "VALID" if each.verdict else "not valid"
    lines = [f"{each.quality:<9} {readable(each.path)}"]
    lines.append(f"          {state}" + ("" if each.verdict else f": {each.reason}"))
    made = each.identity
    if made is not None:
        lines.append(f"          made from {readable(made.source_path)}")
        lines.append(f"          {made.samples:,} samples in {made.frames:,} frames")
        lines.append(f"          {made.fingerprint}, by {made.encoder}")
    if each.partial is not None:
        whose = "being written" if each.partial.is_being_written else "left by an ended encode"
        length = f" of {each.partial.of_bytes:,}" if each.partial.of_bytes else ""
        lines.append(f"          partial file: {each.partial.size_bytes:,}{length} bytes, {whose}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
