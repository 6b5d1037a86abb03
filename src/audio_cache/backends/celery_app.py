"""The application of Celery: its tasks, and how they are handed out and given to another."""

from __future__ import annotations

import logging
import os
import threading
import time
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
from ..batch.outcome import Outcome
from ..engines import make_cache, make_tracker
from ..settings import AudioCacheSettings
from ..store.cache import AudioCache
from .bucket_keeper import BucketKeeper, SharedWorth, pinned_ids
from .redis_lease import Leases
from .redis_progress import connect
from .redis_runs import (
    RUNNING,
    RunRecord,
    RunRecords,
    RunTrack,
    lease_name,
    persist,
)

SPREAD: Final = "audio_cache.spread"
TRACK: Final = "audio_cache.track"
QUEUE: Final = "audio-cache"
# Redis has no priorities of its own: Celery keeps a list for each, and 0 goes first.
_URGENT, _LIBRARY = 0, 6
# A task that outlives this is given to another worker, who finds its lease and waits.
_BEYOND_LIMIT_S: Final = 600
_WAITS_FOR_LEASE_S: Final = 3
_TRIES_AGAIN_IN_S: Final = 2
# What is cached is what all nodes can play.
_BROUGHT_WITHIN_S: Final = 600.0
_LOOKS_AFTER_EVERY_S: Final = 5.0
_FITS_EVERY_S: Final = 60.0

logger = logging.getLogger("audio_cache")


def priority_of(*, is_urgent: bool) -> int:
    """Return the priority of a task."""
    return _URGENT if is_urgent else _LIBRARY


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
            "queue_order_strategy": "priority",
            "global_keyprefix": "audio-cache:celery:",
        },
        task_annotations={TRACK: {"rate_limit": settings.worker_rate}},
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_pool_limit=4,
    )
    return app


def make_worker(settings: AudioCacheSettings, music_root: Path, data_root: Path) -> Celery:
    """Return the application with its tasks, for `audio-cache worker`.

    Args:
        settings: of the cache.
        music_root: where this host has the music.
        data_root: where this host keeps what it makes.
    """
    app = make_app(settings)
    node = _Node(settings, music_root, data_root, app)

    def spread(run_id: str) -> None:
        node.spread(run_id)

    def cache_track(task: Any, run_id: str, index: int) -> None:
        if not node.cache_track(run_id, index):
            # Somebody else is on it: whoever that is may die.
            raise task.retry(countdown=_WAITS_FOR_LEASE_S, max_retries=None)

    again = {
        "autoretry_for": (redis.RedisError, OperationalError, SoftTimeLimitExceeded),
        "retry_kwargs": {"max_retries": None, "countdown": _TRIES_AGAIN_IN_S},
    }
    app.task(name=SPREAD, **again)(spread)
    app.task(name=TRACK, bind=True, **again)(cache_track)

    def begin(**_: Any) -> None:
        threading.Thread(target=node.look_after, name="look after", daemon=True).start()

    signals.worker_ready.connect(begin, weak=False)
    return app


class _Node:
    """A host that encodes; its parts are made in each process of its worker."""

    def __init__(
        self, settings: AudioCacheSettings, music_root: Path, data_root: Path, app: Celery
    ) -> None:
        self._settings = settings
        self._music_root = music_root
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
            self._send(record, index)
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
        source = self._music_root / os.fsdecode(track.path)
        batch = Batch(cache, {source: record.qualities}, logger=logger)

        def look() -> None:
            if records.state(run_id) != RUNNING:
                batch.cancel()

        with leases.hold(lease_name(track, record.qualities), look) as is_mine:
            if not is_mine:
                return False
            outcome = self._encode(batch, source, record, index, track)
            if outcome is not None:
                records.settle(record, index, track, outcome)
            elif records.state(run_id) == RUNNING:
                raise SoftTimeLimitExceeded  # it was interrupted, and is gone on with
        return True

    def _encode(
        self, batch: Batch, source: Path, record: RunRecord, index: int, track: RunTrack
    ) -> Outcome | None:
        """Return what became of a track; None where it was interrupted."""
        cache, records, _ = self._parts()
        found = look_up(cache, source, record.qualities, logger)
        if found is not None:
            return found
        persist(lambda: records.note_begun(record, index, track))
        try:
            batch.run()
        except SoftTimeLimitExceeded:
            batch.cancel()
            raise
        if cache.backing is not None and not cache.backing.wait(_BROUGHT_WITHIN_S):
            logger.warning("%r is not in the object store yet, and goes there later", track.name)
        return batch.outcomes.get(source)

    def look_after(self) -> None:
        """Hand out again what a worker that died had taken up; one worker does it for all."""
        _, records, leases = self._parts()
        seen: set[tuple[str, int]] = set()
        fits_at = time.monotonic()
        while True:
            time.sleep(_LOOKS_AFTER_EVERY_S)
            try:
                with leases.hold("look after", lambda: None) as is_mine:
                    seen = self._look_after_once(records, leases, seen) if is_mine else set()
                    if is_mine and time.monotonic() >= fits_at:
                        began = time.monotonic()
                        self.fit_bucket()
                        # To look takes a while where there is much, and is not all that is done.
                        took_s = time.monotonic() - began
                        fits_at = time.monotonic() + max(_FITS_EVERY_S, 50 * took_s)
            except Exception:
                logger.exception("the runs could not be looked after; it is tried again")

    def fit_bucket(self) -> int:
        """Keep the bucket below its size; return how many bytes went."""
        cache, records, _ = self._parts()
        cap = self._settings.object_max_size
        if cap is None or cache.backing is None:
            return 0
        worth = SharedWorth(records.client, logger)
        keeper = BucketKeeper(cache.backing.store, worth, logger)
        return keeper.fit(min(cap.sizes_bytes), pinned_ids(cache, self._music_root, worth))

    def _look_after_once(
        self, records: RunRecords, leases: Leases, seen: set[tuple[str, int]]
    ) -> set[tuple[str, int]]:
        """Send what nobody is on now and was not the last time; return what nobody is on."""
        found = set()
        for record in records.all_current():
            if not records.has_left(record.run_id):
                records.finish(record)
            for index in records.under_way(record.run_id):
                track = records.track(record.run_id, index)
                if not leases.is_held(lease_name(track, record.qualities)):
                    found.add((record.run_id, index))
                    if (record.run_id, index) in seen:
                        self._send(record, index)
        return found - seen

    def _send(self, record: RunRecord, index: int) -> None:
        priority = priority_of(is_urgent=record.is_urgent)
        self._app.send_task(TRACK, args=(record.run_id, index), priority=priority)
