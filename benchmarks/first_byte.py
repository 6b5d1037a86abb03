"""How soon the first 64 KiB are there: of a track with nothing cached, a head, all; of a seek."""

from __future__ import annotations

import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from audio_cache.batch.heads import make_head

from .client import Connection
from .machine import chosen_ffmpeg
from .music import cut, find_music, work_folder
from .result import Figure, Result, paired_ratio
from .server import Server

USES_MUSIC = True
TRACKS = 20
SEEKS = 20
FIRST_BYTES = 64 << 10
LONG_S = 557.0
# Too long to be encoded before it is given up.
HEADED_S = 600.0
SEEK_TO = 0.75
START_BAR = 1.05
SEEK_MS = 250.0
# ffmpeg need not begin before the place, and its bytes are those of no whole encode.
SEEK_BAR = 1.3
HEAD_MS = 5.0
HIT_MS = 3.0
_QUIET_WITHIN_S = 60.0
# With a head at hand a listener is answered before an encoder runs.
_BEGUN_WITHIN_S = 0.5


def run() -> Result:
    """Time the first bytes of some tracks over HTTP and from ffmpeg itself, and of some seeks."""
    with tempfile.TemporaryDirectory(prefix="first-", dir=work_folder()) as folder:
        names = _make_tracks(Path(folder))
        # What a listener leaves behind would otherwise be encoded to its end during the next test.
        settings = {"AUDIO_CACHE_FINISH_ABANDONED": "false"}
        with Server(Path(folder), settings=settings) as server:
            ours, plain = _time_starts(server, Path(folder), names)
            hits = _time_hits(server, names[0])
            heads = _time_heads(server, Path(folder) / "headed.flac")
            seeks, plain_seeks = _time_seeks(server, Path(folder) / "long.flac")
    return Result(
        title="The first 64 KiB of a track, at medium",
        figures=(
            Figure("cold start, beside ffmpeg itself", paired_ratio(ours, plain), "×", START_BAR),
            Figure("cold start over HTTP", median(ours), "ms"),
            Figure("ffmpeg itself", median(plain), "ms"),
            Figure("start of a track that is cached", median(hits), "ms", HIT_MS),
            Figure("start with a head", median(heads), "ms", HEAD_MS),
            Figure(f"cold seek to {SEEK_TO:.0%} of nine minutes", median(seeks), "ms", SEEK_MS),
            Figure("cold seek, beside ffmpeg -ss", paired_ratio(seeks, plain_seeks), "×", SEEK_BAR),
            Figure("ffmpeg -ss", median(plain_seeks), "ms"),
        ),
        samples={
            "cold start": ours,
            "ffmpeg itself": plain,
            "hit": hits,
            "head": heads,
            "cold seek": seeks,
            "ffmpeg -ss": plain_seeks,
        },
        unit="ms",
        notes=(
            f"Medians of {TRACKS} tracks, each on a new connection and in turn with ffmpeg, and of "
            f"{SEEKS} seeks in a track of {LONG_S:.0f} s, of which nothing was encoded before. "
            f"One was then cached, for {TRACKS} plays more. "
            f"Of one of ten minutes there was only the head, made anew for each of {TRACKS} plays. "
            "The sources were read before, so that the disk plays no part.",
        ),
    )


def _make_tracks(folder: Path) -> list[str]:
    """Fill the folder with tracks and a long one, and return the names of the tracks."""
    pieces = find_music().pieces
    names = []
    for number in range(TRACKS):
        piece = pieces[number % len(pieces)]
        names.append(f"{number:02}.flac")
        cut(piece, piece.duration_s - 1, folder / names[-1], skipped=number)
    cut(pieces[0], LONG_S, folder / "long.flac")
    cut(pieces[0], HEADED_S, folder / "headed.flac")
    return names


