"""Our server beside others on the same tracks in the same run: ffmpegfs, Supysonic, nginx, ffmpeg.

ffmpegfs is Debian's, and is left out where it is not installed or the system has no FUSE; Supysonic
is installed from PyPI into an environment of its own.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache

from .client import Clients, Connection
from .file_server import deployed_nginx
from .first_byte import (
    FIRST_BYTES,
    LONG_S,
    SEEK_TO,
    time_ffmpeg,
    time_range,
    wait_for_quiet,
)
from .music import cut, find_music, work_folder
from .ranges import CLIENTS, CONNECTIONS, RANGE_BYTES, ranges_of
from .result import Figure, Result
from .rivals import Supysonic, ffmpegfs
from .server import Server

QUICK = False
USES_MUSIC = True
TRACKS = 20
TRACK_S = 120.0
SEEKS = 10
LISTENERS = 50
HOT_SECONDS = 2.0
KBIT_S = 192

Samples = dict[str, list[float]]


def run() -> Result:
    """Measure each of them in turn."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="peers-", dir=work_folder()))
        )
        music = folder / "music"
        music.mkdir()
        names = _make_tracks(music)
        settings = {"AUDIO_CACHE_FINISH_ABANDONED": "false"}
        ours = stack.enter_context(Server(music, settings=settings))
        supysonic = stack.enter_context(Supysonic(music))
        mount = stack.enter_context(ffmpegfs(music, f"{KBIT_S}k"))
        starts = _time_starts(ours, supysonic, mount, music, names)
        seeks = _time_seeks(ours, music, names)
        hot = _count_hot(stack, folder, ours, mount, music, names)
        crowd = _time_crowds(ours, music, names)
    return make_result(starts, seeks, hot, crowd)


def _make_tracks(music: Path) -> list[str]:
    """Fill the folder with tracks, and long ones for seeks; return the names of the tracks."""
    pieces = find_music().pieces
    names = [f"{number:02}.flac" for number in range(TRACKS)]
    for number, name in enumerate(names):
        cut(pieces[number % len(pieces)], TRACK_S, music / name, skipped=number)
    for number in range(SEEKS):
        cut(pieces[0], LONG_S, music / f"long{number}.flac", skipped=number)
    return names


def _time_starts(
    ours: Server, supysonic: Supysonic, mount: Path | None, music: Path, names: list[str]
) -> Samples:
    """Return the milliseconds to the first 64 KiB of tracks that nobody has made yet."""
    samples: Samples = {"ours": [], "ffmpeg": [], "Supysonic": []}
    for name in names:
        (music / name).read_bytes()
        samples["ours"].append(time_range(ours, name, 0))
        wait_for_quiet(ours)
        samples["ffmpeg"].append(time_ffmpeg(music / name))
        path = supysonic.path_of(name, KBIT_S)
        samples["Supysonic"].append(_timed(partial(_read_start, supysonic.port, path)))
        time.sleep(0.5)
        if mount is not None:
            reads = partial(_read_file, mount / f"{name}.mp3", 0)
            samples.setdefault("ffmpegfs", []).append(_timed(reads))
            time.sleep(0.5)
    return samples


def _time_seeks(ours: Server, music: Path, names: list[str]) -> Samples:
    """Return the milliseconds to 64 KiB from far into tracks that nobody has made yet.

    Supysonic has no ranges of what it makes: it sends the start. ffmpegfs gets a mount of its own,
    since it goes on with a track for as long as it takes.
    """
    samples: Samples = {"ours": [], "ffmpeg -ss": []}
    for number in range(SEEKS):
        name = f"long{number}.flac"
        (music / name).read_bytes()
        with Connection(ours.port) as connection:
            headers = connection.get(f"/play/{name}?quality=medium", method="HEAD").headers
        length = int(headers["content-length"])
        samples["ours"].append(time_range(ours, name, int(length * SEEK_TO)))
        wait_for_quiet(ours)
        samples["ffmpeg -ss"].append(time_ffmpeg(music / name, LONG_S * SEEK_TO))
        with ffmpegfs(music, f"{KBIT_S}k") as mount:
            if mount is not None:
                target = mount / f"{name}.mp3"
                at = int(target.stat().st_size * SEEK_TO)
                samples.setdefault("ffmpegfs", []).append(_timed(partial(_read_file, target, at)))
    return samples


