"""Caching many tracks: what comes of each, in words, and how the machine is used."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audio_cache.cache_worker import CacheWorker, missing, schedule_mixtape_caching
from audio_cache.encoding import sample_check, survey, together
from audio_cache.encoding.ffmpeg import FFmpegRun, running_count
from audio_cache.encoding.mp3 import GROUP_FRAMES
from audio_cache.progress_tracker import ProgressCallback, ProgressTracker
from audio_cache.store import assembly
from audio_cache.store.cache import AudioCache
from tests.helpers.audio import make_audio, make_noise
from tests.helpers.progress import SETTLED_STEPS, drain


class Watcher:
    """A callback with all methods that the contract names, which remembers its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []
        self.fates: list[tuple[str, str, str]] = []

    def __call__(self, current: int, total: int) -> None:
        self.calls.append((current, total))

    def track_cached(self, track_name: str) -> None:
        self.fates.append((track_name, "cached", ""))

    def track_skipped(self, track_name: str, reason: str = "already cached") -> None:
        self.fates.append((track_name, "skipped", reason))

    def track_failed(self, track_name: str, error: object) -> None:
        self.fates.append((track_name, "failed", str(error)))


@pytest.fixture
def worker(cache: AudioCache) -> CacheWorker:
    return CacheWorker(cache, max_workers=3)


@pytest.fixture
def tracks(shared_audio: Path) -> list[Path]:
    """Return 20 short lossless tracks."""
    folder = shared_audio / "twenty"
    paths = [folder / f"{number:02}.flac" for number in range(20)]
    if not folder.exists():
        folder.mkdir()
        for number, path in enumerate(paths):
            make_audio(path, samples=5000, seed=number)
    return paths


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int]]:
    """Return the list of ffmpegs started from now on: the command, and how many ran then."""
    started: list[tuple[list[str], int]] = []

    class Counted(FFmpegRun):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append((self.command, running_count()))

    for module in (together, survey, sample_check):
        monkeypatch.setattr(module, "FFmpegRun", Counted)
    return started


