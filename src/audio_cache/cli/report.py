"""The output of `audio-cache`: values as lines for people and as JSON for scripts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..batch.estimate import Plan, Speed
from ..store.explanation import Explanation, QualityExplanation
from ..store.stats import CacheStats
from ..store.upgrade import Upgrade
from ..store.verify import Inspection, State
from ..text import bytes_in_words, counted, readable, seconds_in_words


def count_entries(number: int) -> str:
    """Return a number of entries in words."""
    return counted(number, "entry", "entries")


def stats_as_lines(cache_dir: Path, stats: CacheStats) -> list[str]:
    """Return what a cache holds, for people."""
    size = bytes_in_words(stats.size_bytes)
    lines = [f"{readable(cache_dir)}: {count_entries(stats.entries)}, {size}"]
    for quality, each in stats.qualities.items():
        if each.entries:
            sizes = f"{bytes_in_words(each.size_bytes)} for {bytes_in_words(each.source_bytes)}"
            lines.append(f"  {quality:<7} {each.entries:>7,}  {sizes}, {each.saving:.0%} saved")
    if stats.foreign:
        size = bytes_in_words(stats.foreign_bytes)
        lines.append(f"  foreign {stats.foreign:>7,}  {size}, not made by audio_cache")
    if stats.partials:
        size = bytes_in_words(stats.partial_bytes)
        lines.append(f"  partial {stats.partials:>7,}  {size}, in progress or to be resumed")
    sources = f"{counted(stats.sources, 'source')} of {bytes_in_words(stats.source_bytes)}"
    return [*lines, f"encoded from {sources}"]


def stats_as_json(cache_dir: Path, stats: CacheStats) -> dict[str, Any]:
    """Return what a cache holds, for scripts; sizes are in bytes."""
    qualities = {
        quality: {**asdict(each), "saving": round(each.saving, 4)}
        for quality, each in stats.qualities.items()
    }
    return {
        "cache_dir": os.fspath(cache_dir),
        "entries": stats.entries,
        "size_bytes": stats.size_bytes,
        **asdict(stats),
        "qualities": qualities,
    }


def inspection_as_line(found: Inspection) -> str:
    """Return the result of checking an entry, for people."""
    origin = f", made from {readable(found.source)}" if found.source else ""
    return f"{found.state.value:<8} {readable(found.path.name)}{origin}: {found.reason}"


def inspection_as_json(found: Inspection) -> dict[str, Any]:
    """Return the result of checking an entry, for scripts."""
    return {
        "path": os.fspath(found.path),
        "state": found.state.value,
        "reason": found.reason,
        "source": os.fspath(found.source) if found.source else None,
        "quality": found.quality,
    }


def upgrade_as_line(upgrade: Upgrade) -> str:
    """Return why an entry was not taken over, for people."""
    return f"{readable(upgrade.path.name)}: {upgrade.problem}"


def upgrades_as_json(upgrades: Sequence[Upgrade]) -> dict[str, Any]:
    """Return what became of the entries of earlier versions, for scripts."""
    left = [each for each in upgrades if each.problem]
    return {
        "taken_over": len(upgrades) - len(left),
        "left": [
            {
                "path": os.fspath(each.path),
                "problem": each.problem,
                "source": os.fspath(each.source) if each.source else None,
            }
            for each in left
        ],
    }


def states_in_words(counts: Counter[State]) -> str:
    """Return how many entries there are in each state."""
    parts = [f"{counts[state]} {state.value}" for state in State if counts[state]]
    return f"{count_entries(counts.total())}: {', '.join(parts)}" if parts else "no entries"


def plan_as_lines(plan: Plan) -> list[str]:
    """Return what would be done, for people."""
    audio = f", {seconds_in_words(plan.audio_s)} of audio" if plan.tracks else ""
    return [
        f"{counted(len(plan.tracks), 'track')} to encode{audio}",
        *(f"{counted(count, 'track')} to skip: {why}" for why, count in plan.skipped.items()),
        *(f"cannot be read: {readable(path)} ({why})" for path, why in plan.failures.items()),
    ]


def cost_as_lines(plan: Plan, speed: Speed, jobs: int, free_bytes: int) -> list[str]:
    """Return how much time and space a plan takes."""
    kind = "a measured" if speed.is_measured else "an assumed"
    speed_words = f"at {kind} {speed.factor:.0f} × real time per encoder"
    space = f"{bytes_in_words(plan.size_bytes)} of space"
    lines = [
        f"about {seconds_in_words(plan.time_s(speed, jobs))}, {speed_words}",
        f"{space}, with {bytes_in_words(free_bytes)} free",
    ]
    if plan.unknown:
        what = counted(plan.unknown, "track")
        lines.append(f"not counted: {what} whose length is unknown until decoded")
    return lines


def explanation_as_lines(explanation: Explanation) -> list[str]:
    """Return why a track is, or isn't, played from the cache, for people."""
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


def _source_in_words(explanation: Explanation) -> str:
    source = explanation.source
    if not explanation.exists:
        return "missing (its cached files stay valid)"
    if source is None:
        return "exists, but cannot be read"
    kind = "lossless" if explanation.lossless else "lossy: played as it is"
    length = f"{source.duration_s:.3f} s" if source.duration_s else "unknown length"
    return f"{source.codec}, {source.rate_hz} Hz, {length}, {source.size_bytes:,} bytes, {kind}"


def _quality_in_words(each: QualityExplanation) -> list[str]:
    state = "VALID" if each.verdict else "not valid"
    lines = [f"{each.quality:<9} {readable(each.path)}"]
    lines.append(f"          {state}" + ("" if each.verdict else f": {each.reason}"))
    made = each.identity
    if made is not None:
        if each.origin is not None:
            lines.append(f"          made from {readable(each.origin)}")
        lines.append(f"          {made.samples:,} samples in {made.frames:,} frames")
        identity = f"object {each.object_id}, " if each.object_id else ""
        lines.append(f"          {identity}by {made.encoder}")
    if each.partial is not None:
        whose = (
            "being written" if each.partial.is_being_written else "left by an interrupted encode"
        )
        length = f" of {each.partial.of_bytes:,}" if each.partial.of_bytes else ""
        lines.append(f"          partial file: {each.partial.size_bytes:,}{length} bytes, {whose}")
    return lines
