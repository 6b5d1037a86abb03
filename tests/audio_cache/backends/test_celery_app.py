"""The tasks of Celery, as a worker runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import OperationalError  # type: ignore[import-untyped]

from audio_cache.backends.celery_app import SPREAD, make_worker
from audio_cache.backends.redis_progress import RedisProgressTracker, connect
from audio_cache.backends.redis_runs import RunRecords, RunTrack
from audio_cache.settings import AudioCacheSettings


def test_a_broker_that_is_away_while_tracks_are_handed_out_loses_none(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = AudioCacheSettings.from_mapping({"AUDIO_CACHE_REDIS": redis_url})
    tracker, client = RedisProgressTracker(redis_url), connect(redis_url)
    tracks = [RunTrack(b"%d.flac" % number, f"{number}.flac") for number in range(5)]
    record, _ = RunRecords(client, tracker).begin("tape", tracks, ["low"], is_urgent=True)
    app = make_worker(settings, tmp_path, tmp_path / "data")
    sent: list[int] = []

    def send(name: str, args: tuple[str, int], **_: Any) -> None:
        if len(sent) == 2:
            sent.append(-1)
            raise OperationalError("the broker is away")
        sent.append(args[1])

    monkeypatch.setattr(app, "send_task", send)
    app.tasks[SPREAD].apply(args=(record.run_id,))
    assert sent == [0, 1, -1, 2, 3, 4]
    app.close()
    client.close()
    tracker.leave()
