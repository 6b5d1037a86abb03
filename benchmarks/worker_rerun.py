"""A second run over tracks that are all cached: what a save of a large mixtape costs."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import time
import wave
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from audio_cache.cache_worker import CacheWorker
from audio_cache.progress_tracker import ProgressCallback, ProgressTracker

from .machine import chosen_ffmpeg
from .music import work_folder
from .result import Figure, Result, alternate

SMALL = bool(os.environ.get("BENCH_SMALL"))
TRACKS = 1_000 if SMALL else 10_000
ROUNDS = 5
BAR_S = 1.0 * TRACKS / 10_000
WITH_PROGRESS_S = 0.8 * TRACKS / 10_000


def run() -> Result:
    """Time the second run, with and without progress, beside the system calls that it needs."""
    with tempfile.TemporaryDirectory(prefix="rerun-", dir=work_folder()) as folder:
        cache = AudioCache(Path(folder, "cache"), ffmpeg=chosen_ffmpeg().path)
        tracks = _make_cached_tracks(cache, Path(folder, "music"))
        samples = alternate(
            ROUNDS,
            without_progress=partial(_time_run, cache, tracks, False),
            with_progress=partial(_time_run, cache, tracks, True),
            after_a_restart=partial(_time_run_after_a_restart, cache, tracks),
            system_calls=partial(_time_system_calls, cache, tracks),
        )
    return Result(
        title=f"A second run over {TRACKS:,} cached tracks",
        figures=(
            Figure("cache_mixtape_async", median(samples["without_progress"]), "s", BAR_S),
            Figure(
                "the same with a progress stream",
                median(samples["with_progress"]),
                "s",
                WITH_PROGRESS_S,
            ),
            Figure("the same after a restart", median(samples["after_a_restart"]), "s"),
            Figure("its system calls alone", median(samples["system_calls"]), "s"),
        ),
        samples={name.replace("_", " "): values for name, values in samples.items()},
        unit="s",
        notes=(
            "Small files three folders deep. Of each track the entry and the source are looked at; "
            "after a restart the identity in the entry is read, too, and compared with the index. "
            "No ffmpeg is started.",
        ),
        limit=BAR_S,
    )


def _make_cached_tracks(cache: AudioCache, music: Path) -> list[Path]:
    """Make many tracks, copies of one, so that the cache makes their entries without encoding."""
    first = music / "Artist" / "Album 0" / "Disc 1" / "00000.wav"
    first.parent.mkdir(parents=True)
    with wave.open(str(first), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(4 * 4_410))
    cache.transcode_file(first)
    tracks = [first]
    for number in range(1, TRACKS):
        path = music / "Artist" / f"Album {number // 100}" / "Disc 1" / f"{number:05}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(first, path)
        if not cache.is_cached(path, "medium"):
            raise SystemExit(f"{path.name} is a copy and was to be found")
        tracks.append(path)
    return tracks


def _time_run(cache: AudioCache, tracks: Sequence[Path], has_progress: bool) -> float:
    progress = ProgressCallback("run", ProgressTracker(), len(tracks)) if has_progress else None
    gc.collect()
    began = time.perf_counter()
    results = CacheWorker(cache).cache_mixtape_async(tracks, ["medium"], progress)
    took_s = time.perf_counter() - began
    if results != {str(track): {"medium": True} for track in tracks}:
        raise SystemExit("the tracks were to be cached")
    return took_s


def _time_run_after_a_restart(cache: AudioCache, tracks: Sequence[Path]) -> float:
    return _time_run(AudioCache(cache.cache_dir, ffmpeg=chosen_ffmpeg().path), tracks, False)


def _time_system_calls(cache: AudioCache, tracks: Sequence[Path]) -> float:
    """Return the seconds that the same system calls take in a loop that does nothing else."""
    pairs = [(os.fspath(cache.get_cache_path(track)), os.fspath(track)) for track in tracks]
    began = time.perf_counter()
    for entry, track in pairs:
        descriptor = os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
        os.fstat(descriptor)
        os.pread(descriptor, 2048, 0)
        os.close(descriptor)
        os.stat(track)
    return time.perf_counter() - began
