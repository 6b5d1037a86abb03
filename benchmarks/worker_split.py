"""One long track on all cores, beside as many independent ffmpegs as there are cores."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from audio_cache.cache_worker import CacheWorker

from .machine import chosen_ffmpeg, usable_cores
from .music import cut, find_music, work_folder
from .result import Figure, Result, alternate

USES_MUSIC = True
QUICK = False
SMALL = bool(os.environ.get("BENCH_SMALL"))
MINUTES = 5 if SMALL else 60
ROUNDS = 1 if SMALL else int(os.environ.get("BENCH_WORKER_ROUNDS", "3"))
BAR = 0.95


def run() -> Result:
    """Time one worker and all, and one ffmpeg and as many as there are cores, in turn."""
    cores = usable_cores()
    with tempfile.TemporaryDirectory(prefix="split-", dir=work_folder()) as folder:
        track = cut(find_music().pieces[0], MINUTES * 60, Path(folder, "long.flac"))
        samples = alternate(
            ROUNDS,
            one_worker=partial(_time_worker, track, 1),
            all_workers=partial(_time_worker, track, cores),
            one_ffmpeg=partial(_time_ffmpegs, track, 1),
            all_ffmpegs=partial(_time_ffmpegs, track, cores),
        )
    ours = median(samples["one_worker"]) / median(samples["all_workers"])
    theirs = cores * median(samples["one_ffmpeg"]) / median(samples["all_ffmpegs"])
    return Result(
        title=f"One track of {MINUTES} minutes on {cores} cores",
        figures=(
            Figure("our scaling / that of independent ffmpegs", ours / theirs, "", BAR, True),
            Figure(f"{cores} workers against one", ours, "×"),
            Figure(f"{cores} independent ffmpegs against one", theirs, "×"),
            Figure("one worker", MINUTES * 60 / median(samples["one_worker"]), "× real time"),
            Figure("all workers", MINUTES * 60 / median(samples["all_workers"]), "× real time"),
        ),
        samples={name.replace("_", " "): values for name, values in samples.items()},
        unit="s",
        notes=(
            f"“all ffmpegs” encodes the track {cores} times, once on each core; what one worker "
            "and all workers write is the same, byte for byte.",
        ),
    )


def _time_worker(track: Path, workers: int) -> float:
    with tempfile.TemporaryDirectory(prefix="cache-", dir=work_folder()) as folder:
        cache = AudioCache(Path(folder), ffmpeg=chosen_ffmpeg().path, nice=0)
        began = time.perf_counter()
        CacheWorker(cache, max_workers=workers).cache_mixtape_async([track], ["medium"])
        took_s = time.perf_counter() - began
        if not cache.is_cached(track, "medium"):
            raise SystemExit("the track could not be cached")
        return took_s


def _time_ffmpegs(track: Path, count: int) -> float:
    """Return the seconds that so many ffmpegs take that all do the plain job at the same time."""
    plain = ("-threads", "1", "-i", track, "-vn", "-c:a", "libmp3lame", "-b:a", "192k", "-f", "mp3")
    quiet = ("-nostdin", "-v", "error", "-y")
    with tempfile.TemporaryDirectory(prefix="plain-", dir=work_folder()) as folder:
        began = time.perf_counter()
        processes = [
            subprocess.Popen([chosen_ffmpeg().path, *quiet, *plain, Path(folder, f"{number}.mp3")])
            for number in range(count)
        ]
        codes = [process.wait() for process in processes]
        if any(codes):
            raise SystemExit("ffmpeg failed")
        return time.perf_counter() - began
