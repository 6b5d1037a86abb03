"""The process beside a worker that sees to it that no run is left lying, and no bucket overflows.

Of all that run one does each of both, as long as it lives; a lease says which.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from celery import Celery  # type: ignore[import-untyped]

from ..engines import make_cache, make_tracker
from ..settings import AudioCacheSettings
from ..sources.music_roots import MusicRoots, Roots
from .bucket_keeper import BucketKeeper, SharedWorth, pinned_ids
from .celery_app import make_app, send_spread, send_track, waiting_key
from .redis_client import connect
from .redis_lease import Leases
from .redis_runs import RunRecord, RunRecords, lease_name

_LOOKS_EVERY_S: Final = 5.0
# To look at a bucket of a million objects takes minutes, and this many times as long is rested.
_REST: Final = 3
_FITS_EVERY_S: Final = 60.0
# What was sent again may wait in the queue for as long before it is sent once more; where nothing
# waits, some worker has it by then.
_SENT_AGAIN_EVERY_S: Final = 600
_LOST_AGAIN_EVERY_S: Final = 60
_SPREAD_AGAIN_EVERY_S: Final = 60

logger = logging.getLogger("audio_cache")


class Supervisor:
    """Hands out again what a worker that died had taken up, and what was never handed out.

    Args:
        records: of the runs.
        leases: say who is at what.
        app: of Celery.
    """

    def __init__(self, records: RunRecords, leases: Leases, app: Celery) -> None:
        self._records = records
        self._leases = leases
        self._app = app
        self._unheld: set[tuple[str, int]] = set()

    def look(self) -> None:
        """Look at all runs; what nobody is at twice in a row is sent again."""
        unheld = set()
        for record in self._records.all_current():
            if not self._records.has_left(record.run_id):
                self._records.finish(record)
                continue
            candidates, for_s = self._records.under_way(record.run_id), _SENT_AGAIN_EVERY_S
            if self._records.has_unsent(record):
                self._spread_again(record)
            elif not self._records.client.llen(waiting_key(record)):
                # The queue is empty, so what nobody is at was lost on its way: a worker may die, or
                # lose the network, between taking a task out of it and noting that it has it.
                candidates, for_s = self._records.left(record.run_id), _LOST_AGAIN_EVERY_S
            for index in candidates:
                track = self._records.track(record.run_id, index)
                if not self._leases.is_held(lease_name(track, record.qualities)):
                    unheld.add((record.run_id, index))
                    if (record.run_id, index) in self._unheld:
                        self._send_again(record, index, for_s)
        self._unheld = unheld

    def _spread_again(self, record: RunRecord) -> None:
        if self._records.is_first(f"spread {record.run_id}", _SPREAD_AGAIN_EVERY_S):
            send_spread(self._app, record)

    def _send_again(self, record: RunRecord, index: int, for_s: int) -> None:
        if self._records.is_first(f"track {record.run_id} {index} {for_s}", for_s):
            logger.info("track %d of run %s is handed out again", index, record.run_id)
            send_track(self._app, record, index)


def supervise(music_root: Roots, data_root: Path) -> None:
    """Look after the runs and the bucket of a site until the worker beside this is gone.

    Args:
        music_root: where this host has the music.
        data_root: where this host keeps what it makes.
    """
    settings = AudioCacheSettings()
    assert settings.redis is not None
    roots = MusicRoots.of(music_root)
    worker_pid = os.getppid()
    client = connect(settings.redis)
    leases = Leases(client)
    supervisor = Supervisor(
        RunRecords(client, make_tracker(settings, logger)), leases, make_app(settings)
    )
    cap = settings.object_max_size
    cache = make_cache(settings, settings.cache_dir(data_root), logger)
    if cap is not None and cache.backing is not None:
        worth = SharedWorth(client, logger)
        keeper = BucketKeeper(cache.backing.store, worth, logger)

        def fit() -> None:
            keeper.fit(min(cap.sizes_bytes), lambda: pinned_ids(cache, roots, worth))

        bucket = ("fit the bucket", leases, fit, _FITS_EVERY_S, worker_pid)
        threading.Thread(target=_repeat, args=bucket, name="bucket", daemon=True).start()
    _repeat("look after runs", leases, supervisor.look, _LOOKS_EVERY_S, worker_pid)


def _repeat(
    what: str, leases: Leases, action: Callable[[], None], every_s: float, worker_pid: int
) -> None:
    """Do something again and again, as the one who does it, while the worker lives."""
    while os.getppid() == worker_pid:
        began = time.monotonic()
        try:
            with leases.hold(what, lambda: None) as is_mine:
                if is_mine:
                    action()
        except Exception:
            logger.exception("cannot %s now; it is tried again", what)
        # What takes long is not done all the time.
        took_s = time.monotonic() - began
        pause_until = time.monotonic() + max(every_s, _REST * took_s)
        while time.monotonic() < pause_until and os.getppid() == worker_pid:
            time.sleep(1.0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    supervise(sys.argv[2:], Path(sys.argv[1]))
