"""How long a batch of real tracks takes, beside the plain job of `xargs -P <cores> ffmpeg`."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from audio_cache.cache_worker import CacheWorker

from .machine import chosen_ffmpeg, usable_cores
from .music import find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio

USES_MUSIC = True
ROUNDS = int(os.environ.get("BENCH_BATCH_ROUNDS", "2"))
BAR = 0.80


def run() -> Result:
    """Encode all pieces with both, in turn, and compare."""
    tracks = [piece.path for piece in find_music().pieces]
    samples = alternate(
        ROUNDS,
        audio_cache=partial(in_empty_folder, with_audio_cache, tracks),
        ffmpeg=partial(in_empty_folder, with_xargs, tracks),
    )
    ours, plain = samples["audio_cache"], samples["ffmpeg"]
    return Result(
        title=f"{len(tracks)} tracks to MP3 at medium, {usable_cores()} at a time",
        figures=(
            Figure("time, beside xargs ffmpeg", paired_ratio(ours, plain), "×", BAR),
            Figure("audio_cache", median(ours), "s"),
            Figure("xargs ffmpeg", median(plain), "s"),
        ),
        samples={"audio_cache": ours, "xargs ffmpeg": plain},
        unit="s",
        notes=(
            f"{ROUNDS} rounds, measured in turn, each into an empty folder, with the same ffmpeg. "
            "The plain job writes whatever comes; ours checks that every source decodes to its "
            "stated length, and each file is on the disk before it gets its name.",
        ),
    )


def in_empty_folder(
    encode: Callable[[Sequence[Path], Path], None], tracks: Sequence[Path]
) -> float:
    """Return the seconds that a batch takes."""
    folder = Path(tempfile.mkdtemp(prefix="batch-", dir=work_folder()))
    try:
        # What the batch before has left to be written must not slow down this one.
        os.sync()
        began = time.perf_counter()
        encode(tracks, folder)
        elapsed_s = time.perf_counter() - began
        made = len(list(folder.glob("*.mp3")))
        if made != len(tracks):
            raise SystemExit(f"{made} of {len(tracks)} tracks were encoded")
        return elapsed_s
    finally:
        shutil.rmtree(folder)


def with_audio_cache(tracks: Sequence[Path], folder: Path) -> None:
    """Encode tracks as a batch of ours does."""
    cache = AudioCache(folder, logging.getLogger("benchmarks"))
    CacheWorker(cache, max_workers=usable_cores()).cache_mixtape_async(tracks, ["medium"])


def with_xargs(tracks: Sequence[Path], folder: Path, bitrate: str = "192k") -> None:
    """Encode tracks at a bitrate as somebody would who has nothing but ffmpeg."""
    job = [
        *(chosen_ffmpeg().path, "-nostdin", "-loglevel", "error", "-i", "{}", "-map", "0:a:0"),
        *("-c:a", "libmp3lame", "-b:a", bitrate, "-ar", "44100", "-ac", "2"),
        *("-id3v2_version", "3"),
    ]
    # A shell gives each output its name; it is replaced by ffmpeg and costs a millisecond.
    script = 'in=$1; out=$2/${in##*/}.mp3; shift 2; exec "$@" "$out"'
    shell = ["sh", "-c", script, "sh", "{}", str(folder), *job]
    subprocess.run(
        ["xargs", "-0", "-P", str(usable_cores()), "-I", "{}", *shell],
        input=b"\0".join(os.fsencode(track) for track in tracks),
        check=True,
    )
