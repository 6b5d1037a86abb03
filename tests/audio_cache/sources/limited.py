"""A process of its own that reads music files within limits, and says what each took.

Its arguments are files; with a number before them it reads so many damaged copies of each.
"""

from __future__ import annotations

import json
import os
import random
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from audio_cache.sources.source import read_source

MEMORY_BYTES = 200 << 20
_ROOT = Path(__file__).parents[3]
_ADDRESSES_BYTES = 2 << 30  # far above what may be used, so that this says how much it was
_CPU_S = 600
_CLEAR_PEAK = Path("/proc/self/clear_refs")
_NUMBERS = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF)


@dataclass(frozen=True)
class Cost:
    """What a file took: looks at it, processor time for whoever wants to know, growth of memory."""

    name: str
    looks: int
    cpu_s: float
    memory_bytes: int
    error: str = ""


def read_limited(files: Sequence[Path], mutants: int = 0) -> list[Cost]:
    """Read files, or damaged copies of them, in a process of its own."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else "", str(mutants), *files]
    said = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return [Cost(**json.loads(line)) for line in said.stdout.splitlines()]


def damaged(content: bytes, seed: str) -> bytes:
    """Return content with some bytes changed, numbers made extreme, parts lost or repeated."""
    chance = random.Random(seed)
    copy = bytearray(content)
    # Most of what a reader goes by is in the first kilobyte.
    reach = chance.choice((64, 1024, len(copy)))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(max(1, min(reach, len(copy))))
        kind = chance.randrange(5)
        if kind == 0:
            copy[at : at + 1] = bytes((chance.randrange(256),))
        elif kind == 1:
            order = chance.choice("<>")
            copy[at : at + 4] = struct.pack(f"{order}I", chance.choice(_NUMBERS))
        elif kind == 2:
            copy[at : at + 2] = struct.pack(">H", chance.choice(_NUMBERS) & 0xFFFF)
        elif kind == 3:
            del copy[at : at + chance.choice((1, 4, 200, len(copy)))]
        else:
            part = bytes(copy[at : at + chance.choice((8, 64, 500))])
            copy[at:at] = part * chance.choice((1, 3, 2_000))
    return bytes(copy)


def _measure(path: Path, name: str) -> Cost:
    looks = 0
    read_at = os.pread

    def counted(*arguments: int) -> bytes:
        nonlocal looks
        looks += 1
        return read_at(*arguments)

    os.pread = counted
    _CLEAR_PEAK.write_text("5")
    before, started, error = _peak_bytes(), time.process_time(), ""
    try:
        read_source(path)
    except Exception as reason:
        error = f"{type(reason).__name__}: {reason}"
    finally:
        os.pread = read_at
    return Cost(name, looks, time.process_time() - started, _peak_bytes() - before, error)


def _peak_bytes() -> int:
    # Not that of getrusage, which a process takes over from the one that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) << 10


def _costs(files: Sequence[Path], mutants: int) -> Iterator[Cost]:
    for path in files:
        if not mutants:
            yield _measure(path, path.name)
            continue
        content = path.read_bytes()
        copy = Path(f"/proc/self/fd/{os.memfd_create(path.name)}")
        for number in range(mutants):
            seed = f"{path.name} {number}"
            copy.write_bytes(damaged(content, seed))
            yield _measure(copy, seed)


def main() -> None:
    """Read the files of the command line and print a line of JSON for each."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES_BYTES, _ADDRESSES_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    for cost in _costs([Path(each) for each in sys.argv[2:]], int(sys.argv[1])):
        sys.stdout.write(json.dumps(asdict(cost)) + "\n")


if __name__ == "__main__":
    main()