def _time_starts(server: Server, folder: Path, names: list[str]) -> tuple[list[float], list[float]]:
    """Return the milliseconds over HTTP and from ffmpeg itself, for each of the tracks."""
    ours: list[float] = []
    plain: list[float] = []
    for number, name in enumerate(names):
        (folder / name).read_bytes()
        measures = [
            (ours, partial(time_range, server, name, 0)),
            (plain, partial(time_ffmpeg, folder / name)),
        ]
        for times_ms, measure in measures if number % 2 else reversed(measures):
            times_ms.append(measure())
            wait_for_quiet(server)
    return ours, plain


def _time_hits(server: Server, name: str) -> list[float]:
    """Return the milliseconds that starts take of a track that is cached."""
    server.warm(f"/play/{name}?quality=medium")
    wait_for_quiet(server)
    return [time_range(server, name, 0, "hit") for _ in range(TRACKS)]


def _time_heads(server: Server, source: Path) -> list[float]:
    """Return the milliseconds that starts take of a track of which the cache has the head."""
    cache = AudioCache(server.cache_dir)
    times_ms = []
    for _ in range(TRACKS):
        cache.clear_cache()
        make_head(cache, source, "medium")
        times_ms.append(time_range(server, source.name, 0))
        time.sleep(_BEGUN_WITHIN_S)
        wait_for_quiet(server)
    return times_ms


def _time_seeks(server: Server, source: Path) -> tuple[list[float], list[float]]:
    """Return the milliseconds that seeks take, each with an empty cache, and ffmpeg's own."""
    with Connection(server.port) as connection:
        length = connection.get("/play/long.flac?quality=medium", method="HEAD").headers
    at = int(SEEK_TO * int(length["content-length"]))
    times_ms = []
    plain_ms = []
    for number in range(SEEKS):
        # A little further each time, because a listener hits no group's first byte either.
        times_ms.append(time_range(server, "long.flac", at + 7_919 * number))
        wait_for_quiet(server)
        AudioCache(server.cache_dir).clear_cache()
        plain_ms.append(time_ffmpeg(source, LONG_S * SEEK_TO))
    return times_ms, plain_ms


def time_range(server: Server, name: str, start: int, how: str = "detail=live") -> float:
    """Return the milliseconds from connecting to the last of the bytes.

    Args:
        how: what the end of Cache-Status has to say.
    """
    began = time.perf_counter()
    with Connection(server.port) as connection:
        answer = connection.get(f"/play/{name}?quality=medium", (start, start + FIRST_BYTES))
    elapsed_ms = (time.perf_counter() - began) * 1000
    status = answer.headers.get("cache-status", "")
    if answer.status != 206 or not status.endswith(f"; {how}"):
        raise SystemExit(f"{name} was to be played as {how}, not {answer.status} {status}")
    return elapsed_ms


def time_ffmpeg(source: Path, start_s: float = 0.0) -> float:
    """Return the milliseconds from starting ffmpeg to the last of the bytes.

    Args:
        source: what it encodes.
        start_s: from where, found as ffmpeg itself does.
    """
    seek = ("-ss", f"{start_s}") if start_s else ()
    job = [
        *(chosen_ffmpeg().path, "-nostdin", "-loglevel", "error", *seek, "-i", str(source)),
        *("-map", "0:a:0", "-c:a", "libmp3lame", "-b:a", "192k", "-ar", "44100", "-ac", "2"),
        *("-id3v2_version", "3", "-f", "mp3", "pipe:1"),
    ]
    began = time.perf_counter()
    with subprocess.Popen(
        job, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as process:
        assert process.stdout is not None
        missing = FIRST_BYTES
        while missing > 0:
            data = process.stdout.read(FIRST_BYTES)
            if not data:
                raise SystemExit(f"ffmpeg ended before {FIRST_BYTES} bytes of {source.name}")
            missing -= len(data)
        elapsed_ms = (time.perf_counter() - began) * 1000
        process.kill()
    return elapsed_ms


def wait_for_quiet(server: Server) -> None:
    """Wait until the server encodes nothing any more."""
    deadline = time.monotonic() + _QUIET_WITHIN_S
    while server.encoders():
        if time.monotonic() > deadline:
            raise SystemExit(f"the server still encodes after {_QUIET_WITHIN_S:.0f} s")
        time.sleep(0.02)
