"""Jobs of several workers: how they add up, what one costs, and what many cost."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from audio_cache.backends.celery_runs import CeleryRun, CeleryRuns
from audio_cache.backends.redis_client import connect
from audio_cache.backends.redis_progress import RedisProgressTracker
from audio_cache.batch.needs import look_up
from audio_cache.engines import make_cache
from audio_cache.settings import AudioCacheSettings
from tests.helpers.celery_worker import CeleryWorker
from tests.helpers.redis_server import RedisServer

from .music import cut, find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio
from .server import children_of
from .small_machine import small_share

QUICK = False
USES_MUSIC = True
WORKERS: Final = 3
# Of a core: three workers leave half of a small machine to Redis and to what else it has to do.
SHARE: Final = 0.25
TRACKS_PER_WORKER: Final = 24
TRACK_S: Final = 20.0
ROUNDS: Final = int(os.environ.get("BENCH_JOBS_ROUNDS", "3"))
CACHED_TRACKS: Final = 1_000
# The smallest comes before and after the largest, whose minutes the machine may be busy in.
SIMULATED: Final = (1_000, 1_000, 1_000, 10_000, 100_000, 1_000, 1_000, 1_000)
ADDS_UP: Final = 0.9
TASK_MS: Final = 20.0
# How much more a track of the largest run may take than one of the smallest.
FLAT: Final = 1.2
_LOOKS_EVERY_S: Final = 0.02
_QUALITIES: Final = ("medium",)


@dataclass(frozen=True)
class RunCost:
    """What a run took, for each of its tracks.

    Args:
        scheduling_ms: until the caller may go on.
        handing_out_ms: until all tracks are in the queue.
        in_all_ms: until the last is settled.
        task_ms: from the first that is settled to the last.
        redis_bytes: by which Redis had grown at most.
    """

    scheduling_ms: float
    handing_out_ms: float
    in_all_ms: float
    task_ms: float
    redis_bytes: float


class Site:
    """A caller with a Redis of its own, and the folders of its workers.

    Args:
        folder: for all of it.
        redis_url: of the Redis.
    """

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder, self.redis_url = folder, redis_url
        self.music = folder / "music"
        self.music.mkdir()
        self.settings = AudioCacheSettings.from_mapping(
            {"AUDIO_CACHE_ENGINE": "celery", "AUDIO_CACHE_REDIS": redis_url}
        )
        self.client = connect(redis_url)
        self._tracker = RedisProgressTracker(redis_url)
        self.runs = CeleryRuns(self.settings, self._tracker, self.music)
        self._count = 0

    def schedule(self, tracks: list[Path]) -> CeleryRun:
        """Begin a run of a task of its own."""
        self._count += 1
        return self.runs.schedule(f"run {self._count}", tracks, _QUALITIES)

    def tally(self, run: CeleryRun, part: str) -> int:
        """Return how many tracks of a run are "left", or were "sent" into the queue."""
        return int(self.client.scard(f"audio-cache:run:{run.run_id}:{part}"))

    def memory(self) -> int:
        """Return the bytes that Redis uses."""
        return int(self.client.info("memory")["used_memory"])

    def worker(self, name: str, module: str = "audio_cache") -> CeleryWorker:
        """Return a worker, not started, with one process that encodes."""
        data = self.folder / f"data of {name}"
        return CeleryWorker(self.redis_url, self.music, data, name, 1, module=module)

    def close(self) -> None:
        """Leave Redis."""
        self.runs.close()
        self._tracker.close()
        self.client.close()


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Start a Redis for a site, and stop it at the end."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is missing: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="site-", dir=folder) as name:
        kept = Path(name, "redis")
        kept.mkdir()
        with RedisServer(kept, program) as server:
            site = Site(Path(name), server.url)
            try:
                yield site
            finally:
                site.close()


def run() -> Result:
    """Measure workers on shares of a core, then tasks that encode nothing, then simulated ones."""
    with tempfile.TemporaryDirectory(prefix="jobs-", dir=work_folder()) as name:
        folder = Path(name)
        with open_site(folder) as site:
            rates = measure_shares(site)
        with open_site(folder) as site:
            lookup_ms, cached = measure_cached(site)
        with open_site(folder) as site, site.worker("one", "benchmarks.simulated_worker"):
            finish(site, [site.music / f"warm {number}.flac" for number in range(20)])
            simulated = [(count, measure_run(site, count)) for count in SIMULATED]
    return make_result(rates, lookup_ms, cached, simulated)


def measure_shares(site: Site) -> dict[str, list[float]]:
    """Return the speed of one worker and of all, in turn, as multiples of real time."""
    piece = find_music().pieces[0]
    for number in range(WORKERS * (TRACKS_PER_WORKER + 1)):
        # A few samples less are other audio, which has to be encoded as well.
        cut(piece, TRACK_S, site.music / f"{number}.flac", skipped=number)
    return alternate(ROUNDS, one=partial(_speed, site, 1), all=partial(_speed, site, WORKERS))


def _speed(site: Site, count: int) -> float:
    tracks = sorted(site.music.iterdir())
    wanted = tracks[: count * TRACKS_PER_WORKER]
    with ExitStack() as stack:
        for number in range(count):
            confine = stack.enter_context(small_share(SHARE))
            worker = stack.enter_context(site.worker(f"{number}"))
            for pid in (worker.pid, *children_of(worker.pid)):
                confine(pid)
        finish(site, tracks[-WORKERS:])  # so that each has taken up one before
        began = time.perf_counter()
        finish(site, wanted)
        took_s = time.perf_counter() - began
    for data in site.folder.glob("data of *"):
        shutil.rmtree(data)
    return len(wanted) * TRACK_S / took_s


def measure_cached(site: Site) -> tuple[float, RunCost]:
    """Return the milliseconds of a look-up, and what a run of cached tracks costs."""
    whole = cut(find_music().pieces[0], TRACK_S, site.folder / "whole.flac")
    tracks = [site.music / f"{number:04}.flac" for number in range(CACHED_TRACKS)]
    worker = site.worker("one")
    cache = make_cache(site.settings, site.settings.cache_dir(site.folder / "data of one"))
    for track in tracks:
        shutil.copy(whole, track)
        cache.transcode_file(track, *_QUALITIES)
    logger = logging.getLogger(__name__)
    began = time.perf_counter()
    found = [look_up(cache, track, _QUALITIES, logger) for track in tracks]
    lookup_ms = (time.perf_counter() - began) * 1000 / len(tracks)
    if None in found:
        raise SystemExit("a track that was cached is not found")
    cache.close()
    with worker:
        finish(site, tracks[:20])
        return lookup_ms, _measure(site, tracks)


def measure_run(site: Site, count: int) -> RunCost:
    """Return what a run of so many tracks costs."""
    return _measure(site, [site.music / f"album/{number:06}.flac" for number in range(count)])


def _measure(site: Site, tracks: list[Path]) -> RunCost:
    before = most = site.memory()
    began = time.perf_counter()
    run = site.schedule(tracks)
    scheduled = time.perf_counter()
    handed_out = first = 0.0
    first_left = len(tracks)
    while not run.is_over:
        now, left = time.perf_counter(), site.tally(run, "left")
        if not handed_out and site.tally(run, "sent") == len(tracks):
            handed_out = now
        if not first and left < len(tracks):
            first, first_left = now, left
        most = max(most, site.memory())
        time.sleep(_LOOKS_EVERY_S)
    ended = time.perf_counter()
    each_ms = 1000 / len(tracks)
    return RunCost(
        scheduling_ms=(scheduled - began) * each_ms,
        handing_out_ms=(handed_out - scheduled) * each_ms,
        in_all_ms=(ended - began) * each_ms,
        task_ms=(ended - first) * 1000 / first_left,
        redis_bytes=(most - before) / len(tracks),
    )


def finish(site: Site, tracks: list[Path]) -> None:
    """Run tracks to their end, and stop the benchmark where that does not come."""
    if not site.schedule(tracks).wait(600):
        raise SystemExit(f"the workers did not finish {len(tracks)} tracks")


def make_result(
    speeds: dict[str, list[float]],
    lookup_ms: float,
    cached: RunCost,
    simulated: list[tuple[int, RunCost]],
) -> Result:
    """Return what was measured."""
    together = paired_ratio(speeds["all"], speeds["one"]) / WORKERS
    figures = [
        Figure(f"{WORKERS} workers, beside {WORKERS} × one", together, "", ADDS_UP, True),
        Figure("one worker", median(speeds["one"]), "× real time"),
        Figure(f"{WORKERS} workers", median(speeds["all"]), "× real time"),
        Figure("a task beyond its look-up", cached.task_ms - lookup_ms, "ms", TASK_MS),
        Figure("a look-up of a cached track", lookup_ms, "ms"),
    ]
    costs = {each: _typical(simulated, each) for each in sorted({*SIMULATED})}
    for count, cost in costs.items():
        of = f"{count:,} simulated tracks, each"
        figures += [
            Figure(f"{of}: scheduling", cost.scheduling_ms, "ms"),
            Figure(f"{of}: handing out", cost.handing_out_ms, "ms"),
            Figure(f"{of}: in all", cost.in_all_ms, "ms"),
            Figure(f"{of}: memory of Redis", cost.redis_bytes, "bytes"),
        ]
    few, many = min(costs), max(costs)
    growth = costs[many].in_all_ms / costs[few].in_all_ms
    figures.append(Figure(f"a track of {many:,}, beside one of {few:,}", growth, "×", FLAT))
    return Result(
        title="Jobs of several workers on limited shares of a core",
        figures=tuple(figures),
        samples={"one worker": speeds["one"], f"{WORKERS} workers": speeds["all"]},
        unit="× real time",
        notes=(
            f"A control group holds each worker, with its encoder, to {SHARE:.0%} of a core. Each "
            f"has {TRACKS_PER_WORKER} tracks of {TRACK_S:.0f} s, at medium; the ratio is the "
            f"median of {ROUNDS} rounds, and what it is above 1 is the noise of a machine that "
            "others use too. Redis and the caller are outside. A task is one of "
            f"{CACHED_TRACKS:,} that find their track cached, with one worker that does one at a "
            "time. Simulated tracks are taken up, leased, told and settled by such a worker, but "
            "not encoded; scheduling is what the caller waits for. Runs of "
            f"{few:,} are measured before and after the largest, and their median is taken.",
        ),
    )


def _typical(simulated: list[tuple[int, RunCost]], count: int) -> RunCost:
    """Return the medians of all runs of so many tracks."""
    costs = [astuple(cost) for each, cost in simulated if each == count]
    return RunCost(*map(median, zip(*costs, strict=True)))
