"""What the processes of a site share besides progress: figures, small values, and announcements."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..serving.traffic import Traffic, TrafficCount
from .bucket_keeper import SharedWorth
from .redis_client import connect

_TRAFFIC: Final = "audio-cache:traffic"
_VALUES: Final = "audio-cache:values"
_BOARD: Final = "audio-cache:board:"
_CHANNEL: Final = "audio-cache:announcements"
_SENT_EVERY_S: Final = 1.0
_TRIES_AGAIN_IN_S: Final = 0.5
_HEARS_WITHIN_S: Final = 2.0
_ANSWERS_WITHIN_S: Final = 0.5
_FRESH_S: Final = 1.0
_RESTS_S: Final = 5.0
# Once for each name, as who asks may not hear the answer. KEYS: the counts, and the name. ARGV:
# what to add, in pairs.
_ADD: Final = """
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', 3600) then return 0 end
for at = 1, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1
"""
_NAMES: Final = tuple(field.name for field in fields(TrafficCount))


class RedisTraffic(Traffic):
    """The plays of all nodes, counted here and added up in Redis once a second.

    Args:
        client: of the Redis.
        logger: is told when that is away.
    """

    def __init__(self, client: redis.Redis, logger: logging.Logger) -> None:
        super().__init__()
        self._client = client
        self._logger = logger
        self._add_script = client.register_script(_ADD)
        self._unsent: tuple[str, TrafficCount] | None = None
        self._known = TrafficCount()
        self._due = threading.Event()
        self._sender: threading.Thread | None = None
        self._starting = threading.Lock()
        self._sending = threading.Lock()
        self._is_closed = False

    def count(
        self, cache_status: str, sent_bytes: int, original_bytes: int, *, is_play: bool = True
    ) -> None:
        """Count one answer, as `Traffic.count`."""
        super().count(cache_status, sent_bytes, original_bytes, is_play=is_play)
        if not self._due.is_set():
            self._due.set()
            self._start()

    def add(self, more: TrafficCount) -> None:
        """Count what another process has answered, as `Traffic.add`."""
        super().add(more)
        self._due.set()
        self._start()

    def snapshot(self) -> TrafficCount:
        """Return the counts of all nodes so far; the last that are known while Redis is away."""
        # Not while something is on its way, which would be in neither: figures never go back.
        with self._sending:
            with contextlib.suppress(redis.RedisError):
                found = cast("list[str | None]", self._client.hmget(_TRAFFIC, list(_NAMES)))
                self._known = TrafficCount(*(int(count or 0) for count in found))
            unsent = self._unsent[1] if self._unsent else TrafficCount()
            return _sum(_sum(self._known, unsent), super().snapshot())

    def send(self) -> bool:
        """Add what was counted here to what all have; say whether that is done."""
        with self._sending:
            is_sent = self._send_unsent()
        if not is_sent:
            self._due.set()
        return is_sent

    def _send_unsent(self) -> bool:
        # What was not heard to be done is asked for again, under its name, before anything else.
        name, counts = self._unsent or (secrets.token_hex(8), self.take())
        self._unsent = name, counts
        try:
            self._add_script([_TRAFFIC, f"{_TRAFFIC}:{name}"], _pairs(counts))
        except redis.RedisError as error:
            self._logger.warning("figures wait for Redis: %s", error)
            return False
        self._unsent = None
        return True

    def close(self) -> None:
        """Send what is left, if Redis is there."""
        self._is_closed = True
        self._due.set()
        self.send()

    def _start(self) -> None:
        with self._starting:
            if self._sender is None and not self._is_closed:
                self._sender = threading.Thread(target=self._send_all, name="traffic", daemon=True)
                self._sender.start()

    def _send_all(self) -> None:
        pause = threading.Event()
        while not self._is_closed:
            self._due.wait()
            pause.wait(_SENT_EVERY_S)
            self._due.clear()
            self.send()


class RedisShared:
    """Small values that all processes of a site have, and what they tell each other.

    Args:
        url: of the Redis.
        logger: is told when that is away.
    """

    def __init__(self, url: str, logger: logging.Logger) -> None:
        self.url = url
        # Requests wait for it, and music does, so it is not waited for long.
        self.client = connect(url, retries=0, answers_within_s=_ANSWERS_WITHIN_S)
        self.traffic = RedisTraffic(self.client, logger)
        self.worth = SharedWorth(self.client, logger)
        self._logger = logger
        self._name = secrets.token_hex(8)
        self._known: dict[str, tuple[str, float]] = {}
        self._hearers: dict[str, Callable[[str], None]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ear: threading.Thread | None = None

    def read(self, name: str) -> str:
        """Return a value; the last that is known while Redis is away, "" where there is none.

        It is asked for once a second, and less often while nobody answers.
        """
        now = time.monotonic()
        value, fresh_until = self._known.get(name, ("", 0.0))
        if now < fresh_until:
            return value
        try:
            value = cast("str | None", self.client.hget(_VALUES, name)) or ""
            fresh_s = _FRESH_S
        except redis.RedisError as error:
            self._logger.warning("cannot read %s from Redis: %s", name, error)
            fresh_s = _RESTS_S
        self._known[name] = value, time.monotonic() + fresh_s
        return value

    def write(self, name: str, value: str) -> None:
        """Set a value for all.

        Raises:
            OSError: Redis is not there.
        """
        try:
            self.client.hset(_VALUES, name, value)
        except redis.RedisError as error:
            raise OSError(f"{name} cannot be written to Redis: {error}") from error
        self._known[name] = value, time.monotonic() + _FRESH_S

    def read_all(self, board: str) -> dict[str, str]:
        """Return the texts that are on a board, by their keys, as of now.

        Raises:
            OSError: Redis is not there.
        """
        try:
            return cast("dict[str, str]", self.client.hgetall(f"{_BOARD}{board}"))
        except redis.RedisError as error:
            raise OSError(f"{board} cannot be read from Redis: {error}") from error

    def put(self, board: str, key: str, text: str) -> None:
        """Put a text on a board.

        Raises:
            OSError: Redis is not there.
        """
        try:
            self.client.hset(f"{_BOARD}{board}", key, text)
        except redis.RedisError as error:
            raise OSError(f"{board} cannot be written to Redis: {error}") from error

    def take_off(self, board: str, key: str) -> None:
        """Take a text off a board, if it is there.

        Raises:
            OSError: Redis is not there.
        """
        try:
            self.client.hdel(f"{_BOARD}{board}", key)
        except redis.RedisError as error:
            raise OSError(f"{board} cannot be written to Redis: {error}") from error

    @property
    def limiter_options(self) -> dict[str, Any]:
        """Return how a limiter that counts in this Redis should connect: it is not to wait."""
        return {
            "socket_connect_timeout": _ANSWERS_WITHIN_S,
            "socket_timeout": _ANSWERS_WITHIN_S,
            "retry": Retry(NoBackoff(), 0),
        }

    def tell(self, about: str, what: str) -> None:
        """Tell all other processes something; those that do not hear it are not waited for."""
        message = json.dumps({"from": self._name, "about": about, "what": what})
        try:
            self.client.publish(_CHANNEL, message)
        except redis.RedisError as error:
            self._logger.error("other nodes cannot be told of %s %s: %s", about, what, error)

    def hear(self, about: str, call: Callable[[str], None]) -> None:
        """Have something called, in a thread of its own, with what other processes tell."""
        with self._lock:
            self._hearers[about] = call
            if self._ear is None:
                self._ear = threading.Thread(target=self._listen, name="shared", daemon=True)
                self._ear.start()

    def close(self) -> None:
        """Leave Redis."""
        self._ended.set()
        self.traffic.close()
        if self._ear is not None:
            self._ear.join(_HEARS_WITHIN_S)
        with contextlib.suppress(redis.RedisError):
            self.client.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                with self.client.pubsub(  # type: ignore[no-untyped-call]
                    ignore_subscribe_messages=True
                ) as pubsub:
                    pubsub.subscribe(_CHANNEL)
                    while not self._ended.is_set():
                        message = pubsub.get_message(timeout=_TRIES_AGAIN_IN_S)
                        if message is not None:
                            self._pass_on(json.loads(message["data"]))
            except redis.RedisError as error:
                self._logger.warning("announcements wait for Redis: %s", error)
                self._ended.wait(_TRIES_AGAIN_IN_S)

    def _pass_on(self, told: dict[str, Any]) -> None:
        call = self._hearers.get(told["about"])
        if call is not None and told["from"] != self._name:
            try:
                call(told["what"])
            except Exception:
                self._logger.exception("what another node told could not be done")


def _sum(one: TrafficCount, other: TrafficCount) -> TrafficCount:
    values = zip(asdict(one).values(), asdict(other).values(), strict=True)
    return TrafficCount(*(a + b for a, b in values))


def _pairs(counts: TrafficCount) -> list[str | int]:
    return [word for pair in asdict(counts).items() if pair[1] for word in pair]
