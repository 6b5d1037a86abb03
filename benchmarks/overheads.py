"""What a batch spends beyond ffmpeg, and what a start of the server is made of."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache

from .machine import chosen_ffmpeg
from .music import cut, find_music, run_ffmpeg, work_folder
from .result import Figure, Result

QUICK = False
USES_MUSIC = True
TRACKS = 10
TRACK_S = 120.0
STARTS = 9
_ENCODER = ("-c:a", "libmp3lame", "-b:a", "192k", "-ar", "44100", "-ac", "2")
# Each in an interpreter of its own; what comes before is part of what comes after.
_STEPS = {
    "Python itself": "pass",
    "audio_cache": "import audio_cache",
    "the extension": "import audio_cache.flask_ext",
    "mixtape": "import mixtape.app, mixtape.server.run",
    "the application": (
        "import mixtape.server.run; from mixtape.app import create_app;"
        "from mixtape.settings import Settings; from pathlib import Path; import sys;"
        "create_app(Settings(data_root=Path(sys.argv[1])))"
    ),
}


def run() -> Result:
    """Measure processor time, since what is compared has to be the same on a busy machine."""
    with tempfile.TemporaryDirectory(prefix="overheads-", dir=work_folder()) as folder:
        piece = find_music().pieces[0]
        tracks = [
            cut(piece, TRACK_S, Path(folder, f"{number}.flac"), skipped=number)
            for number in range(TRACKS)
        ]
        cache = AudioCache(Path(folder, "cache"))
        encoded = Path(folder, "plain.mp3")
        ways: dict[str, Callable[[Path], object]] = {
            "decoding alone": lambda track: run_ffmpeg("-i", track, "-f", "null", "-"),
            "ffmpeg to a file": lambda track: run_ffmpeg("-i", track, *_ENCODER, encoded),
            "our encode, nothing kept": partial(_encode, cache),
            "our batch, all of it": lambda track: cache.transcode_file(track, "medium"),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        own: list[float] = []
        for track in tracks:
            for name, way in ways.items():
                ours, others = _cpu_s(partial(way, track))
                spent[name].append((ours + others) * 60 / TRACK_S)
                if name == "our batch, all of it":
                    own.append(ours * 60 / TRACK_S)
        starts = {name: [_time_start(code) for _ in range(STARTS)] for name, code in _STEPS.items()}
    return make_result(spent, own, starts)


def make_result(
    spent: dict[str, list[float]], own: list[float], starts: dict[str, list[float]]
) -> Result:
    """Return what was measured."""
    figures = [Figure(name, 1000 * median(each), "ms") for name, each in spent.items()]
    figures.append(Figure("of which in our own process", 1000 * median(own), "ms"))
    figures += [
        Figure(f"start: {name}", 1000 * median(each), "ms") for name, each in starts.items()
    ]
    return Result(
        title="Processor time for a minute of audio at medium, and for a start of the server",
        figures=tuple(figures),
        samples={name: [1000 * one for one in each] for name, each in spent.items()},
        unit="ms",
        notes=(
            f"Medians of {TRACKS} tracks of {TRACK_S:.0f} s, one after the other, each done in "
            f"every way; of {STARTS} starts of an interpreter. Our batch compares the audio with "
            "the MD5 that the FLAC states, writes, syncs and enters it in the index. "
            f"ffmpeg is {chosen_ffmpeg().identity}.",
        ),
    )


def _encode(cache: AudioCache, track: Path) -> None:
    for _ in cache.get_rendition(track, "medium").encode():
        pass


def _cpu_s(act: Callable[[], object]) -> tuple[float, float]:
    """Return the processor time that something takes: of this process, and of those it starts."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = [resource.getrusage(kind) for kind in kinds]
    act()
    after = [resource.getrusage(kind) for kind in kinds]
    ours, others = (
        now.ru_utime + now.ru_stime - then.ru_utime - then.ru_stime
        for now, then in zip(after, before, strict=True)
    )
    return ours, others


def _time_start(code: str) -> float:
    """Return the processor time of an interpreter that runs something."""
    with tempfile.TemporaryDirectory(prefix="start-", dir=work_folder()) as folder:
        command = [sys.executable, "-c", code, folder]
        environment = {**os.environ, "AUDIO_CACHE_WATCH": "off"}
        act = partial(subprocess.run, command, env=environment, check=True, capture_output=True)
        return _cpu_s(act)[1]
