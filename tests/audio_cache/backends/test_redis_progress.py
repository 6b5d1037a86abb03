"""Progress that other nodes see, and what happens while Redis is away."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from audio_cache.backends.redis_progress import RedisProgressTracker
from audio_cache.progress.callback import ProgressCallback
from tests.audio_cache.progress.test_tracker_model import TrackerMachine
from tests.helpers.progress import drain, emit_many, follow_in_thread, messages, parse
from tests.helpers.redis_server import RedisServer
from tests.helpers.waiting import LIMIT_S, finish, wait_until

MakeNode = Callable[..., RedisProgressTracker]


@pytest.fixture
def node(redis_url: str) -> Iterator[MakeNode]:
    """Return what makes the tracker of one more node."""
    with ExitStack() as stack:

        def make(**options: Any) -> RedisProgressTracker:
            tracker = RedisProgressTracker(redis_url, keepalive_s=LIMIT_S, **options)
            stack.callback(tracker.leave)
            return tracker

        yield make


def test_a_listener_hears_what_another_node_tells_in_order_and_to_its_end(node: MakeNode) -> None:
    here, there = node(), node()
    run = there.create_task("tape")
    thread, frames = follow_in_thread(here, "tape")
    emit_many(there, "tape", 300)
    there.emit("tape", "completed", "completed", "over", run=run)
    finish(thread)
    expected = [*(f"event {n}" for n in range(300)), "over"]
    assert messages([parse(frame) for frame in frames[1:]]) == expected


def test_events_of_two_nodes_are_in_one_order_for_all(node: MakeNode) -> None:
    nodes = [node(), node()]
    run = nodes[0].create_task("tape")
    listeners = [follow_in_thread(each, "tape", ids=True) for each in nodes]

    def tell(which: int) -> None:
        for number in range(100):
            nodes[which].emit("tape", "caching", "in_progress", f"{which} {number}", run=run)

    tellers = [threading.Thread(target=tell, args=(which,)) for which in (0, 1)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        finish(teller)
    nodes[1].emit("tape", "completed", "completed", "over", run=run)
    for thread, _ in listeners:
        finish(thread)
    one, other = (frames[1:] for _, frames in listeners)
    assert one == other
    assert [frame.split("\n")[0] for frame in one] == [f"id: {run}-{n}" for n in range(1, 202)]


def test_a_listener_goes_on_at_another_node_where_the_first_has_died(node: MakeNode) -> None:
    first, second, worker = node(), node(), node()
    run = worker.create_task("tape")
    stream = first.listen("tape", ids=True)
    next(stream)
    emit_many(worker, "tape", 3)
    last = [next(stream) for _ in range(3)][-1].split("\n")[0].removeprefix("id: ")
    first.close()
    emit_many(worker, "tape", 2, start=3)
    worker.emit("tape", "completed", "completed", "over", run=run)
    rest = drain(second.listen("tape", last_event_id=last))
    assert messages(rest) == ["event 3", "event 4", "over"]
    assert second.is_end_of_run("tape", f"{run}-6")


def test_a_task_that_was_forgotten_elsewhere_ends_its_streams_with_all_that_was_told(
    node: MakeNode,
) -> None:
    here, there = node(), node()
    there.create_task("tape")
    thread, frames = follow_in_thread(here, "tape")
    emit_many(there, "tape", 1)
    wait_until(lambda: len(frames) == 2)
    emit_many(there, "tape", 1, start=1)
    there.cleanup_task("tape")
    finish(thread)
    assert messages([parse(frame) for frame in frames[1:]]) == ["event 0", "event 1"]
    assert not here.has_task("tape")


def test_counts_never_go_back_whoever_tells(node: MakeNode) -> None:
    here, there = node(), node()
    run = there.create_task("tape")
    progress = ProgressCallback("tape", there, 20, run=run)
    for number in range(20):
        progress.track_cached(f"track {number}")
    progress.run_finished("completed")
    told = drain(here.listen("tape"))
    assert [event["done"] for event in told] == [*range(1, 21), 20]


def test_what_is_told_while_redis_is_away_is_heard_in_order_when_it_is_back(
    redis_server: RedisServer, node: MakeNode
) -> None:
    here, there = node(), node()
    run = there.create_task("tape")
    thread, frames = follow_in_thread(here, "tape")
    emit_many(there, "tape", 3)
    wait_until(lambda: len(frames) == 4)
    redis_server.stop()
    try:
        emit_many(there, "tape", 3, start=3)
        assert here.has_task("tape")  # nobody knows, so a listener waits
    finally:
        redis_server.start()
    there.emit("tape", "completed", "completed", "over", run=run)
    finish(thread)
    told = messages([parse(frame) for frame in frames[1:]])
    assert told == [*(f"event {n}" for n in range(6)), "over"]


def test_a_run_is_forgotten_a_while_after_its_end(node: MakeNode) -> None:
    tracker = node(keep_finished_s=0.2)
    tracker.emit("tape", "completed", "completed", "over")
    wait_until(lambda: not tracker.has_task("tape"))
    assert tracker._redis.keys("audio-cache:progress:{tape}*") == []


def test_nothing_is_kept_here_of_what_nobody_listens_to(node: MakeNode) -> None:
    tracker = node()
    emit_many(tracker, "tape", 5)
    stream = tracker.listen("tape")
    assert len([next(stream) for _ in range(6)]) == 6
    stream.close()
    assert not tracker._tasks


class RedisTrackerMachine(TrackerMachine):
    """The model of a tracker, for one whose runs are in Redis."""

    has_clock = False
    limit = 4
    url = ""

    def make_tracker(self, **options: Any) -> RedisProgressTracker:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
        return RedisProgressTracker(self.url, **options)

    def check_what_is_left(self) -> None:
        assert not self.tracker._tasks
        assert isinstance(self.tracker, RedisProgressTracker)
        self.tracker.leave()


def test_listeners_see_what_a_model_says(redis_url: str) -> None:
    RedisTrackerMachine.url = redis_url
    run_state_machine_as_test(
        RedisTrackerMachine, settings=settings(max_examples=30, stateful_step_count=40)
    )


def test_run_ids_of_two_nodes_differ(node: MakeNode) -> None:
    made = [node().create_task(f"tape {n}") for n in range(3)]
    assert all(one != other for one, other in itertools.combinations(made, 2))