def _count_hot(
    stack: ExitStack,
    folder: Path,
    ours: Server,
    mount: Path | None,
    music: Path,
    names: list[str],
) -> dict[str, float]:
    """Return how many ranges of 64 KiB of a track that is there each gives in a second."""
    source = music / names[0]
    path = f"/play/{source.name}?quality=medium"
    length = ours.warm(path)
    nginx = stack.enter_context(deployed_nginx(folder, ours, source))
    clients = stack.enter_context(Clients(CLIENTS, CONNECTIONS))
    count = partial(clients.count, seconds=HOT_SECONDS, expected=b"HTTP/1.1 206 ")
    permanent = ours.permanent_address(source, "medium")
    rates = {
        "ours behind nginx": count(nginx.port, ranges_of(permanent, length)),
        "ours, permanent address": count(ours.port, ranges_of(permanent, length)),
        "ours, path": count(ours.port, ranges_of(path, length)),
        "nginx alone": count(nginx.port, ranges_of("/alone", length)),
    }
    if mount is not None:
        rates["ffmpegfs, read"] = _count_reads(mount / f"{source.name}.mp3")
    return rates


def _time_crowds(ours: Server, music: Path, names: list[str]) -> Samples:
    """Return the seconds that each of 50 listeners of 20 tracks waits for all of his track."""
    AudioCache(ours.cache_dir).clear_cache()
    samples = {
        "ours": _crowd(lambda name: _read_all(ours.port, f"/play/{name}?quality=medium"), names)
    }
    # Anew: the starts have left something behind.
    with Supysonic(music) as other:
        samples["Supysonic"] = _crowd(
            lambda name: _read_all(other.port, other.path_of(name, KBIT_S)), names
        )
    with ffmpegfs(music, f"{KBIT_S}k") as mount:
        if mount is not None:
            samples["ffmpegfs"] = _crowd(lambda name: _read_file_all(mount / f"{name}.mp3"), names)
    return samples


def _crowd(listen: Callable[[str], None], names: list[str]) -> list[float]:
    times_s: list[float] = []

    def one(name: str) -> None:
        times_s.append(_timed(partial(listen, name)) / 1000)

    threads = [
        threading.Thread(target=one, args=(names[number % len(names)],))
        for number in range(LISTENERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times_s) < LISTENERS:
        raise SystemExit("not every listener of the crowd got his track")
    return times_s


def _timed(act: Callable[[], object]) -> float:
    """Return how many milliseconds something takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _read_start(port: int, path: str) -> None:
    """Read the first 64 KiB of an answer that does not say how long it is."""
    with Connection(port) as connection:
        connection.read_raw(path, FIRST_BYTES)


def _read_all(port: int, path: str) -> None:
    with Connection(port, timeout_s=600) as connection:
        connection.read_raw(path, None)


def _read_file(path: Path, start: int) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        missing = FIRST_BYTES
        while missing > 0:
            data = os.pread(descriptor, missing, start + FIRST_BYTES - missing)
            if not data:
                raise SystemExit(f"{path.name} ended too early")
            missing -= len(data)
    finally:
        os.close(descriptor)


def _read_file_all(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 16):
            pass


def _count_reads(path: Path) -> float:
    """Return how many pieces of 64 KiB of a file can be read in a second, by one reader."""
    _read_file_all(path)
    size, count, began = path.stat().st_size, 0, time.perf_counter()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while (elapsed := time.perf_counter() - began) < HOT_SECONDS:
            os.pread(descriptor, RANGE_BYTES, count * RANGE_BYTES % (size - RANGE_BYTES))
            count += 1
    finally:
        os.close(descriptor)
    return count / elapsed


def make_result(starts: Samples, seeks: Samples, hot: dict[str, float], crowd: Samples) -> Result:
    """Return what was measured."""
    figures = [
        *(Figure(f"cold start: {who}", median(each), "ms") for who, each in starts.items()),
        *(Figure(f"cold seek: {who}", median(each), "ms") for who, each in seeks.items()),
        *(Figure(f"hot ranges: {who}", rate, "requests/s") for who, rate in hot.items()),
        *(Figure(f"50 listeners: {who}", max(each), "s") for who, each in crowd.items()),
    ]
    samples = {f"start: {who}": each for who, each in starts.items()}
    samples |= {f"seek: {who}": each for who, each in seeks.items()}
    return Result(
        title="Beside other programs that make MP3 of FLAC for listeners",
        figures=tuple(figures),
        samples=samples,
        unit="ms",
        notes=(
            f"Starts: the first 64 KiB of {TRACKS} tracks of {TRACK_S:.0f} s that nobody had made, "
            f"at {KBIT_S} kbit/s, one after the other. Seeks: 64 KiB from {SEEK_TO:.0%} of {SEEKS} "
            f"tracks of {LONG_S:.0f} s; Supysonic has no ranges of what it makes, and ffmpegfs "
            "gives a place when all before it is made. Hot ranges: 64 KiB of a track that is "
            f"there. 50 listeners: until the last of {LISTENERS} has all of his of {TRACKS} "
            "tracks, none of which was there. Supysonic runs under gunicorn as we do.",
        ),
    )
