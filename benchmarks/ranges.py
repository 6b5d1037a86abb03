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


def run() -> Result:
    """Measure both in turn and compare them."""
    with tempfile.TemporaryDirectory(prefix="ranges-", dir=work_folder()) as folder:
        cut(find_music().pieces[0], 300, Path(folder, "track.flac"))
        with Server(Path(folder)) as server, Clients(CLIENTS, CONNECTIONS) as clients:
            path = "/play/track.flac?quality=medium"
            length = server.warm(path)
            spans = [(at, at + RANGE_BYTES) for at in range(0, length - RANGE_BYTES, RANGE_BYTES)]
            count = partial(clients.count, server.port, seconds=SECONDS)
            ranges = [make_request(path, span) for span in spans]
            samples = alternate(
                ROUNDS,
                ranges=partial(count, ranges, expected=b"HTTP/1.1 206 "),
                smallest=partial(count, [make_request("/small")], expected=b"HTTP/1.1 200 "),
            )
    return make_result(samples["ranges"], samples["smallest"])


def make_result(ranges: list[float], smallest: list[float]) -> Result:
    """Return what the rates say."""
    return Result(
        title="64 KiB ranges of a cached track, beside the smallest route of the same server",
        figures=(
            Figure(
                "ranges, beside the smallest route", paired_ratio(ranges, smallest), "×", BAR, True
            ),
            Figure("64 KiB ranges", median(ranges), "requests/s"),
            Figure("the smallest route", median(smallest), "requests/s"),
        ),
        samples={"64 KiB ranges": ranges, "smallest route": smallest},
        unit="requests/s",
        notes=(
            f"{CLIENTS} client processes of {CONNECTIONS} kept-alive connections; one gunicorn "
            f"gthread process; the median of {ROUNDS} rounds of {SECONDS} s, measured in turn.",
        ),
    )