@pytest.fixture
def mixed(tracks: list[Path], data: Path, mp3: Path, tmp_path: Path) -> list[Path]:
    """Return a batch of 30: good ones, two MP3s, a duplicate, and all sorts of bad ones."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    names = ("truncated.flac", "text.flac", "nothing.flac", "empty.flac", "mp3-inside.flac")
    bad = [Path(shutil.copy(data / name, folder / name)) for name in names]
    unreadable = folder / "unreadable.flac"
    unreadable.mkdir()
    dangling = folder / "dangling.flac"
    dangling.symlink_to(folder / "nowhere")
    lossy = [Path(shutil.copy(mp3, folder / "lossy.mp3"))]
    more = [tracks[0], folder / "gone.flac"]
    return [*tracks, *bad, unreadable, dangling, *lossy, *more]


def test_a_mixed_batch_ends_with_the_right_counts_and_words(
    worker: CacheWorker, mixed: list[Path], tracks: list[Path]
) -> None:
    assert len(mixed) == 30
    watcher = Watcher()
    results = worker.cache_mixtape_async(mixed, ["medium"], watcher)

    assert Counter(fate for _, fate, _ in watcher.fates) == {
        "cached": 20,
        "skipped": 4,
        "failed": 5,
    }
    assert {name: words for name, fate, words in watcher.fates if fate != "cached"} == {
        "lossy.mp3": "No transcoding needed",
        "mp3-inside.flac": "No transcoding needed",
        "dangling.flac": "missing",
        "gone.flac": "missing",
        "unreadable.flac": "Is a directory",
        "text.flac": "is not an audio file, whatever its name says",
        "nothing.flac": "is an empty file",
        "empty.flac": "holds no audio",
        "truncated.flac": "cannot be decoded (ffmpeg said: invalid residual)",
    }
    assert watcher.calls == [(number, 29) for number in range(1, 30)]

    assert list(results) == [str(path) for path in dict.fromkeys(mixed)]
    assert all(results[str(path)] == {"medium": True} for path in tracks)
    by_name = {os.path.basename(path): result for path, result in results.items()}
    assert by_name["lossy.mp3"] == {"skipped": True, "reason": "No transcoding needed"}
    assert by_name["gone.flac"] == {"medium": False}
    assert by_name["unreadable.flac"] == {"medium": False}
    assert not list(worker.audio_cache.cache_dir.glob("*.part"))


def test_a_mixed_batch_is_one_stream_of_events_with_its_failures_in_the_summary(
    worker: CacheWorker, mixed: list[Path]
) -> None:
    tracker = ProgressTracker(keepalive_s=0)
    callback = ProgressCallback("mix", tracker, 29, run=tracker.create_task("mix"))
    worker.cache_mixtape_async(mixed, ["medium"], callback)
    callback.run_finished("completed")
    events = drain(tracker.listen("mix"))
    end = events[-1]
    assert (end["cached"], end["skipped"], end["failed"]) == (20, 4, 5)
    assert (end["current"], end["total"]) == (29, 29)
    assert {failure["track"] for failure in end["failures"]} == {
        *("unreadable.flac", "text.flac", "nothing.flac", "empty.flac", "truncated.flac")
    }
    settled = [e["track"] for e in events if e["step"] in SETTLED_STEPS]
    assert len(settled) == len(set(settled)) == 29
    # What somebody on the web reads must not tell where the server keeps its files.
    assert not any(
        str(mixed[0].parent) in str(e) or str(mixed[-1].parent) in str(e) for e in events
    )


def test_one_after_the_other_gives_success_by_quality(
    worker: CacheWorker, mixed: list[Path]
) -> None:
    watcher = Watcher()
    results = worker.cache_mixtape(mixed[17:], ["low", "high"], watcher)
    by_name = {os.path.basename(path): result for path, result in results.items()}
    assert by_name["19.flac"] == {"low": True, "high": True}
    assert by_name["truncated.flac"] == {"low": False, "high": False}
    assert by_name["gone.flac"] == {"low": False, "high": False}
    assert by_name["lossy.mp3"] == {"skipped": True}
    assert [name for name, _, _ in watcher.fates] == list(by_name)


@pytest.mark.parametrize("name", ["cache_mixtape", "cache_mixtape_async"])
def test_what_is_cached_is_not_encoded_again(
    worker: CacheWorker, tracks: list[Path], runs: list[object], name: str
) -> None:
    cache_all: Callable[..., dict[str, dict[str, Any]]] = getattr(worker, name)
    first = cache_all(tracks, ["low", "original"])
    assert len(runs) == 20
    watcher = Watcher()
    assert cache_all(tracks, ["low", "original"], watcher) == first
    assert set(first[str(tracks[0])].items()) == {("low", True), ("original", True)}
    assert {fate[1:] for fate in watcher.fates} == {("skipped", "already cached")}
    assert len(runs) == 20


def test_a_missing_source_with_a_valid_entry_counts_as_cached(
    worker: CacheWorker, tracks: list[Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(tracks[0], tmp_path / "copy.flac"))
    worker.cache_single_file(copy)
    copy.unlink()
    watcher = Watcher()
    assert worker.cache_mixtape_async([copy], None, watcher) == {str(copy): {"medium": True}}
    assert watcher.fates == [("copy.flac", "skipped", "already cached")]


def test_all_qualities_of_a_track_take_one_decode_at_the_batch_priority(
    tmp_path: Path, tracks: list[Path], runs: list[tuple[list[str], int]]
) -> None:
    worker = CacheWorker(AudioCache(tmp_path / "cache", nice=7))
    worker.cache_mixtape_async(tracks[:2], ["high", "medium", "low"])
    assert len(runs) == 2
    for command, _ in runs:
        assert [Path(command[0]).name, *command[1:3]] == ["nice", "-n", "7"]
    assert all(command.count("libmp3lame") == 3 for command, _ in runs)


@pytest.mark.parametrize(("name", "most"), [("cache_mixtape", 1), ("cache_mixtape_async", 2)])
def test_no_more_encoders_run_at_once_than_there_are_workers(
    cache: AudioCache,
    tracks: list[Path],
    runs: list[tuple[list[str], int]],
    name: str,
    most: int,
) -> None:
    getattr(CacheWorker(cache, max_workers=2), name)(tracks)
    assert len(runs) == len(tracks)
    assert max(running for _, running in runs) <= most


@pytest.fixture
def long_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a FLAC of 20 s, which is long enough to be shared."""
    for name in ("_LEAD_FRAMES", "_LEAST_FRAMES", "_WORTH_HELP", "_LONGEST_PIECE"):
        monkeypatch.setattr(assembly, name, GROUP_FRAMES)
    return make_noise(tmp_path / "noise.flac", samples=20 * 44_100)


