"""Background runs of every engine: what holds for one holds for the others."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audio_cache import AudioCache
from audio_cache.batch.background import Run, Runs
from audio_cache.cache_worker import schedule_mixtape_caching
from audio_cache.engines import make_runs
from audio_cache.progress.tracker import ProgressTracker
from audio_cache.settings import AudioCacheSettings
from tests.helpers.audio import make_noise
from tests.helpers.progress import SETTLED_STEPS, parse
from tests.helpers.waiting import LIMIT_S, wait_until

pytestmark = [pytest.mark.slow]
# No two tracks hold the same.
_SEEDS = itertools.count(1)


@dataclass
class Site:
    """A host with an engine, and the cache that its workers fill."""

    runs: Runs
    tracker: ProgressTracker
    cache: AudioCache
    music: Path
    environment: dict[str, str]

    def add(self, name: str, seconds: float = 3) -> Path:
        return make_noise(self.music / name, samples=round(seconds * 44_100), seed=next(_SEEDS))

    def told(self, task_id: str) -> list[dict[str, Any]]:
        return [parse(frame) for frame in self.tracker.listen(task_id, timeout=LIMIT_S)][1:]

    def fates(self, task_id: str) -> dict[str, str]:
        settled = [each for each in self.told(task_id) if each["step"] in SETTLED_STEPS]
        names = [each["track"] for each in settled]
        assert len(names) == len(set(names))
        return {each["track"]: each["step"].removeprefix("track_") for each in settled}


@pytest.fixture(scope="module", params=["threads", "celery"])
def make_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Site]]:
    """Return what gives a host; the worker of Celery is one for all tests of this module."""
    root = tmp_path_factory.mktemp(request.param)
    music, data = root / "music", root / "data"
    music.mkdir()
    given: dict[str, str] = {"AUDIO_CACHE_ENGINE": request.param, "AUDIO_CACHE_MAX_WORKERS": "2"}
    with ExitStack() as stack:
        if request.param == "celery":
            from audio_cache.backends.redis_progress import RedisProgressTracker
            from tests.helpers.celery_worker import CeleryWorker

            url = request.getfixturevalue("redis_server").url
            given["AUDIO_CACHE_REDIS"] = url
            tracker: ProgressTracker = RedisProgressTracker(url, keepalive_s=LIMIT_S)
            stack.callback(tracker.leave)  # type: ignore[attr-defined]
            stack.enter_context(CeleryWorker(url, music, data))
        else:
            tracker = ProgressTracker(keepalive_s=LIMIT_S)
        stack.callback(tracker.close)
        settings = AudioCacheSettings.from_mapping(given)

        def make() -> Site:
            shutil.rmtree(music)
            music.mkdir()
            cache = AudioCache(settings.cache_dir(data))
            stack.callback(cache.close)
            runs = make_runs(settings, cache, tracker, music)
            stack.callback(runs.close)
            return Site(runs, tracker, cache, music, given)

        yield make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    return make_site()


def finish(run: Run) -> None:
    assert run.wait(LIMIT_S)
    assert run.is_over


def test_a_run_is_told_from_its_beginning_to_its_end(site: Site, mp3: Path, data: Path) -> None:
    tracks = [site.add(f"{name}.flac") for name in "abc"]
    tracks += [Path(shutil.copy(mp3, site.music)), site.music / "gone.flac"]
    tracks.append(Path(shutil.copy(data / "truncated.flac", site.music)))
    run = site.runs.schedule("first", tracks, ["low", "high"])
    finish(run)
    told = site.told("first")
    assert (told[0]["step"], told[0]["status"], told[0]["total"]) == ("queued", "pending", 6)
    assert site.fates("first") == {
        **dict.fromkeys(("a.flac", "b.flac", "c.flac"), "cached"),
        **dict.fromkeys(("lossy.mp3", "gone.flac"), "skipped"),
        "truncated.flac": "failed",
    }
    end = told[-1]
    assert (end["status"], end["message"]) == ("completed", "3 cached, 2 skipped, 1 failed")
    assert [each["track"] for each in end["failures"]] == ["truncated.flac"]
    assert end["skip_reasons"] == {"No transcoding needed": 1, "missing": 1}
    counts = [each["done"] for each in told if "done" in each]
    assert counts == sorted(counts)
    assert end["bytes_saved"] > 0
    assert all(
        site.cache.is_cached(track, quality) for track in tracks[:3] for quality in ("low", "high")
    )
    wait_until(lambda: site.runs.find("first") is None)


def test_what_is_cached_is_skipped_and_a_run_of_nothing_is_over(site: Site) -> None:
    track = site.add("again.flac")
    finish(site.runs.schedule("once", [track], ["low"]))
    finish(site.runs.schedule("twice", [track], ["low"]))
    assert site.fates("twice") == {"again.flac": "skipped"}
    finish(site.runs.schedule("nothing", [], ["low"]))
    assert site.told("nothing")[-1]["status"] == "completed"


def test_a_run_of_which_nothing_can_be_done_has_failed(site: Site, data: Path) -> None:
    broken = Path(shutil.copy(data / "truncated.flac", site.music))
    finish(site.runs.schedule("bad", [broken, site.music / "gone.flac"], ["low"]))
    assert site.told("bad")[-1]["status"] == "failed"


def test_cancelling_ends_it_keeps_what_is_finished_and_is_told(site: Site) -> None:
    short, long = site.add("short one.flac"), site.add("a long one.flac", 600)
    run = site.runs.schedule("cancelled", [short, long], ["low"])
    wait_until(lambda: site.cache.is_cached(short, "low"))
    found = site.runs.find("cancelled")
    assert found is not None
    assert found.run_id == run.run_id
    wait_until(lambda: "track_cached" in {each["step"] for each in so_far(site, "cancelled")})
    assert site.runs.cancel("cancelled")
    finish(run)
    end = site.told("cancelled")[-1]
    assert (end["step"], end["status"]) == ("cancelled", "failed")
    assert end["message"] == "Cancelled: 1 of 2 tracks ready"
    assert not site.cache.is_cached(long, "low")
    wait_until(lambda: not site.runs.cancel("cancelled"))


def test_a_save_of_the_same_goes_on_and_another_takes_its_place(site: Site) -> None:
    short, long = site.add("quick.flac"), site.add("long and slow.flac", 600)
    first = site.runs.schedule("saved", [long], ["low"])
    assert first.qualities == ("low",)
    assert site.runs.schedule("saved", [long], ["low"]).run_id == first.run_id
    second = site.runs.schedule("saved", [short], ["low"])
    assert second.run_id != first.run_id
    wait_until(lambda: first.is_over)
    finish(second)
    assert site.fates("saved") == {"quick.flac": "cached"}
    assert not site.cache.is_cached(long, "low")


def test_what_somebody_waits_for_goes_before_a_library(site: Site) -> None:
    library = [site.add(f"library {number:02}.flac", 20) for number in range(24)]
    mixtape = [site.add(f"tape {number}.flac") for number in range(2)]
    behind = site.runs.schedule("library", library, ["low"], is_urgent=False)
    wait_until(lambda: "track_started" in {each["step"] for each in so_far(site, "library")})
    finish(site.runs.schedule("tape", mixtape, ["low"]))
    assert not behind.is_over
    behind.cancel()


def test_names_of_files_are_bytes_and_folders_are_no_matter(site: Site) -> None:
    folder = site.music / "Ünïcode" / "b\udcffd"
    folder.mkdir(parents=True)
    track = make_noise(folder / "a\udcfe'\"\n.flac", samples=44_100, seed=next(_SEEDS))
    finish(site.runs.schedule("odd", [track], ["low"]))
    assert site.cache.is_cached(track, "low")


def test_a_mixtape_is_scheduled_on_every_engine_with_the_same_result(
    site: Site, mp3: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    tracks = [site.add("sch 1.flac"), site.add("sch 2.flac")]
    lossy = Path(shutil.copy(mp3, site.music))
    names = [path.name for path in (*tracks, lossy)]
    told: list[tuple[int, int]] = []
    results = schedule_mixtape_caching(
        [{"path": name} for name in (*names, "gone.flac")],
        site.music,
        site.cache,
        qualities=["low", "high"],
        progress_callback=lambda done, total: told.append((done, total)),
    )
    assert results == {
        **{str(path): {"low": True, "high": True} for path in tracks},
        str(lossy): {"skipped": True, "reason": "No transcoding needed"},
    }
    assert told == [(done, 4) for done in range(1, 5)]
    assert all(site.cache.is_cached(path, "high") for path in tracks)


def test_nothing_is_scheduled_after_the_end(site: Site) -> None:
    site.runs.close()
    with pytest.raises(RuntimeError, match="nothing more can be"):
        site.runs.schedule("late", [site.add("late.flac")], ["low"])


def so_far(site: Site, task_id: str) -> list[dict[str, Any]]:
    return [
        parse(frame)
        for frame in site.tracker.listen(task_id, timeout=0)
        if frame.startswith("data: ")
    ][1:]
