"""How long players of the OpenSubsonic API wait for a library of 100,000 tracks.

The answers are JSON, made by the application itself without a network. The user of the player has
heard 10,000 of the tracks, and has starred and rated a thousand albums.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any, Final

from flask import Flask
from sqlalchemy import insert, select

from mixtape.app import create_app
from mixtape.database.account_tables import ALBUM, TRACK, Mark, Play
from mixtape.database.tables import FIRST_USER, Track
from mixtape.database.units_of_work import Database
from mixtape.files.tags import sort_key
from mixtape.settings import Settings
from mixtape.web.subsonic.table import CALLS
from tests.helpers.mixtapes import services_of
from tests.helpers.postgres_server import PostgresServer
from tests.helpers.subsonic import Player, add_device

from .library import Took, make_words, timed
from .music import work_folder
from .result import Figure, Result

QUICK = False
TRACKS: Final = 100_000
HEARD: Final = 10_000
MARKED: Final = 1_000
PAGE: Final = 500
REPEATS: Final = 5
ROWS_AT_ONCE: Final = 5_000
PAGE_LIMIT_MS: Final = 100.0
LIST_LIMIT_MS: Final = 50.0
SYNC_LIMIT_MS: Final = 60_000.0
_GENRES: Final = ("Rock", "Pop", "Jazz", "Rock, Pop", "Folk", "Metal", "Jazz, Fusion", "Blues")
_TYPES: Final = (
    *("random", "newest", "highest", "frequent", "recent"),
    *("alphabeticalByName", "alphabeticalByArtist", "starred", "byYear", "byGenre"),
)
_GIVEN: Final[dict[str, dict[str, object]]] = {
    "byYear": {"fromYear": 1970, "toYear": 2000},
    "byGenre": {"genre": "Rock"},
}
Call = tuple[str, dict[str, object]]


def run() -> Result:
    """Make a library in each database, and measure both."""
    figures: list[Figure] = []
    samples: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="subsonic-", dir=work_folder()) as folder:
        for name, app in _apps(Path(folder)):
            player = Player(app, add_device(app))
            for what, call, limit_ms in _calls():
                player.ask(*call)
                ask = partial(_open, player, *call)
                times = [timed(ask) for _ in range(REPEATS)]
                figures += _describe(f"{name}: {what}", times, limit_ms)
                samples[f"{name}: {what}"] = [took.wall_ms for took in times]
            figures += _describe(
                f"{name}: full sync", [timed(partial(_sync, player))], SYNC_LIMIT_MS
            )
            services_of(app).close()
    return Result(
        title=f"OpenSubsonic, a library of {TRACKS:,} tracks",
        figures=tuple(figures),
        samples=samples,
        unit="ms",
        notes=(
            "Medians of whole answers as JSON; the sync reads these too, as a player does. Where "
            "the processor's time is far below the clock's, the machine was busy; that of "
            "PostgreSQL's own processes is not in it.",
        ),
        limit=PAGE_LIMIT_MS,
    )


def _calls() -> Iterator[tuple[str, Call, float | None]]:
    """Give what is asked, and the limit that it is held against."""
    last = {"song": TRACKS, "album": TRACKS // 10, "artist": TRACKS // 50}
    for kind, size in last.items():
        for place, offset in (("first", 0), ("middle", size // 2), ("last", size - PAGE)):
            yield f"search3, {place} page of {kind}s", _page_of(kind, offset), PAGE_LIMIT_MS
    for kind in _TYPES:
        asked = {"type": kind, "size": PAGE, **_GIVEN.get(kind, {})}
        yield f"getAlbumList2, {kind}", ("getAlbumList2", asked), LIST_LIMIT_MS
    far = {"type": "alphabeticalByName", "size": PAGE, "offset": TRACKS // 10 - PAGE}
    yield "getAlbumList2, last of alphabeticalByName", ("getAlbumList2", far), LIST_LIMIT_MS
    yield "getAlbumList2, last of newest", ("getAlbumList2", {**far, "type": "newest"}), None
    for call in ("getArtists", "getIndexes", "getGenres"):
        yield call, (call, {}), None
    yield "getRandomSongs", ("getRandomSongs", {"size": PAGE}), None
    yield "getSongsByGenre", ("getSongsByGenre", {"genre": "Rock", "count": PAGE}), None
    yield "search3, a word", ("search3", {"query": "be"}), None


def _page_of(kind: str, offset: int) -> Call:
    counts = {f"{each}Count": 0 for each in ("artist", "album", "song") if each != kind}
    return "search3", {"query": "", **counts, f"{kind}Count": PAGE, f"{kind}Offset": offset}


def _open(player: Player, call: str, asked: dict[str, object]) -> None:
    with player.open(call, {**asked, "f": "json"}) as answer:
        answer.get_data()


def _sync(player: Player) -> None:
    """Read everything, as a player does that keeps the library itself."""
    for kind, least in (("artist", 1_000), ("album", 5_000), ("song", TRACKS)):
        ids: set[str] = set()
        for number in count():
            items = player.ask(*_page_of(kind, number * PAGE))["searchResult3"][kind]
            ids.update(item["id"] for item in items)
            if len(items) < PAGE:
                break
        if len(ids) < least:
            raise SystemExit(f"there are {len(ids)} of each {kind}: {least} were expected")
    if "getStarred2" in CALLS:
        player.ask("getStarred2")


def _describe(what: str, times: Sequence[Took], limit_ms: float | None) -> tuple[Figure, Figure]:
    return (
        Figure(what, median(took.wall_ms for took in times), "ms", limit_ms),
        Figure(f"{what}, processor", median(took.cpu_ms for took in times), "ms"),
    )


def _apps(folder: Path) -> Iterator[tuple[str, Flask]]:
    """Give an application for each database that there is, with a library and its listener."""
    with ExitStack() as stack:
        yield "SQLite", _make_app(folder / "sqlite")
        programs = shutil.which("postgres")
        if programs is not None:
            server = stack.enter_context(PostgresServer(Path(programs).resolve().parent))
            url = stack.enter_context(_database(server))
            yield "PostgreSQL", _make_app(folder / "postgresql", database_url=url)


@contextmanager
def _database(server: PostgresServer) -> Iterator[str]:
    with server.new_database() as url:
        yield url


def _make_app(root: Path, **given: Any) -> Flask:
    (root / "music").mkdir(parents=True)
    app = create_app(Settings(music_root=root / "music", data_root=root / "data", **given))
    _fill(services_of(app).database)
    return app


def _fill(database: Database) -> None:
    rows = islice(_rows(random.Random(2)), TRACKS)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        with database.write() as session:
            session.execute(insert(Track), some)
    chosen = random.Random(3)
    with database.write() as session:
        paths = session.scalars(select(Track.path).order_by(Track.id)).all()
        keys = select(Track.album_artist_key, Track.album_key).distinct()
        albums = session.execute(keys.order_by(*keys.selected_columns)).all()
        heard, marked = chosen.sample(paths, HEARD), chosen.sample(paths, MARKED)
        plays = [{"path": path, "plays": 1 + len(path) % 50, **_moment(chosen)} for path in heard]
        session.execute(insert(Play), [{"user_id": FIRST_USER, **play} for play in plays])
        marks: list[dict[str, Any]] = [{"kind": TRACK, "key": path} for path in marked]
        marks += [
            {"kind": ALBUM, "key": f"{artist}\1{album}".encode()}
            for artist, album in chosen.sample(albums, MARKED)
        ]
        for number, mark in enumerate(marks):
            mark |= {"user_id": FIRST_USER, "rating": 1 + number % 5}
            mark["starred_at"] = _moment(chosen)["last_played_at"]
        session.execute(insert(Mark), marks)
    database.optimize()


def _moment(chosen: random.Random) -> dict[str, datetime]:
    return {"last_played_at": datetime.fromtimestamp(1_700_000_000 + chosen.randrange(10**7), UTC)}


def _rows(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Give the rows of one album after another, without end; on one of five somebody else plays."""
    words = make_words(random.Random(1))
    weights = [1 / (rank + 10) for rank in range(len(words))]

    def name(most: int) -> str:
        return " ".join(rng.choices(words, weights, k=rng.randint(1, most))).title()

    while True:
        artist = name(3)
        for _ in range(4):
            album, guest = name(3), name(2)
            guest_no = rng.choice([5, 0, 0, 0, 0])
            of_album = {
                "album": album,
                "album_key": sort_key(album),
                "album_artist": artist,
                "album_artist_key": sort_key(artist),
                "year": rng.randint(1960, 2020),
                "genre": rng.choice(_GENRES),
                "cover_key": f"{rng.getrandbits(64):016x}",
                "added_at": datetime.fromtimestamp(1_600_000_000 + rng.randrange(10**8), UTC),
            }
            for number in range(1, 11):
                title, player = name(4), guest if number == guest_no else artist
                folder = f"{artist}/{album}".encode()
                yield {
                    "path": folder + f"/{number:02} {title} {rng.getrandbits(40):x}.flac".encode(),
                    "folder": folder,
                    "title": title,
                    "artist": player,
                    "artist_key": sort_key(player),
                    "track_no": number,
                    "duration_s": 180.0 + number,
                    "codec": "flac",
                    "lossless": True,
                    "rate_hz": 44_100,
                    "bits": 16,
                    "channels": 2,
                    "size_bytes": 20_000_000,
                    "mtime_ns": 1,
                    "track_gain_db": -6.5,
                    "track_peak": 0.98,
                    **of_album,
                }
