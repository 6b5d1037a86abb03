"""A server on a fraction of a core, about what a Raspberry Pi has: starts, seeks and whole tracks.

It takes root, for a control group of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from audio_cache.quality import EFFORTS, Effort
from tests.helpers.waiting import wait_until

from .client import Connection
from .first_byte import FIRST_BYTES, wait_for_quiet
from .music import cut, find_music, work_folder
from .result import Figure, Result
from .server import Server, children_of

QUICK = False
USES_MUSIC = True
# On a fast machine LAME encodes some twenty times as fast as music plays on so much of a core, as
# on a whole one of a Raspberry Pi 4.
SHARE = 0.1
TRACKS = 10
TRACK_S = 60.0
SEEK_TO = 0.75
PERIOD_US = 100_000
WHOLE = "whole.flac"
START_MS = 1000.0
# A listener must never wait for the encoder once he hears something.
AS_FAST_AS_MUSIC = 5.0


def run() -> Result:
    """Measure each effort of the encoder, and what is there already."""
    starts: dict[Effort, list[float]] = {}
    seeks: dict[Effort, list[float]] = {}
    speeds: dict[Effort, list[float]] = {}
    hits: list[float] = []
    with tempfile.TemporaryDirectory(prefix="small-", dir=work_folder()) as folder:
        names = _make_tracks(Path(folder))
        for effort in EFFORTS:
            settings = {
                "AUDIO_CACHE_EFFORT": effort,
                "AUDIO_CACHE_FINISH_ABANDONED": "false",
                "AUDIO_CACHE_MAX_LIVE": "2",
            }
            with small_share() as confine, Server(Path(folder), settings=settings) as server:
                # The ffmpegs on standby too, which began before.
                for pid in (*server.pids(), *children_of(server.worker_pid)):
                    confine(pid)
                starts[effort] = [_time(server, name, 0) for name in names]
                seeks[effort] = [_time(server, name, SEEK_TO) for name in names]
                speeds[effort] = [_speed(server, WHOLE)]
                hits += [_time_hit(server, names[0]) for _ in range(TRACKS)]
    return make_result(starts, seeks, speeds, hits)


@contextmanager
def small_share(share: float = SHARE) -> Iterator[Callable[[int], None]]:
    """Give what puts a process, and those that it will start, on a share of a core.

    Raises:
        OSError: this user may not make a control group.
    """
    first = Path("/sys/fs/cgroup/cpu")
    is_first = first.is_dir()
    group = Path(tempfile.mkdtemp(prefix="audio-cache-", dir=first if is_first else first.parent))
    quota = int(share * PERIOD_US)
    try:
        if is_first:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")

        def confine(pid: int) -> None:
            (group / "cgroup.procs").write_text(str(pid))

        yield confine
    finally:
        # They were ended, which takes those a moment that nobody waits for.
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the end of a control group")
        os.rmdir(group)


def _make_tracks(folder: Path) -> list[str]:
    piece = find_music().pieces[0]
    names = [f"{number}.flac" for number in range(TRACKS)]
    for number, name in enumerate([*names, WHOLE]):
        cut(piece, TRACK_S, folder / name, skipped=number)
    return names


def _time(server: Server, name: str, share: float) -> float:
    """Return the milliseconds to 64 KiB from a share of a track's length, which is not there."""
    path = f"/play/{name}?quality=low"
    with Connection(server.port, timeout_s=120) as connection:
        length = int(connection.get(path, method="HEAD").headers["content-length"])
    at = int(length * share)
    with Connection(server.port, timeout_s=120) as connection:
        answer = connection.get(path, (at, at + FIRST_BYTES))
    if answer.status != 206 or not answer.headers["cache-status"].endswith("detail=live"):
        raise SystemExit(f"{name} was to be played live, not {answer.status} {answer.headers}")
    wait_for_quiet(server)
    return answer.end_s * 1000


def _speed(server: Server, name: str) -> float:
    """Return how many times as fast as it plays a whole track is made."""
    with Connection(server.port, timeout_s=600) as connection:
        answer = connection.get(f"/play/{name}?quality=low")
    wait_for_quiet(server)
    return TRACK_S / answer.end_s


def _time_hit(server: Server, name: str) -> float:
    """Return the milliseconds to the first 64 KiB of a track that is there."""
    server.warm(f"/play/{name}?quality=low")
    with Connection(server.port, timeout_s=120) as connection:
        return connection.get(f"/play/{name}?quality=low", (0, FIRST_BYTES)).end_s * 1000


def make_result(
    starts: dict[Effort, list[float]],
    seeks: dict[Effort, list[float]],
    speeds: dict[Effort, list[float]],
    hits: list[float],
) -> Result:
    """Return what was measured."""
    figures = []
    for effort in EFFORTS:
        speed = median(speeds[effort])
        figures += [
            Figure(f"{effort}: cold start", median(starts[effort]), "ms", START_MS),
            Figure(f"{effort}: cold seek", median(seeks[effort]), "ms"),
            Figure(f"{effort}: beside the music's own time", speed, "×", AS_FAST_AS_MUSIC, True),
        ]
    return Result(
        title=f"A server and its encoders on {SHARE:.0%} of a core",
        figures=(*figures, Figure("a track that is there", median(hits), "ms")),
        samples={
            **{f"start, {effort}": times for effort, times in starts.items()},
            **{f"seek, {effort}": times for effort, times in seeks.items()},
        },
        unit="ms",
        notes=(
            f"The first 64 KiB at low of {TRACKS} tracks of {TRACK_S:.0f} s that were never "
            f"encoded, and those from {SEEK_TO:.0%}; medians. A control group (cpu quota) holds "
            "server and encoders; the clients are outside of it.",
        ),
    )
