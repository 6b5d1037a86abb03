"""One entry wanted by many at once: one encode, and the same answer to all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from audio_cache import AudioCache
from tests.helpers.audio import make_audio, make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.renditions import files_of, undisturbed
from tests.helpers.waiting import wait_until

PROCESSES = 20
# One process imports the package and becomes many, since so many imports would take seconds. All
# wait for the gate to close, so that none is done before the last one asks.
ASK = """
import hashlib, os, sys
from pathlib import Path
from audio_cache import AudioCache
gate, open_end = os.pipe()
for number in range(int(sys.argv[4])):
    if not os.fork():
        os.close(open_end)
        os.read(gate, 1)
        cache = AudioCache(Path(sys.argv[1]), ffmpeg=sys.argv[3])
        path = cache.transcode_file(Path(sys.argv[2]), "low")
        line = f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\\n"
        os.write(1, line.encode())
        os._exit(0)
os.close(open_end)
while True:
    try:
        assert os.wait()[1] == 0
    except ChildProcessError:
        break
"""


def test_twenty_processes_get_one_encode_and_equal_answers(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "x.flac", samples=600_000)
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    cache = AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path)
    given = map(str, (cache.cache_dir, source, ffmpeg.path, PROCESSES))
    asked = subprocess.run([sys.executable, "-c", ASK, *given], capture_output=True, timeout=100)
    assert asked.returncode == 0, asked.stderr
    entry = cache.get_cache_path(source, "low")
    digest = hashlib.sha256(undisturbed(source, tmp_path)).hexdigest()
    assert asked.stdout.decode().splitlines() == [f"{entry.name} {digest}"] * PROCESSES
    assert len(ffmpeg.starts()) == 1
    assert files_of(cache.cache_dir) == [entry]


def test_many_threads_of_one_process_get_one_encode(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "x.flac", samples=300_000)
    ffmpeg = StubFFmpeg(tmp_path / "stub")
    caches = [AudioCache(tmp_path / "cache", ffmpeg=ffmpeg.path) for _ in range(2)]
    gate = threading.Barrier(12)
    contents: list[bytes] = []

    def ask_in_thread(cache: AudioCache) -> None:
        gate.wait()
        contents.append(cache.transcode_file(source, "low").read_bytes())

    threads = [threading.Thread(target=ask_in_thread, args=(caches[n % 2],)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(contents) == {undisturbed(source, tmp_path)}
    assert len(contents) == 12
    assert len(ffmpeg.starts()) == 1


def test_other_entries_wait_for_nobody(tmp_path: Path) -> None:
    slow, quick = (
        make_audio(tmp_path / f"{seed}.flac", samples=20_000, seed=seed) for seed in range(2)
    )
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    hang = StubFFmpeg(tmp_path / "hang", f"read -r _ < {gate}")
    held = AudioCache(tmp_path / "cache", ffmpeg=hang.path)
    thread = threading.Thread(target=held.transcode_file, args=(slow, "low"))
    thread.start()
    wait_until(hang.starts, "the first encode to begin")
    cache = AudioCache(tmp_path / "cache")
    assert cache.transcode_file(quick, "low").exists()
    assert cache.transcode_file(slow, "high").exists()
    assert not cache.is_cached(slow, "low")
    gate.write_text("go\n")
    thread.join()
    assert cache.is_cached(slow, "low")


def test_when_the_one_that_encodes_fails_another_tries_itself(tmp_path: Path) -> None:
    source = make_audio(tmp_path / "x.flac", samples=20_000)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    failing = StubFFmpeg(
        tmp_path / "failing", f"[ -p {gate} ] && read -r _ < {gate} && rm {gate}; exit 1"
    )
    working = StubFFmpeg(tmp_path / "working")
    bad = AudioCache(tmp_path / "cache", ffmpeg=failing.path)
    good = AudioCache(tmp_path / "cache", ffmpeg=working.path)
    outcomes: list[object] = []

    def run(cache: AudioCache) -> None:
        try:
            outcomes.append(cache.transcode_file(source, "low"))
        except subprocess.CalledProcessError as error:
            outcomes.append(error.returncode)

    first = threading.Thread(target=run, args=(bad,))
    first.start()
    wait_until(failing.starts, "the first encode to begin")
    second = threading.Thread(target=run, args=(good,))
    second.start()
    gate.write_text("go\n")
    first.join()
    second.join()
    assert outcomes == [1, good.get_cache_path(source, "low")]
    assert len(working.starts()) == 1