def test_idle_workers_help_with_a_long_track_and_the_file_is_the_same(
    cache: AudioCache, long_track: Path, tmp_path: Path, runs: list[object]
) -> None:
    CacheWorker(cache, max_workers=3).cache_mixtape_async([long_track], ["low"])
    assert len(runs) > 3
    alone = AudioCache(tmp_path / "alone").transcode_file(long_track, "low")
    assert cache.get_cache_path(long_track, "low").read_bytes() == alone.read_bytes()


def test_a_shared_track_is_compared_with_its_md5_while_it_is_encoded(
    cache: AudioCache, long_track: Path, runs: list[tuple[list[str], int]]
) -> None:
    CacheWorker(cache, max_workers=3).cache_mixtape_async([long_track], ["low"])
    decodes = [at for at, (command, _) in enumerate(runs) if "libmp3lame" not in command]
    assert len(decodes) == 1
    assert decodes[0] < len(runs) - 1
    # Of what comes before the pieces, whose encoders give their own samples.
    assert any("atrim=end_sample=" in word for word in runs[decodes[0]][0])


def test_a_shared_track_that_is_not_what_its_md5_says_is_not_kept(
    cache: AudioCache, long_track: Path
) -> None:
    content = bytearray(long_track.read_bytes())
    content[26] ^= 1
    long_track.write_bytes(content)
    result = CacheWorker(cache, max_workers=3).cache_mixtape_async([long_track], ["low"])
    assert list(result.values()) == [{"low": False}]
    assert not cache.is_cached(long_track, "low")


def test_threads_are_gone_when_a_batch_is_done(worker: CacheWorker, tracks: list[Path]) -> None:
    before = set(threading.enumerate())
    worker.cache_mixtape_async(tracks[:3])
    assert set(threading.enumerate()) == before


