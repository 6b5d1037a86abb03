"""The library with 100,000 generated tracks: a scan with nothing changed, search, browsing.

Every track is an empty file in a temporary folder and a row that agrees with it in size and date,
so the scan finds nothing to open, as a scan of an unchanged library does.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import insert

from mixtape.database.tables import Track
from mixtape.database.units_of_work import Database
from mixtape.files.tags import sort_key
from mixtape.library.catalogue import Catalogue
from mixtape.library.scanner import LOCK_NAME, Scanner

from .music import work_folder
from .result import Figure, Result

QUICK = False
TRACKS = 100_000
ALBUMS_PER_ARTIST = 4
TRACKS_PER_ALBUM = 10
ROWS_AT_ONCE = 5_000
SCAN_LIMIT_MS = 10_000.0
SEARCH_LIMIT_MS = 100.0


class Took(NamedTuple):
    """How long something took: by the clock, and of a processor's time."""

    wall_ms: float
    cpu_ms: float


def run() -> Result:
    """Make a library and measure it."""
    words = make_words(random.Random(1))
    with tempfile.TemporaryDirectory(prefix="library-", dir=work_folder()) as folder:
        music, data = Path(folder, "music"), Path(folder, "data")
        music.mkdir()
        database = Database.open(data)
        fill(database, music, TRACKS, words, random.Random(2))
        scans = time_scans(database, music, data)
        catalogue = Catalogue(database)
        searches = time_searches(catalogue, words)
        pages = time_pages(catalogue)
        size_mb = sum(path.stat().st_size for path in data.glob("mixtape.db*")) / 1e6
        database.close()
    figures = [*describe("scan with nothing changed", scans, SCAN_LIMIT_MS)]
    for what, times in searches.items():
        figures += describe(f"search, {what}", times, SEARCH_LIMIT_MS)
    for what, times in pages.items():
        figures.append(Figure(f"{what}, median", median(t.wall_ms for t in times), "ms"))
    return Result(
        title=f"A library of {TRACKS:,} tracks",
        figures=tuple(figures),
        samples={what: [took.wall_ms for took in times] for what, times in searches.items()},
        unit="ms",
        notes=(
            f"Empty files in a temporary folder, rows with generated names; database {size_mb:.0f} "
            "MB. Where the processor's time is far below the clock's, the machine was busy.",
        ),
        limit=SEARCH_LIMIT_MS,
    )


def time_scans(database: Database, music: Path, data: Path) -> list[Took]:
    """Time scans that find nothing changed."""
    scanner = Scanner(database, music, data / LOCK_NAME)

    def scan() -> None:
        scanner.start()
        progress = scanner.wait()
        if progress.error or progress.added or progress.updated or progress.removed:
            raise SystemExit(f"this was to find nothing changed: {progress}")

    return [timed(scan) for _ in range(3)]


def time_searches(catalogue: Catalogue, words: Sequence[str]) -> dict[str, list[Took]]:
    """Time what somebody gets who types; the frequent words give the most to rank."""
    some = random.Random(7).sample(words, 20)
    typed = {
        "one letter": sorted({word[:1] for word in words}),
        "two letters": sorted({word[:2] for word in some}),
        "four letters": [word[:4] for word in some],
        "a word": some,
        "two words": [f"{one} {two[:3]}" for one, two in zip(some, some[::-1], strict=True)],
        "two single letters": [f"{one[:1]} {one[-2:-1]}" for one in some],
        "what is not there": [f"{word}zzz" for word in some],
    }
    return {
        kind: [timed(partial(catalogue.search, text)) for text in texts]
        for kind, texts in typed.items()
    }


def time_pages(catalogue: Catalogue) -> dict[str, list[Took]]:
    """Time what the pages of the library ask."""
    pages: dict[str, Callable[[], Any]] = {
        "artists, first page": catalogue.artists,
        "artists, far page": partial(catalogue.artists, offset=2_000),
        "artists by one letter": partial(catalogue.artists, "b"),
        "albums, first page": catalogue.albums,
        "albums, far page": partial(catalogue.albums, offset=9_000),
        "albums by one letter": partial(catalogue.albums, "b"),
        "albums, newest first": partial(catalogue.albums, order="newest"),
        "folders of the root": catalogue.folder,
        "counts": catalogue.counts,
    }
    return {what: [timed(ask) for _ in range(7)] for what, ask in pages.items()}


def describe(what: str, times: Sequence[Took], limit_ms: float) -> tuple[Figure, ...]:
    """Return the worst time, which is held against the limit, and what it took of a processor."""
    return (
        Figure(f"{what}, worst", max(took.wall_ms for took in times), "ms", limit_ms),
        Figure(f"{what}, processor", median(took.cpu_ms for took in times), "ms"),
    )


def timed(action: Callable[[], Any]) -> Took:
    """Return the time that an action takes."""
    start, cpu_start = time.perf_counter(), time.process_time()
    action()
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
    return Took(wall_s * 1000, cpu_s * 1000)


def make_words(rng: random.Random) -> list[str]:
    """Return pronounceable words, the first of them the ones that are used most."""
    syllables = [first + vowel for first in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
    words = {"".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(8_000)}
    return sorted(words, key=lambda word: (len(word), rng.random()))


def fill(
    database: Database, music: Path, count: int, words: Sequence[str], rng: random.Random
) -> None:
    """Make the files and the rows that agree with them."""
    rows = islice(make_rows(music, words, rng), count)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        with database.write() as session:
            session.execute(insert(Track), some)
    database.optimize()


def make_rows(music: Path, words: Sequence[str], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Give rows of one artist after another, without end, each with its file made."""
    # As in real titles few words are frequent and most are rare.
    weights = [1 / (rank + 10) for rank in range(len(words))]
    while True:
        artist, *albums = (
            " ".join(rng.choices(words, weights, k=rng.randint(1, 3))).title()
            for _ in range(1 + ALBUMS_PER_ARTIST)
        )
        for album in albums:
            folder = music / artist / album
            folder.mkdir(parents=True, exist_ok=True)
            titles = rng.choices(words, weights, k=2 * TRACKS_PER_ALBUM)
            for number in range(1, TRACKS_PER_ALBUM + 1):
                title = " ".join(titles[2 * number - 2 : 2 * number]).title()
                # Two albums may have got one name, and a file must not be there twice.
                name = f"{number:02} {title} {rng.getrandbits(40):010x}.flac"
                yield make_row(music, folder / name, artist, album, number, title)


def make_row(
    music: Path, file: Path, artist: str, album: str, number: int, title: str
) -> dict[str, Any]:
    """Return the row of a file that it makes."""
    with file.open("wb"):
        pass
    path = os.fsencode(file.relative_to(music))
    return {
        "path": path,
        "folder": path.rpartition(b"/")[0],
        "title": title,
        "artist": artist,
        "album": album,
        "album_artist": artist,
        "album_artist_key": sort_key(artist),
        "album_key": sort_key(album),
        "track_no": number,
        "duration_s": 180.0 + number,
        "codec": "flac",
        "lossless": True,
        "size_bytes": 0,
        "mtime_ns": file.stat().st_mtime_ns,
        "added_at": datetime.fromtimestamp(1_600_000_000 + number, UTC),
    }
