"""A cache of 100,000 objects: its statistics, and a start without the index.

Every object is a rendition's header in a file that is as long as the rendition would be and takes
no space, under the name of a source of its own, so all that is read of a real one is there.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from audio_cache import AudioCache, gather_stats
from audio_cache.encoding.rendition import Rendition
from audio_cache.store.entry import entry_name

from .music import cut, find_music, work_folder
from .result import Figure, Result

QUICK = False
OBJECTS = 100_000
STATS_MS = 100.0
BACK_WITHIN_S = 60.0
ROUNDS = 5


def run() -> Result:
    """Fill a cache, count it, lose its index, and start again."""
    with tempfile.TemporaryDirectory(prefix="large-", dir=work_folder()) as folder:
        source = Path(folder, "track.flac")
        cut(find_music().pieces[0], 5.0, source)
        cache = AudioCache(Path(folder, "cache"))
        cache.transcode_file(source, "medium")
        fill(cache, cache.identify(source, "medium"))
        first_ms = time_stats(cache)
        again_ms = [time_stats(cache) for _ in range(ROUNDS)]
        new_ms = [time_stats_after_one_more(cache, source, number) for number in range(ROUNDS)]
        cache.close()
        for path in cache.cache_dir.glob("index.db*"):
            path.unlink()
        play_ms, back_s = time_start(cache.cache_dir, source)
    return Result(
        title=f"A cache of {OBJECTS:,} objects",
        figures=(
            Figure("stats", median(again_ms), "ms", STATS_MS),
            Figure("stats, one entry more", median(new_ms), "ms", STATS_MS),
            Figure("stats, counted for the first time", first_ms, "ms"),
            Figure("start without the index: a lookup", play_ms, "ms"),
            Figure("start without the index: it is back", back_s, "s", BACK_WITHIN_S),
        ),
        samples={"nothing new": again_ms, "one entry more": new_ms},
        unit="ms",
        notes=(
            "Objects are headers in files without blocks, with a name of their own. The index is "
            "back when the sizes of all objects are in it, so that it is known what may be taken.",
        ),
    )


def fill(cache: AudioCache, rendition: Rendition) -> None:
    """Give a cache objects with entries, and note both as an encode does."""
    for number in range(OBJECTS):
        tagged = replace(rendition, tags=(("title", f"{number:06}"),))
        path = Path(cache.objects.path(tagged.id))
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.write(tagged.header)
            file.truncate(tagged.length)
        os.link(path, cache.cache_dir / entry_name(f"/music/{number}.flac", "medium"))


def time_stats(cache: AudioCache) -> float:
    """Return the milliseconds that counting takes."""
    began = time.perf_counter()
    found = gather_stats(cache)
    elapsed_ms = (time.perf_counter() - began) * 1000
    if found.entries < OBJECTS:
        raise SystemExit(f"{found.entries} entries were counted, of {OBJECTS}")
    return elapsed_ms


def time_stats_after_one_more(cache: AudioCache, source: Path, number: int) -> float:
    """Return the same, when one more entry has come."""
    copied = source.with_name(f"copy {number}.flac")
    copied.write_bytes(source.read_bytes())
    cache.transcode_file(copied, "medium")
    return time_stats(cache)


def time_start(cache_dir: Path, source: Path) -> tuple[float, float]:
    """Return the milliseconds of a first lookup, and the seconds until the index is back."""
    began = time.perf_counter()
    cache = AudioCache(cache_dir)
    rebuild = threading.Thread(target=cache.room.usage)
    rebuild.start()
    if not cache.is_cached(source, "medium"):
        raise SystemExit("what is stored was to be found without the index")
    first_ms = (time.perf_counter() - began) * 1000
    rebuild.join()
    while sum(1 for _ in cache.ledger.holdings()) < OBJECTS:
        if time.perf_counter() - began > 10 * BACK_WITHIN_S:
            raise SystemExit("the index does not come back")
        time.sleep(0.05)
    back_s = time.perf_counter() - began
    cache.close()
    return first_ms, back_s
