"""Measure the library with generated tracks: a scan with nothing changed, search, browsing.

    python -m benchmarks.library [--tracks 100000]

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
from typing import Any

import click
from sqlalchemy import insert

from mixtape.catalogue import Catalogue
from mixtape.db import Database
from mixtape.models import Track
from mixtape.scanner import LOCK_NAME, Scanner
from mixtape.tags import sort_key

ALBUMS_PER_ARTIST = 4
TRACKS_PER_ALBUM = 10
ROWS_AT_ONCE = 5_000
SCAN_LIMIT_S = 10.0
SEARCH_LIMIT_S = 0.1
PAGE_LIMIT_S = 0.25


@click.command(help=__doc__)
@click.option("--tracks", default=100_000, show_default=True, help="How many tracks to make.")
@click.option("--seed", default=1, show_default=True, help="Of the names.")
def main(tracks: int, seed: int) -> None:
    """Make a library, measure it and print what was measured."""
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        music, data = Path(folder, "music"), Path(folder, "data")
        music.mkdir()
        database = Database.open(data)
        words = make_words(random.Random(seed))
        took = timed(lambda: fill(database, music, tracks, words, random.Random(seed + 1)))
        print(f"{tracks} tracks made in {took:.1f} s, database {database_size(data) / 1e6:.0f} MB")
        measure_scan(database, music, data)
        measure_answers(Catalogue(database), words)
        database.close()


def measure_scan(database: Database, music: Path, data: Path) -> None:
    """Print how long a scan takes that finds nothing changed."""
    scanner = Scanner(database, music, data / LOCK_NAME)

    def scan() -> None:
        scanner.start()
        progress = scanner.wait()
        if progress.error or progress.added or progress.updated or progress.removed:
            raise SystemExit(f"this was to find nothing changed: {progress}")

    times = [timed(scan) for _ in range(3)]
    report(f"scan with nothing changed, {scanner.progress.seen} files", times, SCAN_LIMIT_S)


def measure_answers(catalogue: Catalogue, words: Sequence[str]) -> None:
    """Print how long the questions take that pages ask."""
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
    for kind, texts in typed.items():
        times = [timed(partial(catalogue.search, text)) for text in texts]
        report(f"search: {kind}", times, SEARCH_LIMIT_S)
    pages: dict[str, Callable[[], Any]] = {
        "artists, first page": catalogue.artists,
        "artists, far page": lambda: catalogue.artists(offset=2_000),
        "artists by one letter": lambda: catalogue.artists("b"),
        "albums, first page": catalogue.albums,
        "albums, far page": lambda: catalogue.albums(offset=9_000),
        "albums by one letter": lambda: catalogue.albums("b"),
        "albums, newest first": lambda: catalogue.albums(order="newest"),
        "folders of the root": catalogue.folder,
        "counts": catalogue.counts,
    }
    for kind, ask in pages.items():
        report(kind, [timed(ask) for _ in range(7)], PAGE_LIMIT_S)


def report(what: str, times: Sequence[float], limit_s: float) -> None:
    """Print median and worst of some times, and whether the worst is within the limit."""
    verdict = "ok" if max(times) <= limit_s else "TOO SLOW"
    figures = f"median {median(times) * 1000:8.1f} ms   worst {max(times) * 1000:8.1f} ms"
    print(f"{what:44} {figures}   limit {limit_s * 1000:6.0f} ms   {verdict}")


def timed(action: Callable[[], Any]) -> float:
    """Return the seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


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


def database_size(data: Path) -> int:
    """Return the bytes of the database with its log."""
    return sum(path.stat().st_size for path in data.glob("mixtape.db*"))


if __name__ == "__main__":
    main()
