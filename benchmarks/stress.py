"""Four hundred listeners and a hundred progress streams on one server process."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median

from audio_cache import AudioCache
from mixtape.server.run import raise_file_limit

from .crowd import Crowd, Streams, Wish, time_headers
from .machine import chosen_ffmpeg, usable_cores
from .music import cut, find_music, work_folder
from .result import Figure, Result, percentile
from .server import Server
from .site import IDLE_TASKS

QUICK = False
USES_MUSIC = True
LISTENERS = 400
STREAMS = 100
THREADS = 600
BYTES_PER_S = 24_000
CACHED_TRACKS, CACHED_S = 10, 60.0
LIVE_TRACKS, LIVE_S = 6, 180.0
ARRIVALS_S = 10.0
LISTEN_S = 30.0
LIMIT_S = 55.0
HEADERS_MS = 50.0
MEMORY_MB = 150.0


@dataclass
class Measured:
    """What was seen while the listeners were there."""

    crowd: Crowd
    headers_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    streams: int = 0


def run() -> Result:
    """Let them all listen, half of them to tracks that were never encoded."""
    raise_file_limit(LISTENERS + STREAMS + THREADS)
    with tempfile.TemporaryDirectory(prefix="stress-", dir=work_folder()) as name:
        music, references = Path(name, "music"), Path(name, "references")
        cached, live = _make_tracks(music)
        entries = _encode(references, [*cached, *live])
        with Server(music, threads=THREADS) as server:
            store = AudioCache(server.cache_dir, ffmpeg=chosen_ffmpeg().path)
            for track in cached:
                # As if it was made here, for the server finds it by what it is.
                copy = shutil.copyfile(entries[track], server.cache_dir / "copy")
                store.objects.put(copy, store.get_rendition(track, "medium").id)
            measured = _listen(server, cached, live, entries)
    return make_result(measured)


def make_result(measured: Measured) -> Result:
    """Return what was measured as figures, with the errors of listeners as notes."""
    listeners = measured.crowd.listeners
    errors = sorted({listener.error for listener in listeners if listener.error})
    correct = sum(not listener.error for listener in listeners)
    starts_ms = [listener.headers_s * 1000 for listener in listeners]
    originals = sum(listener.got_original for listener in listeners)
    late = sum(listener.worst_lag_s > 1.0 for listener in listeners)
    return Result(
        title=f"{LISTENERS} listeners and {STREAMS} progress streams on one server process",
        figures=(
            Figure(
                "a new request’s headers, 99th percentile",
                percentile(measured.headers_ms, 99),
                "ms",
                HEADERS_MS,
            ),
            Figure("a new request’s headers, median", median(measured.headers_ms), "ms"),
            Figure("memory of the server, at most", max(measured.memory_mb), "MB", MEMORY_MB),
            Figure("listeners with every byte right", correct, "", LISTENERS, at_least=True),
            Figure("listeners that got the original, all encoders being busy", originals, ""),
            Figure("progress streams still open", measured.streams, "", STREAMS, at_least=True),
            Figure("listeners that waited more than 1 s for music", late, ""),
            Figure(
                "headers of the listeners’ own answers, 99th percentile",
                percentile(starts_ms, 99),
                "ms",
            ),
        ),
        samples={"headers of a new request": measured.headers_ms},
        unit="ms",
        notes=(
            f"gunicorn gthread, one process, {THREADS} threads. Each listener reads "
            f"{BYTES_PER_S / 1000:.0f} kB/s for {LISTEN_S:.0f} s, half of them from "
            f"{CACHED_TRACKS} cached tracks, half from {LIVE_TRACKS} that were never encoded; half "
            "from the start, half from somewhere else. A new connection asks for a cached track "
            "every 50 ms. Listeners, server and encoders share the machine.",
            *errors[:5],
        ),
        limit=HEADERS_MS,
    )


def _make_tracks(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write the tracks that will be cached and those that will not."""
    folder.mkdir()
    pieces = find_music().pieces

    def make(number: int) -> Path:
        is_cached = number < CACHED_TRACKS
        name = f"{'cached' if is_cached else 'live'}-{number:02}.flac"
        seconds = CACHED_S if is_cached else LIVE_S
        return cut(pieces[number % len(pieces)], seconds, folder / name, skipped=number)

    with ThreadPoolExecutor(usable_cores()) as pool:
        tracks = list(pool.map(make, range(CACHED_TRACKS + LIVE_TRACKS)))
    return tracks[:CACHED_TRACKS], tracks[CACHED_TRACKS:]


def _encode(folder: Path, tracks: Sequence[Path]) -> dict[Path, Path]:
    """Return plainly made files of the tracks: what every listener must hear."""
    cache = AudioCache(folder, ffmpeg=chosen_ffmpeg().path)
    with ThreadPoolExecutor(usable_cores()) as pool:
        return dict(zip(tracks, pool.map(cache.transcode_file, tracks), strict=True))


def _listen(
    server: Server, cached: Sequence[Path], live: Sequence[Path], entries: dict[Path, Path]
) -> Measured:
    wishes = _make_wishes(cached, live, entries)
    crowd = Crowd(server.port, wishes, BYTES_PER_S)
    measured = Measured(crowd)
    urls = [f"/editor/progress/idle-{number % IDLE_TASKS}" for number in range(STREAMS)]
    streams = Streams(server.port, urls)
    # In a process of its own, since what it measures must not wait for the listeners' thread.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds = ARRIVALS_S + LISTEN_S
        probing = pool.submit(time_headers, server.port, _url(cached[0]), seconds, 0.05)
        crowd.listen(
            ARRIVALS_S, LIMIT_S, lambda: measured.memory_mb.append(server.memory_bytes() / 1e6)
        )
        measured.headers_ms = probing.result()
    measured.streams = streams.count_alive()
    streams.close()
    return measured


def _make_wishes(
    cached: Sequence[Path], live: Sequence[Path], entries: dict[Path, Path]
) -> list[Wish]:
    """Return what each listener hears, the same in every run."""
    random = Random(1)
    wishes = []
    for number in range(LISTENERS):
        some = cached if number % 2 else live
        track = some[number // 2 % len(some)]
        length = entries[track].stat().st_size
        heard = min(length, int(BYTES_PER_S * LISTEN_S))
        start = random.randrange(length - heard) if number % 4 > 1 else 0
        who = f"listener-{number}"
        wishes.append(Wish(who, _url(track), start, start + heard, entries[track], track))
    return wishes


def _url(track: Path) -> str:
    return f"/play/{track.name}?quality=medium"
