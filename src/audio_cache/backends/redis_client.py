"""Clients of a Redis that all nodes share, and how long anybody waits for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final, TypeVar

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

_CONNECTS_WITHIN_S: Final = 1.0
# A connection that nothing comes back from is over after this; TCP itself waits for a quarter of an
# hour.
_SILENT_MS: Final = 15_000
_TRIES_FOR_S: Final = 120.0
_TRIES_AGAIN_IN_S: Final = 0.25

T = TypeVar("T")


def connect(url: str, *, retries: int = 1, answers_within_s: float = 3.0) -> redis.Redis:
    """Return a client of a Redis that gives up soon; whoever can wait asks again.

    What timed out may have been done, so it is not asked for again here.

    Args:
        url: of the Redis.
        retries: how often a connection that is refused or lost is made anew.
        answers_within_s: how long an answer may take.
    """
    client: redis.Redis = redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=answers_within_s,
        socket_connect_timeout=min(_CONNECTS_WITHIN_S, answers_within_s),
        socket_keepalive=True,
        socket_keepalive_options={
            socket.TCP_KEEPIDLE: 5,
            socket.TCP_KEEPINTVL: 5,
            socket.TCP_KEEPCNT: 2,
            socket.TCP_USER_TIMEOUT: _SILENT_MS,
        },
        retry=Retry(
            ExponentialBackoff(cap=0.1, base=0.02),
            retries,
            supported_errors=(redis.ConnectionError,),
        ),
    )
    return client


def persist(action: Callable[[], T]) -> T:
    """Do something with Redis, and try again for a while where that is away.

    Raises:
        redis.RedisError: it did not come back.
    """
    deadline = time.monotonic() + _TRIES_FOR_S
    while True:
        try:
            return action()
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_TRIES_AGAIN_IN_S)
