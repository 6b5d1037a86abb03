"""What a worker lost on its way is handed out again, and what waits or is held is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from audio_cache.backends.celery_app import make_app, send_track, waiting_key
from audio_cache.backends.redis_client import connect
from audio_cache.backends.redis_lease import Leases
from audio_cache.backends.redis_progress import RedisProgressTracker
from audio_cache.backends.redis_runs import RunRecord, RunRecords, RunTrack, lease_name
from audio_cache.backends.supervisor import Supervisor
from audio_cache.settings import AudioCacheSettings
from tests.helpers.waiting import LIMIT_S

TRACKS = [RunTrack(b"%d.flac" % number, f"{number}.flac") for number in range(3)]


class Site:
    """A site without workers: what they would do is done by hand."""

    def __init__(self, redis_url: str, stack: ExitStack) -> None:
        tracker = RedisProgressTracker(redis_url, keepalive_s=LIMIT_S)
        stack.callback(tracker.leave)
        self.client = connect(redis_url)
        stack.callback(self.client.close)
        self.records = RunRecords(self.client, tracker)
        self.leases = Leases(self.client)
        settings = AudioCacheSettings.from_mapping({"AUDIO_CACHE_REDIS": redis_url})
        self.app = make_app(settings)
        stack.callback(self.app.close)
        self.supervisor = Supervisor(self.records, self.leases, self.app)

    def begin(self, *, is_urgent: bool) -> RunRecord:
        """Begin a run, and put all of it into the queue."""
        record, _ = self.records.begin("tape", TRACKS, ["low"], is_urgent=is_urgent)
        for index in range(len(TRACKS)):
            send_track(self.app, record, index)
            self.records.note_sent(record.run_id, index)
        return record

    def waiting(self, record: RunRecord) -> int:
        """Return how many tasks wait in the queue of a run."""
        return self.client.llen(waiting_key(record))

    def lose_the_queue(self, record: RunRecord) -> None:
        """Take all out of the queue, as workers do that die right then."""
        assert self.client.delete(waiting_key(record)) == 1

    def look_twice(self) -> None:
        """Look as often as it takes to be sure."""
        self.supervisor.look()
        self.supervisor.look()


@pytest.fixture
def site(redis_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(redis_url, stack)


@pytest.mark.parametrize("is_urgent", [True, False])
def test_tasks_that_were_lost_on_their_way_are_sent_again_once(
    site: Site, *, is_urgent: bool
) -> None:
    record = site.begin(is_urgent=is_urgent)
    site.look_twice()
    assert site.waiting(record) == len(TRACKS)
    site.lose_the_queue(record)
    site.supervisor.look()
    assert site.waiting(record) == 0
    site.supervisor.look()
    assert site.waiting(record) == len(TRACKS)
    site.lose_the_queue(record)
    site.look_twice()
    assert site.waiting(record) == 0


def test_what_was_begun_and_is_held_by_nobody_is_sent_again_while_others_wait(site: Site) -> None:
    record = site.begin(is_urgent=True)
    for index in (0, 1):
        site.records.note_begun(record, index, TRACKS[index])
    with site.leases.hold(lease_name(TRACKS[0], ("low",)), lambda: None) as is_mine:
        assert is_mine
        site.look_twice()
    assert site.waiting(record) == len(TRACKS) + 1


def test_what_was_sent_again_and_lost_with_the_next_worker_is_not_left_lying(site: Site) -> None:
    record = site.begin(is_urgent=True)
    site.records.note_begun(record, 0, TRACKS[0])
    site.look_twice()
    assert site.waiting(record) == len(TRACKS) + 1
    site.lose_the_queue(record)
    site.supervisor.look()
    assert site.waiting(record) == 1
