"""How many 64 KiB ranges a second the host sends, by one process and by one for each core."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from mixtape.server.run import count_workers
from mixtape.settings import Settings
from tests.helpers.mixtape_serve import MixtapeServe

from .client import Clients, Connection
from .music import cut, find_music, work_folder
from .ranges import CLIENTS, CONNECTIONS, RANGE_BYTES, ranges_of
from .result import Figure, Result, alternate, paired_ratio

ROUNDS = 15
SECONDS = 0.8
PLAY = "/play/track.flac?quality=medium"


def run() -> Result:
    """Measure both in turn, over the same cache."""
    folder = Path(tempfile.mkdtemp(prefix="workers-", dir=work_folder()))
    music = folder / "music"
    music.mkdir()
    cut(find_music().pieces[0], 300, music / "track.flac")
    workers = count_workers(Settings())
    try:
        with (
            MixtapeServe(music, folder / "one", WORKERS="1") as one,
            MixtapeServe(music, folder / "each", WORKERS=str(workers)) as each,
            Clients(CLIENTS, CONNECTIONS) as clients,
        ):
            lengths = [_warm(_port(server)) for server in (one, each)]
            asked = ranges_of(PLAY, lengths[0])
            count = partial(clients.count, seconds=SECONDS, expected=b"HTTP/1.1 206 ")
            samples = alternate(
                ROUNDS,
                one=partial(count, _port(one), asked),
                each=partial(count, _port(each), asked),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(
        title=f"{RANGE_BYTES >> 10} KiB ranges of a cached track from mixtape, by its processes",
        figures=(
            Figure(
                f"{workers} processes, beside one",
                paired_ratio(samples["each"], samples["one"]),
                "×",
            ),
            Figure("one process", median(samples["one"]), "requests/s"),
            Figure(f"{workers} processes", median(samples["each"]), "requests/s"),
        ),
        samples={"one process": samples["one"], f"{workers} processes": samples["each"]},
        unit="requests/s",
        notes=(
            f"{CLIENTS} client processes of {CONNECTIONS} kept-alive connections, which take cores "
            f"of the same machine; the median of {ROUNDS} rounds of {SECONDS} s, in turn.",
        ),
    )


def _port(server: MixtapeServe) -> int:
    return int(server.address.rpartition(":")[2])


def _warm(port: int) -> int:
    """Have the track cached; return its length."""
    with Connection(port) as connection:
        length = len(connection.get(PLAY).body)
        while not connection.get(PLAY, (0, 1)).headers["cache-status"].endswith("; hit"):
            pass
    return length
