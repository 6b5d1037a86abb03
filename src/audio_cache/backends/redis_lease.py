"""Leases: who does something says so to the other nodes, for as long as that is true."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Final

import redis

# It is renewed every second; who lets it end has died, or lost the network for longer than a router
# takes to start again.
LEASE_S: Final = 45.0
_PREFIX: Final = "audio-cache:lease"
_RENEWED_EVERY_S: Final = 1.0
_RENEW: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_END: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Leases:
    """The leases of all nodes, in Redis.

    Where Redis is away nobody is kept from anything: the same work gives the same bytes.

    Args:
        client: of the Redis.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._renew = client.register_script(_RENEW)
        self._end = client.register_script(_END)

    @contextlib.contextmanager
    def hold(self, what: str, look: Callable[[], None]) -> Iterator[bool]:
        """Keep others from doing the same for as long as this is entered; say whether that is so.

        Args:
            what: is done.
            look: called every second, in another thread.
        """
        name, key = secrets.token_hex(8), f"{_PREFIX}:{what}"
        try:
            is_mine = bool(self._client.set(key, name, nx=True, px=round(LEASE_S * 1000)))
        except redis.RedisError:
            is_mine = True
        if not is_mine:
            yield False
            return
        is_done = threading.Event()

        def keep() -> None:
            while not is_done.wait(_RENEWED_EVERY_S):
                with contextlib.suppress(redis.RedisError):
                    self._renew([key], [name, round(LEASE_S * 1000)])
                    look()

        keeper = threading.Thread(target=keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield True
        finally:
            is_done.set()
            with contextlib.suppress(redis.RedisError):
                self._end([key], [name])

    def is_held(self, what: str) -> bool:
        """Say whether somebody is doing it."""
        return bool(self._client.exists(f"{_PREFIX}:{what}"))
