"""How long it takes to learn that a file is cached: `is_cached`, a look at it and at its source."""

from __future__ import annotations

import gc
import tempfile
import time
import wave
from pathlib import Path
from statistics import median

from audio_cache import AudioCache

from .music import work_folder
from .result import Figure, Result, percentile

TRACKS = 40
ROUNDS = 250
BAR_US = 30.0


def run() -> Result:
    """Time every single lookup of some cached tracks, round after round."""
    with tempfile.TemporaryDirectory(prefix="lookup-", dir=work_folder()) as folder:
        cache = AudioCache(Path(folder, "cache"))
        tracks = [_make_track(Path(folder, "music"), number) for number in range(TRACKS)]
        for track in tracks:
            cache.transcode_file(track)
        _time_lookups(cache, tracks, 5)
        gc.collect()
        times_us = _time_lookups(cache, tracks, ROUNDS)
    return Result(
        title="A lookup of a cached file",
        figures=(
            Figure("is_cached, median", median(times_us), "µs", BAR_US),
            Figure("is_cached, 99th percentile", percentile(times_us, 99), "µs"),
        ),
        samples={"is_cached": times_us[:: len(times_us) // 500]},
        unit="µs",
        notes=(
            f"{len(times_us):,} lookups of {TRACKS} files three folders deep. Each looks at the "
            "cached file and at the source on disk, and compares both with what was found before.",
        ),
        limit=BAR_US,
    )


def _make_track(root: Path, number: int) -> Path:
    path = root / "Artist" / f"Album {number % 4}" / "Disc 1" / f"{number:02} Track.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(4 * 4_410))
    return path


def _time_lookups(cache: AudioCache, tracks: list[Path], rounds: int) -> list[float]:
    """Return the microseconds that each lookup took."""
    times_us = []
    for _ in range(rounds):
        for track in tracks:
            began = time.perf_counter_ns()
            cached = cache.is_cached(track)
            times_us.append((time.perf_counter_ns() - began) / 1000)
            if not cached:
                raise SystemExit(f"{track.name} was to be cached")
    return times_us
