"""What nodes share besides progress, and what they do while Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from audio_cache import TrafficCount
from audio_cache.backends.redis_shared import RedisShared
from tests.helpers.redis_server import RedisServer
from tests.helpers.waiting import together, wait_until

MakeNode = Callable[[], RedisShared]


@pytest.fixture
def node(redis_url: str) -> Iterator[MakeNode]:
    with ExitStack() as stack:

        def make() -> RedisShared:
            shared = RedisShared(redis_url, logging.getLogger(__name__))
            stack.callback(shared.close)
            return shared

        yield make


def test_plays_of_all_nodes_are_added_up(node: MakeNode) -> None:
    nodes = [node(), node(), node()]

    def play(each: RedisShared) -> None:
        for _ in range(200):
            each.traffic.count("hit", 10, 80)
            each.traffic.count("fwd=miss; detail=live", 1, 8)

    together(*(lambda each=each: play(each) for each in nodes))
    expected = TrafficCount(
        hits=600, live=600, sent_bytes=6600, original_bytes=52_800, hit_bytes=6000
    )
    for each in nodes:
        wait_until(lambda each=each: each.traffic.snapshot() == expected)


def test_what_is_counted_while_redis_is_away_is_added_later(
    redis_server: RedisServer, node: MakeNode
) -> None:
    here, there = node(), node()
    here.traffic.count("hit", 10, 80)
    assert here.traffic.send()
    assert here.traffic.snapshot().hits == 1
    redis_server.stop()
    try:
        here.traffic.count("hit", 10, 80)
        assert not here.traffic.send()
        assert here.traffic.snapshot().hits == 2
    finally:
        redis_server.start()
    wait_until(lambda: there.traffic.snapshot().hits == 2)


def test_a_value_is_that_of_all_and_the_last_known_while_redis_is_away(
    redis_server: RedisServer, node: MakeNode
) -> None:
    here, there = node(), node()
    assert there.read("sessions") == ""
    here.write("sessions", "one")
    wait_until(lambda: there.read("sessions") == "one")
    redis_server.stop()
    try:
        assert there.read("sessions") == "one"
        with pytest.raises(OSError, match="sessions cannot be written to Redis"):
            there.write("sessions", "two")
    finally:
        redis_server.start()
    assert here.read("sessions") == "one"


def test_others_hear_what_one_tells_and_it_does_not_hear_itself(node: MakeNode) -> None:
    here, there = node(), node()
    heard: list[tuple[str, str]] = []
    here.hear("ended", lambda what: heard.append(("here", what)))
    there.hear("ended", lambda what: heard.append(("there", what)))

    def is_heard() -> bool:
        here.tell("ended", "tape")
        here.tell("another thing", "nobody hears")
        return bool(heard)

    wait_until(is_heard)
    assert set(heard) == {("there", "tape")}


def test_a_board_has_what_any_node_put_on_it(redis_server: RedisServer, node: MakeNode) -> None:
    here, there = node(), node()
    assert there.read_all("playing") == {}
    here.put("playing", "phone", "one")
    there.put("playing", "phone", "two")
    there.put("playing", "desk", "three")
    assert here.read_all("playing") == {"phone": "two", "desk": "three"}
    for each in (here, there):
        each.take_off("playing", "phone")
    assert there.read_all("playing") == {"desk": "three"}
    redis_server.stop()
    try:
        for ask in (
            lambda: here.read_all("playing"),
            lambda: here.put("playing", "phone", "one"),
            lambda: here.take_off("playing", "phone"),
        ):
            with pytest.raises(OSError, match="playing cannot be"):
                ask()
    finally:
        redis_server.start()
