"""64 KiB ranges of a cached track from nginx as deployed, beside nginx on the same file alone."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from audio_cache import AudioCache
from tests.helpers.nginx import Nginx, deployed

from .client import Clients
from .music import cut, find_music, work_folder
from .ranges import CLIENTS, CONNECTIONS, RANGE_BYTES, ROUNDS, SECONDS, ranges_of
from .result import Figure, Result, alternate, paired_ratio
from .server import Server

BAR = 0.8


def run() -> Result:
    """Measure them in turn and compare them."""
    with tempfile.TemporaryDirectory(prefix="file-server-", dir=work_folder()) as folder:
        source = Path(folder, "track.flac")
        cut(find_music().pieces[0], 300, source)
        with Server(Path(folder)) as server, Clients(CLIENTS, CONNECTIONS) as clients:
            length = server.warm("/play/track.flac?quality=medium")
            permanent = ranges_of(server.permanent_address(source, "medium"), length)
            with deployed_nginx(Path(folder), server, source) as nginx:
                count = partial(clients.count, seconds=SECONDS, expected=b"HTTP/1.1 206 ")
                samples = alternate(
                    ROUNDS,
                    deployed=partial(count, nginx.port, permanent),
                    alone=partial(count, nginx.port, ranges_of("/alone", length)),
                    python=partial(count, server.port, permanent),
                )
    return make_result(samples["deployed"], samples["alone"], samples["python"])


def deployed_nginx(folder: Path, server: Server, source: Path) -> Nginx:
    """Return the nginx of deploy/ before a server; `/alone` is what is stored of a source."""
    stored = AudioCache(server.cache_dir).get_cache_path(source, "medium").resolve()
    # The clients keep their connections, which nginx would end after a thousand requests.
    alone = f"keepalive_requests 1000000; location = /alone {{ alias {stored}; }}"
    return Nginx(folder, deployed(folder, f"127.0.0.1:{server.port}", server.cache_dir, alone))


def make_result(deployed_: list[float], alone: list[float], python: list[float]) -> Result:
    """Return what the rates say."""
    ratio = paired_ratio(deployed_, alone)
    return Result(
        title=f"{RANGE_BYTES >> 10} KiB ranges by permanent address, from nginx and from Python",
        figures=(
            Figure("nginx as deployed, beside nginx alone", ratio, "×", BAR, True),
            Figure("nginx as deployed", median(deployed_), "requests/s"),
            Figure("nginx alone", median(alone), "requests/s"),
            Figure("Python", median(python), "requests/s"),
        ),
        samples={"nginx as deployed": deployed_, "nginx alone": alone, "Python": python},
        unit="requests/s",
        notes=(
            f"{CLIENTS} client processes of {CONNECTIONS} kept-alive connections, which share the "
            f"machine with the server; one worker of nginx; the median of {ROUNDS} rounds of "
            f"{SECONDS} s, measured in turn. Alone, nginx sends the same file without asking "
            "whether it may.",
        ),
    )