def test_a_plain_function_will_do_as_a_callback(worker: CacheWorker, tracks: list[Path]) -> None:
    calls: list[tuple[int, int]] = []
    worker.cache_mixtape_async(tracks[:3], None, lambda *call: calls.append(call))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_a_callback_that_fails_does_not_end_the_batch(
    worker: CacheWorker, tracks: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(current: int, total: int) -> None:
        raise RuntimeError("no such window")

    results = worker.cache_mixtape_async(tracks[:2], None, fail)
    assert list(results.values()) == [{"medium": True}, {"medium": True}]
    assert "no such window" in caplog.text


def test_tracks_of_one_name_are_told_apart_by_their_folders(
    worker: CacheWorker, tracks: list[Path], tmp_path: Path
) -> None:
    paths = [tmp_path / album / "01.flac" for album in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        shutil.copy(tracks[0], path)
    watcher = Watcher()
    worker.cache_mixtape([*paths, tracks[5]], None, watcher)
    assert [name for name, _, _ in watcher.fates] == ["one/01.flac", "two/01.flac", "05.flac"]


def test_names_of_any_bytes_are_cached_and_told(
    worker: CacheWorker, tracks: list[Path], tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/-\xff\n%41 .flac"))
    shutil.copy(tracks[0], path)
    watcher = Watcher()
    assert worker.cache_mixtape_async([path], None, watcher) == {str(path): {"medium": True}}
    assert watcher.fates == [("-\N{REPLACEMENT CHARACTER}\\n%41 .flac", "cached", "")]


def test_a_single_file_gives_success_by_quality(
    worker: CacheWorker, tracks: list[Path], mp3: Path, data: Path
) -> None:
    assert worker.cache_single_file(tracks[0]) == {"medium": True}
    assert worker.cache_single_file(tracks[0], ["low", "original"]) == {
        "low": True,
        "original": True,
    }
    assert worker.cache_single_file(mp3, ["low"]) == {"low": True}
    assert worker.cache_single_file(data / "truncated.flac", ["low"]) == {"low": False}
    gone = Path("/nowhere/x.mp3")
    assert worker.cache_single_file(gone, ["low", "original"]) == {"low": False, "original": True}


def test_verifying_a_mixtape_says_what_can_be_played(
    worker: CacheWorker, tracks: list[Path], mp3: Path
) -> None:
    worker.cache_single_file(tracks[0], ["low"])
    expected = {str(tracks[0]): True, str(tracks[1]): False, str(mp3): True}
    assert worker.verify_mixtape_cache([*tracks[:2], mp3], "low") == expected


def test_only_missing_and_outdated_ones_are_regenerated(
    worker: CacheWorker, tracks: list[Path], mp3: Path, data: Path, tmp_path: Path
) -> None:
    current, changed = (Path(shutil.copy(tracks[n], tmp_path / f"{n}.flac")) for n in (0, 1))
    worker.cache_mixtape([current, changed], ["low", "high"])
    shutil.copy(tracks[2], changed)
    os.utime(changed, (0, 0))  # older than its entry, and yet another file
    broken = data / "truncated.flac"
    results = worker.regenerate_outdated_cache([current, changed, mp3, broken], ["low", "high"])
    assert {key: value["success"] for key, value in results.items()} == {
        f"{changed}_low": True,
        f"{changed}_high": True,
        f"{broken}_low": False,
        f"{broken}_high": False,
    }
    assert "invalid residual" in results[f"{broken}_low"]["error"]
    assert worker.regenerate_outdated_cache([current, changed, mp3], ["low", "high"]) == {}


def test_what_is_missing_follows_from_what_the_cache_holds(
    worker: CacheWorker, tracks: list[Path], mp3: Path, tmp_path: Path
) -> None:
    worker.cache_single_file(tracks[0], ["low"])
    worker.cache_single_file(tracks[1], ["low", "high"])
    every = [*tracks[:3], mp3, tmp_path / "gone.flac"]
    assert missing(worker.audio_cache, every, ["low", "high", "original"]) == {
        tracks[0]: ["high"],
        tracks[2]: ["low", "high"],
    }


@pytest.mark.parametrize("async_mode", [True, False])
def test_a_mixtape_is_cached_by_paths_in_the_music_folder(
    cache: AudioCache,
    tracks: list[Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    async_mode: bool,
) -> None:
    root = tmp_path / "music"
    (root / "a").mkdir(parents=True)
    shutil.copy(tracks[0], root / "a" / "x.flac")
    shutil.copy(tracks[0], tmp_path / "secret.flac")
    mixtape = [{"path": "a/x.flac"}, {"path": "gone.flac"}, {"path": "../secret.flac"}, {}]
    watcher = Watcher()
    with caplog.at_level(logging.WARNING):
        results = schedule_mixtape_caching(
            mixtape, root, cache, None, ["low"], async_mode, progress_callback=watcher
        )
    assert results[str(root / "a/x.flac")] == {"low": True}
    assert list(results) == [str(root / "a/x.flac")]
    for warned_of in ("gone.flac'", "'../secret.flac'", "None"):
        assert warned_of in caplog.text
    assert sorted(watcher.fates) == [("gone.flac", "skipped", "missing"), ("x.flac", "cached", "")]


def test_less_than_one_worker_is_refused(cache: AudioCache, tracks: list[Path]) -> None:
    with pytest.raises(ValueError, match="0 workers"):
        CacheWorker(cache, max_workers=0).cache_mixtape_async(tracks)
