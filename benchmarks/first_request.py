"""How much longer the very first play of a fresh server takes than later ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from .first_byte import time_range, wait_for_quiet
from .music import cut, find_music, work_folder
from .result import Figure, Result, paired_ratio
from .server import Server

USES_MUSIC = True
SERVERS = 20
LATER = 3
LONG_S = 60.0
BAR = 1.1


def run() -> Result:
    """Start servers and time the first plays of each, of tracks that were never encoded."""
    first: list[float] = []
    later: list[float] = []
    with tempfile.TemporaryDirectory(prefix="first-request-", dir=work_folder()) as folder:
        names = [f"{number}.flac" for number in range(1 + LATER)]
        for number, name in enumerate(names):
            cut(find_music().pieces[0], LONG_S, Path(folder, name), skipped=number)
        settings = {"AUDIO_CACHE_FINISH_ABANDONED": "false"}
        for _ in range(SERVERS):
            with Server(Path(folder), settings=settings) as server:
                times_ms = []
                for name in names:
                    times_ms.append(time_range(server, name, 0))
                    wait_for_quiet(server)
            first.append(times_ms[0])
            later.append(median(times_ms[1:]))
    return make_result(first, later)


def make_result(first: list[float], later: list[float]) -> Result:
    """Return what the times say."""
    return Result(
        title="The first 64 KiB of the first play of a fresh server, beside later ones",
        figures=(
            Figure("first play, beside later ones", paired_ratio(first, later), "×", BAR),
            Figure("first play", median(first), "ms"),
            Figure("later plays", median(later), "ms"),
        ),
        samples={"first play": first, "later plays": later},
        unit="ms",
        notes=(
            f"{SERVERS} servers, each of which had answered its smallest route once; of each the "
            f"first play, and the median of the {LATER} that follow, all of tracks that were never "
            "encoded.",
        ),
    )
