"""How much a server's memory grows while it serves a file of 1 GB by ranges."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from .client import Connection
from .music import work_folder
from .result import Figure, Result
from .server import Server

FILE_BYTES = 1 << 30
RANGE_BYTES = 4 << 20
BAR_MB = 10.0


def run() -> Result:
    """Read the whole file by ranges and look at the server's memory after each."""
    with tempfile.TemporaryDirectory(prefix="memory-", dir=work_folder()) as folder:
        _make_wav(Path(folder, "large.wav"))
        with Server(Path(folder)) as server, Connection(server.port) as connection:
            path = "/play/large.wav?quality=original"
            # What the first answers of any size bring in is no growth by serving this file.
            for at in range(0, 32 << 16, 1 << 16):
                connection.get(path, (at, at + (1 << 16)))
            before = server.memory_bytes()
            growth_mb = []
            for at in range(0, FILE_BYTES, RANGE_BYTES):
                answer = connection.get(path, (at, at + RANGE_BYTES))
                if answer.status != 206 or len(answer.body) != RANGE_BYTES:
                    raise SystemExit(f"the server answered {answer.status}")
                growth_mb.append((server.memory_bytes() - before) / 1e6)
    return Result(
        title="Memory of the server while it serves a WAV of 1 GB by ranges",
        figures=(
            Figure("growth of the server's memory, at most", max(growth_mb), "MB", BAR_MB),
            Figure("memory before", before / 1e6, "MB"),
        ),
        samples={"growth": growth_mb},
        unit="MB",
        notes=(f"{len(growth_mb)} ranges of {RANGE_BYTES >> 20} MiB, memory read after each.",),
        limit=BAR_MB,
    )


def _make_wav(path: Path) -> None:
    """Write the header of a WAV and leave its samples a hole, which takes no room on the disk."""
    data_bytes = FILE_BYTES - 44
    form = struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16)
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", FILE_BYTES - 8) + b"WAVEfmt " + form)
        file.write(b"data" + struct.pack("<I", data_bytes))
        file.truncate(FILE_BYTES)
