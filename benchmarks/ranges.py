"""How many 64 KiB ranges of a cached track per second, beside the same server's smallest route."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from .client import Clients, make_request
from .music import cut, find_music, work_folder
from .result import Figure, Result, alternate, paired_ratio
from .server import Server

RANGE_BYTES = 64 << 10
ROUNDS = 25
SECONDS = 0.8
CLIENTS = 2
CONNECTIONS = 4
BAR = 0.7
PERMANENT_BAR = 0.95


def run() -> Result:
    """Measure them in turn and compare them."""
    with tempfile.TemporaryDirectory(prefix="ranges-", dir=work_folder()) as folder:
        cut(find_music().pieces[0], 300, Path(folder, "track.flac"))
        with Server(Path(folder)) as server, Clients(CLIENTS, CONNECTIONS) as clients:
            path = "/play/track.flac?quality=medium"
            length = server.warm(path)
            permanent = server.permanent_address(Path(folder, "track.flac"), "medium")
            count = partial(clients.count, server.port, seconds=SECONDS)
            partly = partial(count, expected=b"HTTP/1.1 206 ")
            samples = alternate(
                ROUNDS,
                ranges=partial(partly, ranges_of(path, length)),
                permanent=partial(partly, ranges_of(permanent, length)),
                smallest=partial(count, [make_request("/small")], expected=b"HTTP/1.1 200 "),
            )
    return make_result(samples["ranges"], samples["permanent"], samples["smallest"])


def ranges_of(path: str, length: int) -> list[bytes]:
    """Return requests for one range after the other of what a path leads to."""
    starts = range(0, length - RANGE_BYTES, RANGE_BYTES)
    return [make_request(path, (at, at + RANGE_BYTES)) for at in starts]


def make_result(ranges: list[float], permanent: list[float], smallest: list[float]) -> Result:
    """Return what the rates say."""
    beside = "beside the smallest route"
    return Result(
        title="64 KiB ranges of a cached track, beside the smallest route of the same server",
        figures=(
            Figure(f"ranges, {beside}", paired_ratio(ranges, smallest), "×", BAR, True),
            Figure(
                f"by permanent address, {beside}",
                paired_ratio(permanent, smallest),
                "×",
                PERMANENT_BAR,
                True,
            ),
            Figure("64 KiB ranges", median(ranges), "requests/s"),
            Figure("by permanent address", median(permanent), "requests/s"),
            Figure("the smallest route", median(smallest), "requests/s"),
        ),
        samples={
            "64 KiB ranges": ranges,
            "by permanent address": permanent,
            "smallest route": smallest,
        },
        unit="requests/s",
        notes=(
            f"{CLIENTS} client processes of {CONNECTIONS} kept-alive connections; one gunicorn "
            f"gthread process; the median of {ROUNDS} rounds of {SECONDS} s, measured in turn.",
        ),
    )
