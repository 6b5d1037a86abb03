"""What one more costs: of 1 to 1,000 listeners, and of 1,000 to 100,000 tracks."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from audio_cache import AudioCache, gather_stats
from mixtape.database.units_of_work import Database
from mixtape.library.catalogue import Catalogue
from mixtape.library.scanner import LOCK_NAME
from mixtape.server.run import raise_file_limit
from tests.helpers.mixtape_serve import MixtapeServe

from . import large_cache, library
from .client import Connection
from .crowd import Crowd, Wish, time_headers
from .music import cut, find_music, work_folder
from .result import Figure, Result
from .server import children_of

QUICK = False
LISTENERS: Final = (1, 10, 100, 1_000)
TRACKS: Final = (1_000, 10_000, 100_000)
# Twice the speed of 192 kbit/s, as players read ahead.
BYTES_PER_S: Final = 48_000
ARRIVALS_S: Final = 8.0
LISTEN_S: Final = 20.0
LIMIT_S: Final = 60.0
LOOKUPS: Final = 2_000
PLAY: Final = "/play/track.flac?quality=medium"
_CLOCK_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Audience:
    """What a number of listeners took.

    Args:
        processor_ms: of the server, for each listener and minute.
        memory_mb: of all processes of the server, with all listening.
        headers_ms: from a new request to its headers, with all listening.
    """

    processor_ms: float
    memory_mb: float
    headers_ms: list[float]


@dataclass(frozen=True)
class Collection:
    """What a number of tracks takes."""

    lookup_us: float
    stats_ms: float
    scan_ms: float
    search_ms: float
    page_ms: float
    database_kb: float


def run() -> Result:
    """Measure audiences of all sizes, then collections of all sizes."""
    raise_file_limit(2 * max(LISTENERS))
    with tempfile.TemporaryDirectory(prefix="scaling-", dir=work_folder()) as folder:
        audiences = _measure_audiences(Path(folder))
        collections = {count: _measure_collection(Path(folder), count) for count in TRACKS}
    figures = []
    for count, audience in audiences.items():
        who = f"{count:,} listener{'s' if count > 1 else ''}"
        figures += [
            Figure(f"{who}: processor, for each and a minute", audience.processor_ms, "ms"),
            Figure(f"{who}: memory of the server", audience.memory_mb, "MB"),
            Figure(f"{who}: headers of a new request, median", median(audience.headers_ms), "ms"),
        ]
    for count, found in collections.items():
        of = f"{count:,} tracks"
        figures += [
            Figure(f"{of}: a lookup in the cache", found.lookup_us, "µs"),
            Figure(f"{of}: statistics of the cache", found.stats_ms, "ms"),
            Figure(f"{of}: a scan that finds nothing new, for 1,000", found.scan_ms, "ms"),
            Figure(f"{of}: a search", found.search_ms, "ms"),
            Figure(f"{of}: a page of albums", found.page_ms, "ms"),
            Figure(f"{of}: database, for 1,000", found.database_kb, "kB"),
        ]
    return Result(
        title="What one more listener and one more track cost",
        figures=tuple(figures),
        samples={f"{count:,} listeners": each.headers_ms for count, each in audiences.items()},
        unit="ms to headers",
        notes=(
            f"Listeners read a cached track at {BYTES_PER_S // 1000} kB/s for {LISTEN_S:.0f} s and "
            "check every byte; they share the machine with the server, which is mixtape with one "
            "process for each core. With few listeners most of the time is what a server does "
            "anyway: its last steps of starting, and samples. Tracks are generated: sparse files "
            "in the cache, rows and empty files in the library.",
        ),
    )


def _measure_audiences(folder: Path) -> dict[int, Audience]:
    music = folder / "music"
    music.mkdir()
    cut(find_music().pieces[0], 300, music / "track.flac")
    found = {}
    for count in LISTENERS:
        data = folder / "data"
        with MixtapeServe(music, data, WORKERS="") as server:
            found[count] = _measure_audience(server, data, music / "track.flac", count)
        shutil.rmtree(data)
    return found


def _measure_audience(server: MixtapeServe, data: Path, track: Path, count: int) -> Audience:
    port = int(server.address.rpartition(":")[2])
    with Connection(port) as connection:
        connection.get(PLAY)
        while not connection.get(PLAY, (0, 1)).headers["cache-status"].endswith("; hit"):
            time.sleep(0.02)
    entry = AudioCache(data / "cache" / "audio").get_cache_path(track, "medium").resolve()
    heard = round(BYTES_PER_S * LISTEN_S)
    wishes = [Wish(f"listener {n}", PLAY, 0, heard, entry, track) for n in range(count)]
    crowd = Crowd(port, wishes, BYTES_PER_S)
    memory_mb: list[float] = []
    headers_ms: list[float] = []
    arrived_at = time.monotonic() + ARRIVALS_S

    def look() -> None:
        if time.monotonic() > arrived_at:
            memory_mb.append(sum(map(_memory_mb, _processes(server))))
            headers_ms.extend(time_headers(port, PLAY, 0.01, 0.01))

    before = _processor_s(server)
    crowd.listen(ARRIVALS_S, LIMIT_S, look)
    took_s = _processor_s(server) - before
    errors = sorted({each.error for each in crowd.listeners if each.error})
    if errors:
        raise SystemExit(f"{count} listeners: {errors[:3]}")
    per_minute = took_s * 1000 / count * 60 / LISTEN_S
    return Audience(per_minute, max(memory_mb), headers_ms)


def _processes(server: MixtapeServe) -> list[int]:
    return [server.process.pid, *children_of(server.process.pid)]


def _processor_s(server: MixtapeServe) -> float:
    ticks = 0
    for pid in _processes(server):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _CLOCK_TICKS_PER_S


def _memory_mb(pid: int) -> float:
    """Return what a process has for itself, and its share of what it has with others."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError("the kernel does not tell the memory of a process")


def _measure_collection(folder: Path, count: int) -> Collection:
    cache_dir = work_folder() / f"large-cache-{count}"
    large_cache.plant(cache_dir, count)
    track = large_cache.make_track(folder, count % 251)
    cache = AudioCache(cache_dir)
    cache.transcode_file(track)
    while cache.ledger.tally("measured") is None:
        time.sleep(0.05)
    lookup_us = (
        large_cache.time_ms(lambda: [cache.is_cached(track) for _ in range(LOOKUPS)])
        * 1000
        / LOOKUPS
    )
    stats_ms = median(large_cache.time_ms(lambda: gather_stats(cache)) for _ in range(11))
    cache.evictions.evict(cache.identify(track, "medium").id)
    cache.close()
    words = library.make_words(random.Random(1))
    music, data = folder / f"music-{count}", folder / f"data-{count}"
    music.mkdir()
    database = Database.open(data)
    library.fill(database, music, count, words, random.Random(2))
    scans = library.time_scans(database, music, data)
    catalogue = Catalogue(database)
    some = random.Random(7).sample(words, 20)
    search_ms = median(large_cache.time_ms(partial(catalogue.search, word)) for word in some)
    page_ms = median(large_cache.time_ms(catalogue.albums) for _ in range(11))
    size_kb = sum(path.stat().st_size for path in data.glob("mixtape.db*")) / 1e3
    database.close()
    (data / LOCK_NAME).unlink(missing_ok=True)
    scan_ms = min(took.wall_ms for took in scans)
    per_thousand = 1_000 / count
    return Collection(
        lookup_us, stats_ms, scan_ms * per_thousand, search_ms, page_ms, size_kb * per_thousand
    )
