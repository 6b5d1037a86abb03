"""Background runs: begun by a save, cancelled, superseded, and resumed after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audio_cache.batch.background import BackgroundRun, BackgroundRuns
from audio_cache.cache_worker import missing
from audio_cache.encoding.ffmpeg import running_count
from audio_cache.progress.tracker import ProgressTracker
from audio_cache.store.cache import AudioCache
from audio_cache.store.verify import State, verify
from tests.helpers.audio import make_audio, make_silence
from tests.helpers.progress import SETTLED_STEPS, drain
from tests.helpers.waiting import LIMIT_S, wait_until

KILLED_SERVER = """
import sys
from pathlib import Path
from audio_cache.audio_cache import AudioCache
from audio_cache.progress_tracker import ProgressTracker
from audio_cache.batch.background import BackgroundRuns
cache, *tracks = map(Path, sys.argv[1:])
run = BackgroundRuns(AudioCache(cache), ProgressTracker(), 2).schedule("mix", tracks, ["low"])
print("scheduled", flush=True)
run.wait()
"""


@pytest.fixture(scope="module")
def short(shared_audio: Path) -> list[Path]:
    return [
        make_audio(shared_audio / f"short {number}.flac", samples=5000, seed=number)
        for number in range(4)
    ]


@pytest.fixture(scope="module")
def long(shared_audio: Path) -> Path:
    """Return a track whose encode takes some seconds."""
    return make_silence(shared_audio / "long.flac", 240)


@pytest.fixture
def tracker() -> ProgressTracker:
    return ProgressTracker(keepalive_s=0)


@pytest.fixture
def runs(cache: AudioCache, tracker: ProgressTracker) -> Iterator[BackgroundRuns]:
    runs = BackgroundRuns(cache, tracker, max_workers=2)
    yield runs
    runs.close()


def finish(run: BackgroundRun) -> None:
    assert run.wait(LIMIT_S)


def events(tracker: ProgressTracker, task_id: str = "mix") -> list[dict[str, Any]]:
    return drain(tracker.listen(task_id, timeout=LIMIT_S))


def so_far(tracker: ProgressTracker) -> list[dict[str, Any]]:
    return drain(tracker.listen("mix", timeout=0))


def fates(told: list[dict[str, Any]]) -> dict[str, str]:
    """Return how each track ended; a track that is settled twice is an error."""
    settled = [event for event in told if event["step"] in SETTLED_STEPS]
    names = [event["track"] for event in settled]
    assert len(names) == len(set(names))
    return {event["track"]: event["step"].removeprefix("track_") for event in settled}


def partials(cache: AudioCache) -> list[Path]:
    return cache.partials()


def test_a_run_is_told_from_its_beginning_to_its_end(
    runs: BackgroundRuns, tracker: ProgressTracker, short: list[Path], mp3: Path
) -> None:
    run = runs.schedule("mix", [*short, mp3], ["low"])
    finish(run)
    told = events(tracker)
    assert (told[0]["step"], told[0]["status"], told[0]["total"]) == ("queued", "pending", 5)
    assert fates(told) == {**{path.name: "cached" for path in short}, "lossy.mp3": "skipped"}
    assert (told[-1]["status"], told[-1]["message"]) == (
        "completed",
        "4 cached, 1 skipped, 0 failed",
    )
    assert [event["status"] for event in told].count("completed") == 1
    wait_until(lambda: runs.find("mix") is None)


def test_scheduling_waits_for_nothing(runs: BackgroundRuns, long: Path) -> None:
    run = runs.schedule("mix", [long], ["low"])
    assert not run.is_over
    assert runs.find("mix") is run
    run.cancel()


def test_cancelling_ends_the_encoders_keeps_what_is_finished_and_is_told(
    runs: BackgroundRuns,
    cache: AudioCache,
    tracker: ProgressTracker,
    short: list[Path],
    long: Path,
) -> None:
    runs.schedule("mix", [*short, long], ["low"])
    wait_until(lambda: len(fates(so_far(tracker))) == 4 and running_count())
    assert runs.cancel("mix")
    wait_until(lambda: not running_count())
    end = events(tracker)[-1]
    assert (end["step"], end["status"]) == ("cancelled", "failed")
    assert end["message"] == "Cancelled: 4 of 5 tracks ready"
    assert all(cache.is_cached(path, "low") for path in short)
    assert not cache.is_cached(long, "low")
    wait_until(lambda: not runs.cancel("mix"))


def test_nothing_is_told_after_the_end(
    runs: BackgroundRuns, tracker: ProgressTracker, long: Path
) -> None:
    run = runs.schedule("mix", [long], ["low"])
    wait_until(running_count)
    run.cancel()
    told = events(tracker)
    wait_until(lambda: runs.find("mix") is None)
    assert events(tracker) == told


def test_a_save_of_the_same_tracks_is_the_run_that_goes_on(
    runs: BackgroundRuns, long: Path, short: list[Path]
) -> None:
    run = runs.schedule("mix", [long, *short], ["low"])
    assert runs.schedule("mix", [long, *short], ["low"]) is run
    assert runs.schedule("other", [long], ["low"]) is not run
    assert runs.schedule("mix", [long, *short], ["low", "high"]) is not run


def test_two_saves_give_one_run_that_covers_the_newest_state(
    runs: BackgroundRuns,
    cache: AudioCache,
    tracker: ProgressTracker,
    short: list[Path],
    long: Path,
) -> None:
    first = runs.schedule("mix", [short[0], long], ["low"])
    wait_until(lambda: cache.is_cached(short[0], "low") and running_count())
    second = runs.schedule("mix", short, ["low"])
    assert first.is_over
    finish(second)
    told = events(tracker)
    assert fates(told) == {
        short[0].name: "skipped",
        **{path.name: "cached" for path in short[1:]},
    }
    assert [event["step"] for event in told].count("completed") == 1
    assert not cache.is_cached(long, "low")


def test_what_a_superseded_run_has_encoded_is_gone_on_with(
    runs: BackgroundRuns, cache: AudioCache, long: Path, short: list[Path]
) -> None:
    first = runs.schedule("mix", [long], ["low"])
    wait_until(lambda: partials(cache) and partials(cache)[0].stat().st_size > 100_000)
    inode = partials(cache)[0].stat().st_ino
    second = runs.schedule("mix", [long, short[0]], ["low"])
    assert first.is_over
    finish(second)
    # The file that the first run began has become the entry.
    assert cache.get_cache_path(long, "low").stat().st_ino == inode


def test_workers_are_shared_by_all_runs(
    runs: BackgroundRuns, cache: AudioCache, short: list[Path], long: Path
) -> None:
    scheduled = [
        runs.schedule(f"mix {number}", [path], ["low"]) for number, path in enumerate(short)
    ]
    most = 0
    while not all(run.is_over for run in scheduled):
        most = max(most, running_count())
    assert most <= 2
    assert all(cache.is_cached(path, "low") for path in short)


def test_a_run_has_failed_only_where_nothing_could_be_done(
    runs: BackgroundRuns, tracker: ProgressTracker, data: Path, short: list[Path], tmp_path: Path
) -> None:
    broken, gone = data / "truncated.flac", tmp_path / "gone.flac"
    finish(runs.schedule("bad", [broken, gone], ["low"]))
    assert events(tracker, "bad")[-1]["status"] == "failed"
    finish(runs.schedule("mixed", [broken, gone, short[0]], ["low"]))
    end = events(tracker, "mixed")[-1]
    assert (end["status"], end["failed"], end["cached"]) == ("completed", 1, 1)
    finish(runs.schedule("nothing", [], ["low"]))
    assert events(tracker, "nothing")[-1]["status"] == "completed"


def test_a_shutdown_ends_all_at_once_and_is_no_end_of_the_runs(
    runs: BackgroundRuns, tracker: ProgressTracker, long: Path, short: list[Path]
) -> None:
    before, others = running_count(), set(threading.enumerate())
    runs.schedule("mix", [long, *short], ["low"])
    wait_until(lambda: running_count() > before)
    runs.close()
    assert running_count() == before
    names = {thread.name for thread in threading.enumerate() if thread not in others}
    assert "audio-cache" not in names
    assert {event["status"] for event in so_far(tracker)} <= {"pending", "in_progress"}
    with pytest.raises(RuntimeError, match="stopped"):
        runs.schedule("more", short, ["low"])


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_after_the_next_start_and_encodes_nothing_twice(
    cache: AudioCache, tracker: ProgressTracker, short: list[Path], long: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(long, tmp_path / "copy.flac"))
    tracks = [*short, long, copy]
    server = subprocess.Popen(
        [sys.executable, "-c", KILLED_SERVER, cache.cache_dir, *tracks],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    with server:
        wait_until(lambda: all(cache.is_cached(path, "low") for path in short) and partials(cache))
        server.send_signal(signal.SIGKILL)
    finished = {path: path.stat().st_mtime_ns for path in cache.entries()}

    tracks_left = missing(cache, tracks, ["low"])
    assert set(tracks_left) <= {long, copy}
    runs = BackgroundRuns(cache, tracker, max_workers=2)
    try:
        finish(runs.schedule("mix", tracks_left, ["low"]))
    finally:
        runs.close()
    assert missing(cache, tracks, ["low"]) == {}
    assert partials(cache) == []
    assert finished.items() <= {path: path.stat().st_mtime_ns for path in cache.entries()}.items()
    assert {found.state for found in verify(cache)} == {State.SOUND}
