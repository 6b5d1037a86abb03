"""650 hostile clients of each kind for a minute, beside listeners and `mixtape serve`."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from audio_cache import AudioCache
from mixtape.server.run import raise_file_limit
from tests.helpers.busy_mixtape import IDLE
from tests.helpers.hostile import Kind, be_hostile, kinds
from tests.helpers.mixtape_serve import MixtapeServe

from .client import Connection
from .crowd import Crowd, Wish
from .machine import chosen_ffmpeg, usable_cores
from .music import cut, find_music, work_folder
from .result import Figure, Result, percentile

QUICK = False
USES_MUSIC = True
HOSTILE = 650
SECONDS = 60.0
LISTENERS = 50
TRACKS, TRACK_S = 5, 90.0
BYTES_PER_S = 24_000
HEALTH_MS = 100.0
_PROBE_EVERY_S = 0.05
# Listeners come while the hostile are there already, and have heard all before those leave.
_SETTLES_S, _ARRIVALS_S, _LISTEN_S = 5.0, 10.0, 35.0


def run() -> Result:
    """Let each kind be there for a minute, one after the other."""
    raise_file_limit(HOSTILE + LISTENERS)
    with tempfile.TemporaryDirectory(prefix="hostile-", dir=work_folder()) as name:
        music = Path(name, "music")
        music.mkdir()
        pieces = find_music().pieces
        tracks = [
            cut(pieces[number % len(pieces)], TRACK_S, music / f"{number}.flac", skipped=number)
            for number in range(TRACKS)
        ]
        cache = AudioCache(Path(name, "references"), ffmpeg=chosen_ffmpeg().path)
        with ThreadPoolExecutor(usable_cores()) as pool:
            entries = dict(zip(tracks, pool.map(cache.transcode_file, tracks), strict=True))
        program = (sys.executable, "-m", "tests.helpers.busy_mixtape")
        figures: list[Figure] = []
        samples: dict[str, list[float]] = {}
        for kind in kinds("/play/0.flac?quality=original", IDLE):
            with MixtapeServe(music, Path(name, f"data-{kind.name}"), program) as server:
                port = int(server.address.rpartition(":")[2])
                _cache(port, tracks)
                figures += _be_attacked(port, kind, _wishes(entries), samples)
    return Result(
        title=f"{HOSTILE} hostile clients of each kind for {SECONDS:.0f} s, {LISTENERS} listeners",
        figures=tuple(figures),
        samples=samples,
        unit="ms",
        notes=(
            "heads: a byte of a header every 2 s; bodies: the same of a body; unread: originals "
            "that nobody reads; streams: progress that has no news. Who is shown out comes again "
            "at once. All are on loopback, where CONNECTIONS_PER_ADDRESS does not count, and "
            "share the machine with the server.",
        ),
        limit=HEALTH_MS,
    )


def _be_attacked(
    port: int, kind: Kind, wishes: list[Wish], samples: dict[str, list[float]]
) -> list[Figure]:
    crowd = Crowd(port, wishes, BYTES_PER_S)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        attack = pool.submit(be_hostile, port, kind, HOSTILE, SECONDS)
        probing = pool.submit(time_health, port, SECONDS)
        time.sleep(_SETTLES_S)
        crowd.listen(_ARRIVALS_S, SECONDS, lambda: None)
        health_ms = probing.result()
        ended = attack.result()
    samples[kind.name] = health_ms
    correct = sum(not listener.error for listener in crowd.listeners)
    return [
        Figure(
            f"{kind.name}: /healthz, 99th percentile", percentile(health_ms, 99), "ms", HEALTH_MS
        ),
        Figure(f"{kind.name}: listeners with every byte", correct, "", LISTENERS, at_least=True),
        Figure(f"{kind.name}: hostile clients shown out", ended, ""),
    ]


def time_health(port: int, seconds: float) -> list[float]:
    """Return the milliseconds that /healthz takes over new connections, one after the other."""
    times_ms = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        with Connection(port) as connection:
            answer = connection.get("/healthz")
        times_ms.append((time.monotonic() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"/healthz answered {answer.status}")
        time.sleep(max(0.0, _PROBE_EVERY_S - (time.monotonic() - began)))
    return times_ms


def _cache(port: int, tracks: list[Path]) -> None:
    """Have the tracks encoded, so that what is measured is the server and not the encoders."""
    with Connection(port, timeout_s=120) as connection:
        for track in tracks:
            connection.get(f"/play/{track.name}?quality=medium")


def _wishes(entries: dict[Path, Path]) -> list[Wish]:
    tracks = list(entries)
    wishes = []
    for number in range(LISTENERS):
        track = tracks[number % len(tracks)]
        heard = min(entries[track].stat().st_size, int(BYTES_PER_S * _LISTEN_S))
        url = f"/play/{track.name}?quality=medium"
        wishes.append(Wish(f"listener-{number}", url, 0, heard, entries[track], track))
    return wishes
