"""Hundreds of listeners who start at once, each with a track that was never encoded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from audio_cache import AudioCache
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import Rendition
from audio_cache.live.encodes import Live
from tests.helpers.processes import processor_s

LISTENERS = 400
FIRST_BYTES = 1 << 16
ALONE = 40
PATIENCE_S = 600.0
MEMORY_BYTES = 150_000_000
BAR = 1.3

pytestmark = pytest.mark.stress


@pytest.fixture
def tracks(tmp_path: Path) -> list[Path]:
    """Return tracks of twenty seconds, no two of which hold the same audio."""
    folder = tmp_path / "music"
    folder.mkdir()
    ffmpeg = find_ffmpeg(None).path
    paths = [folder / f"{number:03}.flac" for number in range(LISTENERS + ALONE)]
    for number, path in enumerate(paths):
        noise = f"anoisesrc=d=20:r=44100:c=pink:a=0.3:s={number}"
        command = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-ac", "2", path]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return paths


def memory_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def first_bytes(live: Live, rendition: Rendition, kept: list[object]) -> bytes:
    """Return the first bytes, and leave the answer open: the listener goes on listening."""
    answer = live.play(rendition, 0, rendition.length)
    kept.append(answer)
    data = bytearray()
    for piece in answer:
        data += piece
        if len(data) >= FIRST_BYTES:
            break
    return bytes(data[:FIRST_BYTES])


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    live = Live(AudioCache(tmp_path / "cache"), wait_s=PATIENCE_S, finish_abandoned=False)
    yield live
    live.stop(PATIENCE_S)


def test_each_of_hundreds_soon_hears_his_first_seconds(
    live: Live, tracks: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cache = live.cache
    before = processor_s()
    for track in tracks[LISTENERS:]:
        answers: list[object] = []
        first_bytes(live, cache.get_rendition(track, "medium"), answers)
        answers[0].close()  # type: ignore[attr-defined]
    cost_s = (processor_s() - before) / ALONE
    cores = len(os.sched_getaffinity(0))
    kept: list[object] = []
    waited: dict[Path, float] = {}
    wrong: list[Path] = []
    most_bytes = memory_bytes()
    gate = threading.Barrier(LISTENERS + 1)
    begun: list[float] = []

    def listen(track: Path) -> None:
        gate.wait(PATIENCE_S)
        rendition = cache.get_rendition(track, "medium")
        data = first_bytes(live, rendition, kept)
        waited[track] = time.monotonic() - begun[0]
        if not data.startswith(rendition.header) or len(data) != FIRST_BYTES:
            wrong.append(track)

    threads = [threading.Thread(target=listen, args=(each,)) for each in tracks[:LISTENERS]]
    for thread in threads:
        thread.start()
    begun.append(time.monotonic())
    used_before = processor_s()
    gate.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        most_bytes = max(most_bytes, memory_bytes())
        time.sleep(0.1)
    used_s = processor_s() - used_before
    for answer in kept:
        answer.close()  # type: ignore[attr-defined]
    assert len(waited) == LISTENERS
    assert wrong == []
    # A look at some: what was heard first is what an encode of its own gives.
    for track in tracks[:LISTENERS:50]:
        rendition = cache.get_rendition(track, "medium")
        expected = b"".join(rendition.read(0, FIRST_BYTES))
        again: list[object] = []
        assert first_bytes(live, rendition, again) == expected
        again[0].close()  # type: ignore[attr-defined]
    times = sorted(waited.values())
    p99_s = times[int(0.99 * LISTENERS) - 1]
    bound_s = BAR * LISTENERS * cost_s / cores
    verdict = "met" if p99_s <= bound_s else "NOT MET"
    figures = (
        f"\n{LISTENERS} cold listeners, {cores} cores: first 64 KiB after {median(times):.1f} s "
        f"(median) and {p99_s:.1f} s (p99)\none alone costs {1000 * cost_s:.0f} ms of a processor, "
        f"so {bound_s:.1f} s are allowed: {verdict}\nused {used_s:.1f} s of processors and "
        f"{most_bytes / 1e6:.0f} MB of memory\n"
    )
    with capsys.disabled():
        sys.stdout.write(figures)
    assert most_bytes <= MEMORY_BYTES
