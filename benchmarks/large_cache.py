"""A cache of 100,000 objects: a start without its index, statistics, and lookups meanwhile."""

from __future__ import annotations

import os
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from audio_cache import AudioCache, gather_stats
from audio_cache.encoding import mp3
from audio_cache.encoding.rendition import LAYOUT_VERSION, Identity, rendition_id
from audio_cache.live.encodes import Live
from audio_cache.store.entry import entry_name
from audio_cache.store.facts import FILE_NAME

from .music import work_folder
from .result import Figure, Result

QUICK = False
OBJECTS: Final = 100_000
LOOKUPS_MS: Final = 5.0
FIRST_BYTE_MS: Final = 1_000.0
INDEX_BACK_S: Final = 60.0
STATS_MS: Final = 100.0
STATS_ROUNDS: Final = 21
_IDENTITY: Final = Identity(LAYOUT_VERSION, "medium", "192k", 7_500, 7_500 * 1_152, "planted")
_COLD_TRACKS: Final = 3


@dataclass
class Start:
    """What was seen from a start without the index until that was back."""

    lookup_ms: float = 0.0
    first_byte_ms: list[float] = field(default_factory=list)
    lookups_ms: list[float] = field(default_factory=list)
    index_back_s: float = 0.0
    processor_s: float = 0.0


def run() -> Result:
    """Lose the index of a large cache, play from it, and count what it holds."""
    cache_dir = work_folder() / f"large-cache-{OBJECTS}"
    plant(cache_dir, OBJECTS)
    with tempfile.TemporaryDirectory(prefix="large-", dir=work_folder()) as folder:
        tracks = [make_track(Path(folder), number) for number in range(_COLD_TRACKS + 1)]
        AudioCache(cache_dir).transcode_file(tracks[0])
        start = _start_without_index(cache_dir, tracks[0], tracks[1:])
        cache = AudioCache(cache_dir)
        stats_ms = [time_ms(lambda: _count(cache)) for _ in range(STATS_ROUNDS)]
        usage_ms = [time_ms(cache.room.usage) for _ in range(STATS_ROUNDS)]
        for track in tracks:
            cache.evictions.evict(cache.identify(track, "medium").id)
        cache.close()
    return Result(
        title=f"A cache of {OBJECTS:,} objects",
        figures=(
            Figure("stats, median", median(stats_ms), "ms", STATS_MS),
            Figure("stats, worst", max(stats_ms), "ms"),
            Figure("no index: the first lookup of a cached track", start.lookup_ms, "ms"),
            Figure(
                "no index: the first byte of a live play, worst",
                max(start.first_byte_ms),
                "ms",
                FIRST_BYTE_MS,
            ),
            Figure(
                "lookups while the index comes back, median",
                median(start.lookups_ms),
                "ms",
                LOOKUPS_MS,
            ),
            Figure("no index: until it is back", start.index_back_s, "s", INDEX_BACK_S),
            Figure("no index: until it is back, processor", start.processor_s, "s"),
            Figure("what is taken, as each encode asks, median", median(usage_ms), "ms"),
        ),
        samples={"stats": stats_ms},
        unit="ms",
        notes=(
            f"{OBJECTS:,} sparse files with valid headers, each with a name of the contract. The "
            "index is deleted, and a new process's cache answers a cached track and live plays "
            "of tracks that were never encoded, while the index is made again. Where the "
            "processor's time is far below the clock's, the machine was busy.",
        ),
        limit=STATS_MS,
    )


def plant(cache_dir: Path, count: int) -> None:
    """Fill a cache with renditions that have no audio, unless an earlier run has done that."""
    done = cache_dir.with_suffix(".planted")
    if done.exists():
        return
    cache = AudioCache(cache_dir)
    for number in range(count):
        header = mp3.id3_tag((("title", f"Track {number}"),), _IDENTITY.payload())
        header += mp3.info_frame(192_000, _IDENTITY.samples)
        object_id = rendition_id(f"planted:{number}", header)
        path = cache.objects.path(object_id)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(header)
            file.truncate(len(header) + mp3.frames_size(192_000, _IDENTITY.frames))
        name = entry_name(f"/music/{number // 12}/{number}.flac", "medium")
        os.link(path, cache_dir / name)
    cache.close()
    done.touch()


def _start_without_index(cache_dir: Path, cached: Path, cold: list[Path]) -> Start:
    """Start as a new server whose index is gone, and answer plays until it is back."""
    for suffix in ("", "-wal", "-shm"):
        (cache_dir / f"{FILE_NAME}{suffix}").unlink(missing_ok=True)
    start = Start()
    began, processor_began = time.perf_counter(), time.process_time()
    cache = AudioCache(cache_dir)
    live = Live(cache, wait_s=INDEX_BACK_S)

    def look_up() -> None:
        if not cache.is_cached(cached):
            raise SystemExit(f"{cached.name} was to be cached")

    start.lookup_ms = time_ms(look_up)
    for track in cold:
        rendition = cache.get_rendition(track, "medium")
        played = time.perf_counter()
        answer = live.play(rendition, 0, rendition.length)
        next(answer)
        start.first_byte_ms.append((time.perf_counter() - played) * 1000)
        length = sum(map(len, answer))
        answer.close()
        if not 0 < length < rendition.length:
            raise SystemExit(f"{track.name} was to be played to its end")
    while cache.ledger.tally("measured") is None:
        start.lookups_ms.append(time_ms(look_up))
        time.sleep(0.01)
    start.index_back_s = time.perf_counter() - began
    start.processor_s = time.process_time() - processor_began
    live.stop()
    cache.close()
    return start


def _count(cache: AudioCache) -> None:
    found = gather_stats(cache).entries
    if found < OBJECTS:
        raise SystemExit(f"{found:,} entries were counted, and {OBJECTS:,} are there")


def make_track(folder: Path, number: int) -> Path:
    """Return a track of ten seconds; each number below 256 gives another."""
    path = folder / f"{number}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes([number, 0, 0, number]) * 441_000)
    return path


def time_ms(action: Callable[[], object]) -> float:
    """Return the milliseconds that an action takes."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000
