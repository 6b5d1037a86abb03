"""Workers on several hosts: who dies, what is lost on the way, and that nothing is made twice."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from audio_cache import AudioCache
from audio_cache.backends.celery_runs import CeleryRuns
from audio_cache.backends.redis_progress import RedisProgressTracker
from audio_cache.backends.s3_objects import S3Objects
from audio_cache.engines import make_runs
from audio_cache.settings import AudioCacheSettings
from benchmarks.server import children_of
from tests.helpers.audio import make_noise
from tests.helpers.celery_worker import CeleryWorker
from tests.helpers.progress import SETTLED_STEPS, parse
from tests.helpers.redis_server import RedisServer
from tests.helpers.s3_server import S3Server
from tests.helpers.waiting import LIMIT_S, wait_until

pytestmark = [pytest.mark.slow]
_SEEDS = itertools.count(1000)


class Site:
    """A web node and its workers: each with a mount and a disk of its own, and a bucket for all."""

    def __init__(self, root: Path, redis_url: str, bucket: str, stack: ExitStack) -> None:
        self.root, self.url, self.bucket, self.stack = root, redis_url, bucket, stack
        self.music = root / "music"
        self.music.mkdir()
        self.settings = AudioCacheSettings.from_mapping(
            {"AUDIO_CACHE_ENGINE": "celery", "AUDIO_CACHE_REDIS": redis_url}
        )
        self.tracker = RedisProgressTracker(redis_url, keepalive_s=LIMIT_S)
        stack.callback(self.tracker.leave)
        self.store = S3Objects(bucket)
        self.cache = AudioCache(root / "web", behind=self.store)
        stack.callback(self.cache.close)
        self.runs = make_runs(self.settings, self.cache, self.tracker, self.music)
        assert isinstance(self.runs, CeleryRuns)
        stack.callback(self.runs.close)

    def add(self, count: int, seconds: float) -> list[Path]:
        seeds = [next(_SEEDS) for _ in range(count)]
        return [
            make_noise(self.music / f"{seed}.flac", samples=round(seconds * 44_100), seed=seed)
            for seed in seeds
        ]

    def worker(self, name: str, **given: Any) -> CeleryWorker:
        mount = self.root / f"mount of {name}"
        mount.symlink_to(self.music)
        given = {"AUDIO_CACHE_OBJECT_STORE": self.bucket, **given}
        worker = CeleryWorker(self.url, mount, self.root / f"data of {name}", name, **given)
        return self.stack.enter_context(worker)

    def fates(self, task_id: str) -> dict[str, str]:
        told = [parse(frame) for frame in self.tracker.listen(task_id, timeout=LIMIT_S)]
        settled = [each for each in told if each.get("step") in SETTLED_STEPS]
        assert len({each["track"] for each in settled}) == len(settled)
        return {each["track"]: each["step"].removeprefix("track_") for each in settled}


@pytest.fixture
def site(tmp_path: Path, redis_url: str, bucket: str) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, redis_url, bucket, stack)


def made(*workers: CeleryWorker) -> list[str]:
    """Return the tracks that workers say they have encoded."""
    return [
        os.path.basename(path)
        for worker in workers
        for path in re.findall(r"cached '([^']+)' at", worker.log())
    ]


def test_two_workers_make_each_track_once_and_all_nodes_have_it(site: Site) -> None:
    tracks = site.add(12, 5)
    workers = [site.worker("one"), site.worker("two")]
    assert site.runs.schedule("tape", tracks, ["low"]).wait(LIMIT_S)
    assert site.fates("tape") == {track.name: "cached" for track in tracks}
    assert sorted(made(*workers)) == sorted(track.name for track in tracks)
    assert all(made(worker) for worker in workers)
    assert len(list(site.store.scan())) == 12
    # Nothing is encoded here: it is fetched.
    assert not any(site.cache.store_together(track, ["low"]) for track in tracks)
    assert all(site.cache.is_cached(track, "low") for track in tracks)


def test_a_worker_finds_the_tracks_of_several_folders_by_their_names(site: Site) -> None:
    (site.root / "more").mkdir()
    (site.root / "elsewhere").mkdir()
    places = [site.music, site.root / "more"]
    runs = make_runs(site.settings, site.cache, site.tracker, places)
    site.stack.callback(runs.close)
    tracks = [
        make_noise(place / "one.flac", samples=44_100, seed=seed)
        for seed, place in enumerate(places)
    ]
    # A worker that has the same folders at other places, in another order.
    mounts = [site.root / "elsewhere" / place.name for place in reversed(places)]
    for mount, place in zip(mounts, reversed(places), strict=True):
        mount.symlink_to(place)
    named = os.pathsep.join(map(str, mounts))
    data = site.root / "data of one"
    site.stack.enter_context(
        CeleryWorker(site.url, named, data, AUDIO_CACHE_OBJECT_STORE=site.bucket)
    )
    run = runs.schedule("tape", tracks, ["low"], is_asked=True)
    assert run.wait(LIMIT_S)
    assert {path: outcome.fate.value for path, outcome in run.outcomes().items()} == dict.fromkeys(
        tracks, "cached"
    )
    with pytest.raises(ValueError, match="is not below the music root"):
        runs.schedule("other", [site.root / "one.flac"], ["low"])


def test_what_a_killed_worker_was_at_another_makes(site: Site) -> None:
    tracks = site.add(4, 120)
    victim = site.worker("victim")
    run = site.runs.schedule("tape", tracks, ["low"])
    wait_until(lambda: "ffmpeg" in processes_of(victim))
    heir = site.worker("heir")
    victim.kill()
    assert run.wait(2 * LIMIT_S)
    assert set(site.fates("tape")) == {track.name for track in tracks}
    assert len(made(heir)) == len(set(made(heir)))
    assert len(list(site.store.scan())) == 4


def test_two_runs_of_the_same_tracks_make_each_once(site: Site) -> None:
    tracks = site.add(4, 20)
    workers = [site.worker("one"), site.worker("two")]
    runs = [site.runs.schedule(f"tape {n}", tracks, ["low"]) for n in range(3)]
    assert all(run.wait(LIMIT_S) for run in runs)
    assert sorted(made(*workers)) == sorted(track.name for track in tracks)


def test_redis_that_starts_again_and_a_bucket_that_pauses_lose_nothing(
    site: Site, redis_server: RedisServer, s3_server: S3Server
) -> None:
    tracks = site.add(10, 15)
    worker = site.worker("one")
    run = site.runs.schedule("tape", tracks, ["low"])
    wait_until(lambda: made(worker))
    redis_server.stop()
    s3_server.pause()
    redis_server.start()
    wait_until(lambda: "is not in the object store yet" in worker.log() or run.is_over)
    s3_server.go_on()
    assert run.wait(2 * LIMIT_S)
    assert set(site.fates("tape")) == {track.name for track in tracks}
    assert sorted(made(worker)) == sorted(track.name for track in tracks)
    assert len(list(site.store.scan())) == 10


def test_a_worker_that_is_stopped_finishes_what_it_is_at(site: Site) -> None:
    tracks = site.add(6, 30)
    worker = site.worker("one", jobs=1)
    site.runs.schedule("tape", tracks, ["low"])
    wait_until(lambda: "ffmpeg" in processes_of(worker))
    worker.stop()
    assert len(made(worker)) >= 1
    assert len(list(site.store.scan())) == len(made(worker))


def test_a_cancelled_run_ends_the_encoders_on_all_hosts(site: Site) -> None:
    tracks = site.add(3, 600)
    worker = site.worker("one")
    site.runs.schedule("tape", tracks, ["low"])
    wait_until(lambda: "ffmpeg" in processes_of(worker))
    site.runs.cancel("tape")
    wait_until(lambda: "ffmpeg" not in processes_of(worker))
    assert made(worker) == []


def test_a_worker_takes_no_more_than_its_rate(site: Site) -> None:
    tracks = site.add(3, 1)
    worker = site.worker("one", AUDIO_CACHE_WORKER_RATE="1/h")
    site.runs.schedule("tape", tracks, ["low"])
    wait_until(lambda: len(made(worker)) == 1)
    assert site.runs.find("tape") is not None
    site.runs.cancel("tape")
    assert len(made(worker)) == 1


def test_a_track_that_is_not_below_the_music_root_is_refused(site: Site, song: Path) -> None:
    elsewhere = Path(shutil.copy(song, site.root / "elsewhere.flac"))
    with pytest.raises(ValueError, match="not below the music root"):
        site.runs.schedule("tape", [elsewhere], ["low"])


def processes_of(worker: CeleryWorker) -> str:
    """Return the names of the processes that a worker has started."""
    return " ".join(names_below(worker.pid))


def names_below(pid: int) -> list[str]:
    found = []
    for child in children_of(pid):
        try:
            found.append(Path(f"/proc/{child}/comm").read_text().strip())
            found += names_below(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
