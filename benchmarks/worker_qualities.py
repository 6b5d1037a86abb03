"""Three qualities of a track from one decode, beside three passes of ffmpeg, and three of ours."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from audio_cache.cache_worker import CacheWorker
from audio_cache.quality import QUALITY_SETTINGS, QualityLevel

from .batch import with_xargs
from .machine import chosen_ffmpeg, usable_cores
from .music import find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio

USES_MUSIC = True
QUICK = False
SMALL = bool(os.environ.get("BENCH_SMALL"))
TRACKS = 4 if SMALL else 20
ROUNDS = 1 if SMALL else int(os.environ.get("BENCH_WORKER_ROUNDS", "3"))
BAR = 0.70
QUALITIES: tuple[QualityLevel, ...] = ("high", "medium", "low")


def run() -> Result:
    """Cache the same tracks in one pass and in three, in turn with three passes of ffmpeg."""
    tracks = [piece.path for piece in find_music(TRACKS).pieces]
    samples = alternate(
        ROUNDS,
        together=partial(_time_passes, tracks, [QUALITIES]),
        plain=partial(_time_plain_passes, tracks),
        separate=partial(_time_passes, tracks, [[quality] for quality in QUALITIES]),
    )
    together, plain, separate = samples["together"], samples["plain"], samples["separate"]
    return Result(
        title=f"Three qualities of {len(tracks)} tracks: one pass against three",
        figures=(
            Figure("time, beside three passes of ffmpeg", paired_ratio(together, plain), "×", BAR),
            Figure("time, beside three passes of ours", paired_ratio(together, separate), "×"),
            Figure("one pass, all qualities from one decode", median(together), "s"),
            Figure("three passes of `xargs ffmpeg`", median(plain), "s"),
            Figure("three passes of ours, one for each quality", median(separate), "s"),
        ),
        samples={"one pass": together, "ffmpeg, three": plain, "ours, three": separate},
        unit="s",
        notes=(f"{usable_cores()} at a time; one pass of ours and three write the same files.",),
    )


def _time_plain_passes(tracks: Sequence[Path]) -> float:
    """Return the seconds that ffmpeg alone takes, quality by quality."""
    with tempfile.TemporaryDirectory(prefix="qualities-", dir=work_folder()) as folder:
        began = time.perf_counter()
        for quality in QUALITIES:
            passed = Path(folder, quality)
            passed.mkdir()
            with_xargs(tracks, passed, QUALITY_SETTINGS[quality]["bitrate"])
        return time.perf_counter() - began


def _time_passes(tracks: Sequence[Path], passes: Sequence[Sequence[QualityLevel]]) -> float:
    """Return the seconds that so many passes over the tracks take, from an empty cache on."""
    with tempfile.TemporaryDirectory(prefix="qualities-", dir=work_folder()) as folder:
        # Not nice, or other work on the machine would be measured instead.
        cache = AudioCache(Path(folder), ffmpeg=chosen_ffmpeg().path, nice=0)
        worker = CacheWorker(cache, max_workers=usable_cores())
        began = time.perf_counter()
        for qualities in passes:
            results = worker.cache_mixtape_async(tracks, qualities)
            if not all(all(result.values()) for result in results.values()):
                raise SystemExit("a track could not be cached")
        return time.perf_counter() - began
