"""The application of Celery: its tasks, and how they are handed out and given to another."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import redis
from celery import Celery, signals  # type: ignore[import-untyped]
from celery.exceptions import (  # type: ignore[import-untyped]
    OperationalError,
    SoftTimeLimitExceeded,
)

from ..batch.batch import Batch
from ..batch.needs import look_up
from ..batch.outcome import MISSING, Fate, Outcome
from ..engines import make_cache, make_tracker
from ..errors import AudioCacheError
from ..quality import QualityLevel
from ..settings import AudioCacheSettings
from ..sources.music_roots import MusicRoots, Roots
from ..store.cache import AudioCache
from .redis_client import connect, persist
from .redis_lease import Leases
from .redis_runs import (
    RUNNING,
    RunRecord,
    RunRecords,
    RunTrack,
    lease_name,
)

SPREAD: Final = "audio_cache.spread"
TRACK: Final = "audio_cache.track"
QUEUE: Final = "audio-cache"
# Redis has no priorities of its own: Celery keeps a list for each, and 0 goes first.
_URGENT, _LIBRARY = 0, 6
_QUEUES_PREFIX, _PRIORITY_MARK = "audio-cache:celery:", ":"
# A task that outlives this is given to another worker, who finds its lease and waits.
_BEYOND_LIMIT_S: Final = 600
_WAITS_FOR_LEASE_S: Final = 3
_TRIES_AGAIN_IN_S: Final = 2
# What is cached is what all nodes can play; where the bucket is away it goes there later.
_UPLOADED_WITHIN_S: Final = 15.0
# So often a track may take too long; what was made is gone on with each time.
_MOST_LATE: Final = 3
_TOO_LONG: Final = "it takes longer than AUDIO_CACHE_TASK_LIMIT_S allows"

logger = logging.getLogger("audio_cache")


def priority_of(*, is_urgent: bool) -> int:
    """Return the priority of a task."""
    return _URGENT if is_urgent else _LIBRARY


def waiting_key(record: RunRecord) -> str:
    """Return the list in Redis where the tracks of a run wait for a worker."""
    priority = priority_of(is_urgent=record.is_urgent)
    return f"{_QUEUES_PREFIX}{QUEUE}{f'{_PRIORITY_MARK}{priority}' if priority else ''}"


def make_app(settings: AudioCacheSettings) -> Celery:
    """Return the application that settings describe, for who sends tasks and who does them."""
    app = Celery("audio_cache", broker=settings.redis)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        # A track is settled once, whoever does it and how often, so a task that was lost with its
        # worker is done again.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_soft_time_limit=settings.task_limit_s,
        task_time_limit=settings.task_limit_s + 60,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": settings.task_limit_s + _BEYOND_LIMIT_S,
            "priority_steps": [_URGENT, _LIBRARY],
            "sep": _PRIORITY_MARK,
            "queue_order_strategy": "priority",
            "global_keyprefix": _QUEUES_PREFIX,
        },
        task_annotations={TRACK: {"rate_limit": settings.worker_rate}},
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_pool_limit=4,
    )
    return app


def make_worker(settings: AudioCacheSettings, music_root: Roots, data_root: Path) -> Celery:
    """Return the application with its tasks, for `audio-cache worker`.

    Args:
        settings: of the cache.
        music_root: where this host has the music.
        data_root: where this host keeps what it makes.
    """
    app = make_app(settings)
    roots = MusicRoots.of(music_root)
    node = _Node(settings, roots, data_root, app)

    def spread(run_id: str) -> None:
        persist(lambda: node.spread(run_id))

    def cache_track(task: Any, run_id: str, index: int) -> None:
        # Celery drops what it cannot send again, so nobody asks it to while Redis is away.
        if not persist(lambda: node.cache_track(run_id, index)):
            # Somebody else is on it: whoever that is may die.
            raise task.retry(countdown=_WAITS_FOR_LEASE_S, max_retries=None)

    again = {
        "autoretry_for": (redis.RedisError, OperationalError, SoftTimeLimitExceeded),
        "retry_kwargs": {"max_retries": None, "countdown": _TRIES_AGAIN_IN_S},
    }
    app.task(name=SPREAD, **again)(spread)
    app.task(name=TRACK, bind=True, **again)(cache_track)

    def supervise(**_: Any) -> None:
        # A process of its own: this one forks its children again and again, which no thread and no
        # connection of a library survives.
        module = f"{__package__}.supervisor"
        command = [sys.executable, "-m", module, os.fspath(data_root), *roots.places.values()]
        subprocess.Popen(command, stdin=subprocess.DEVNULL)

    signals.worker_ready.connect(supervise, weak=False)
    return app


class _Node:
    """A host that encodes; its parts are made in each process of its worker."""

    def __init__(
        self, settings: AudioCacheSettings, roots: MusicRoots, data_root: Path, app: Celery
    ) -> None:
        self._settings = settings
        self._roots = roots
        self._cache_dir = settings.cache_dir(data_root)
        self._app = app
        self._made: tuple[int, AudioCache, RunRecords, Leases] | None = None

    def _parts(self) -> tuple[AudioCache, RunRecords, Leases]:
        if self._made is None or self._made[0] != os.getpid():
            assert self._settings.redis is not None
            client = connect(self._settings.redis)
            records = RunRecords(client, make_tracker(self._settings, logger))
            cache = make_cache(self._settings, self._cache_dir, logger)
            self._made = os.getpid(), cache, records, Leases(client)
        return self._made[1:]

    def spread(self, run_id: str) -> None:
        """Put each track of a run into the queue."""
        _, records, _ = self._parts()
        record = records.read(run_id)
        if record is None or record.state != RUNNING:
            return
        for index in sorted(records.left(run_id) - records.sent(run_id)):
            # Noted when it is there: one that is there twice is settled once, and none is lost.
            send_track(self._app, record, index)
            records.note_sent(run_id, index)

    def cache_track(self, run_id: str, index: int) -> bool:
        """Bring a track of a run to its end; say whether nobody else is on it."""
        cache, records, leases = self._parts()
        record = records.read(run_id)
        if record is None or record.state != RUNNING:
            return True
        if not records.is_left(run_id, index):
            records.finish(record)
            return True
        track = records.track(run_id, index)
        source = self._roots.find(track.path)
        if source is None:
            missing = Outcome(Fate.SKIPPED, MISSING, dict.fromkeys(record.qualities, False))
            records.settle(record, index, track, missing)
            return True
        wanted = {source: record.qualities}
        # What a worker with a bucket has made is there, so here anything may go for more.
        batch = Batch(cache, wanted, logger=logger, for_batch=cache.backing is None)

        def look() -> None:
            if records.state(run_id) != RUNNING:
                batch.cancel()

        with leases.hold(lease_name(track, record.qualities), look) as is_mine:
            if not is_mine:
                return False
            try:
                outcome = self._encode(batch, source, record, index, track)
            except SoftTimeLimitExceeded:
                batch.cancel()
                if records.note_late(record, index) < _MOST_LATE:
                    raise  # what is made so far is gone on with
                outcome = Outcome(Fate.FAILED, _TOO_LONG, dict.fromkeys(record.qualities, False))
            if outcome is not None:
                records.settle(record, index, track, outcome)
        return True

    def _encode(
        self, batch: Batch, source: Path, record: RunRecord, index: int, track: RunTrack
    ) -> Outcome | None:
        """Return what became of a track; None where it was interrupted."""
        cache, records, _ = self._parts()
        found = look_up(cache, source, record.qualities, logger)
        if found is not None:
            with contextlib.suppress(AudioCacheError, OSError):
                self._keep_in_bucket(source, record.qualities)
            return found
        persist(lambda: records.note_begun(record, index, track))
        batch.run()
        if cache.backing is not None and not cache.backing.wait(_UPLOADED_WITHIN_S):
            logger.warning("%r is not in the object store yet, and goes there later", track.name)
        return batch.outcomes.get(source)

    def _keep_in_bucket(self, source: Path, qualities: Sequence[QualityLevel]) -> None:
        """Bring there what is here alone: it was made before there was a bucket, or it went."""
        cache = self._parts()[0]
        if cache.backing is None or not cache.should_transcode(source):
            return
        for quality in qualities:
            if quality != "original" and cache.is_cached(source, quality):
                rendition = cache.identify(source, quality)
                if not cache.backing.has(rendition):
                    cache.backing.keep(rendition.id)


def send_track(app: Celery, record: RunRecord, index: int) -> None:
    """Put a track of a run into the queue."""
    priority = priority_of(is_urgent=record.is_urgent)
    app.send_task(TRACK, args=(record.run_id, index), priority=priority)


def send_spread(app: Celery, record: RunRecord) -> None:
    """Have the tracks of a run that are not in the queue put there."""
    priority = priority_of(is_urgent=record.is_urgent)
    app.send_task(SPREAD, args=(record.run_id,), priority=priority)
