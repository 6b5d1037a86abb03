"""What it costs a batch to compare the audio of each FLAC with the MD5 that the file states."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from unittest.mock import patch

from audio_cache.store.checks import Checks

from .batch import in_empty_folder, with_audio_cache
from .music import cut, find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio

USES_MUSIC = True
TRACKS = 24
SECONDS = 60.0
ROUNDS = int(os.environ.get("BENCH_CHECK_ROUNDS", "10"))
BAR = 1.03


def run() -> Result:
    """Encode all pieces with the comparison and without, in turn."""
    folder = work_folder() / "minutes"
    folder.mkdir(exist_ok=True)
    pieces = find_music(TRACKS).pieces
    tracks = [cut(piece, SECONDS, folder / f"{number}.flac") for number, piece in enumerate(pieces)]
    samples = alternate(
        ROUNDS,
        compared=partial(_processor_s, in_empty_folder, with_audio_cache, tracks),
        believed=partial(_processor_s, in_empty_folder, _without_checks, tracks),
    )
    compared, believed = samples["compared"], samples["believed"]
    return Result(
        title=f"{len(tracks)} minutes of FLAC to MP3 at medium, compared with the MD5 they state",
        figures=(
            Figure(
                "least processor time, beside no comparison",
                min(compared) / min(believed),
                "×",
                BAR,
            ),
            Figure(
                "median of the rounds, beside no comparison", paired_ratio(compared, believed), "×"
            ),
            Figure("with the comparison", median(compared), "s"),
            Figure("without", median(believed), "s"),
        ),
        samples={"compared": compared, "believed": believed},
        unit="s",
        notes=(
            f"{ROUNDS} rounds, measured in turn, each into an empty folder. Seconds are of "
            "processors, of this process and of ffmpeg. What else runs on the machine only ever "
            "adds to them, so the least of each is what the work itself takes.",
        ),
    )


def _without_checks(tracks: Sequence[Path], folder: Path) -> None:
    with patch.object(Checks, "begin", lambda self, source: None):
        with_audio_cache(tracks, folder)


def _processor_s(measure: Callable[..., float], *arguments: object) -> float:
    """Return the seconds of processors that something takes, with the processes that it starts."""
    before = _used_s()
    measure(*arguments)
    return _used_s() - before


def _used_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
