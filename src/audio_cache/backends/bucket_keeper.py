"""The bucket that all nodes share, kept below a size by one of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import redis

from ..errors import AudioCacheError
from ..quality import QualityLevel, parse_quality
from ..sources.music_roots import MusicRoots, Roots
from ..store.cache import AudioCache
from ..store.ledger import Play
from ..store.object_store import ObjectStore
from ..store.policy import DecayingPlays

_WORTH: Final = "audio-cache:worth"
_PINS: Final = "audio-cache:pins"
_MOST_REMEMBERED: Final = 1_000_000
# A little more than is too much goes, so that there is room for what comes next.
_DOWN_TO: Final = 0.95
_SCORES_AT_ONCE: Final = 1_000
# As DecayingPlays.played, in one step for all nodes. KEYS: where the worths are. ARGV: an object,
# and what one play is worth now.
_PLAYED: Final = """
local worth, play = redis.call('ZSCORE', KEYS[1], ARGV[1]), tonumber(ARGV[2])
if worth then
  local most, least = math.max(worth, play), math.min(worth, play)
  play = most + math.log(1 + 2 ^ (least - most)) / math.log(2)
end
return redis.call('ZADD', KEYS[1], play, ARGV[1])
"""


class SharedWorth:
    """What objects are worth by the plays of all nodes, and which are not to go.

    Args:
        client: of the Redis.
        logger: is told when that is away.
    """

    def __init__(self, client: redis.Redis, logger: logging.Logger) -> None:
        self._client = client
        self._logger = logger
        self._policy = DecayingPlays()
        self._played = client.register_script(_PLAYED)

    def note_plays(self, plays: Iterable[Play]) -> None:
        """Count the plays of this node; those while Redis is away count here alone."""
        try:
            for play in plays:
                if play.object_id:
                    worth = self._policy.played(None, play.at_s)
                    self._played([_WORTH], [play.object_id, worth])
            self._client.zremrangebyrank(_WORTH, 0, -_MOST_REMEMBERED - 1)
        except redis.RedisError as error:
            self._logger.warning("plays are not counted in Redis: %s", error)

    def of(self, object_ids: Sequence[str]) -> dict[str, float]:
        """Return what those objects are worth that were ever played."""
        found: dict[str, float] = {}
        for at in range(0, len(object_ids), _SCORES_AT_ONCE):
            some = list(object_ids[at : at + _SCORES_AT_ONCE])
            scores: Any = self._client.zmscore(_WORTH, some)
            found.update((key, each) for key, each in zip(some, scores, strict=True) if each)
        return found

    def pin(self, owner: str, paths: Iterable[bytes], qualities: Iterable[QualityLevel]) -> None:
        """Keep tracks, by their paths below the music root, whatever else needs room."""
        pinned = [[path.decode("latin-1") for path in paths], list(qualities)]
        self._do(lambda: self._client.hset(_PINS, owner, json.dumps(pinned)))

    def owners(self) -> set[str]:
        """Return for whom anything is pinned; nobody while Redis is away."""
        try:
            return set(cast("list[str]", self._client.hkeys(_PINS)))
        except redis.RedisError:
            return set()

    def unpin(self, owner: str) -> None:
        """Let go what was pinned for an owner."""
        self._do(lambda: self._client.hdel(_PINS, owner))

    def pinned(self) -> Iterable[tuple[bytes, QualityLevel]]:
        """Yield the tracks and qualities that are pinned."""
        kept = cast("Mapping[str, str]", self._client.hgetall(_PINS))
        for text in kept.values():
            paths, qualities = json.loads(text)
            for path in paths:
                for quality in qualities:
                    yield path.encode("latin-1"), parse_quality(quality)

    def _do(self, action: Any) -> None:
        try:
            action()
        except redis.RedisError as error:
            self._logger.warning("pins are not shared: %s", error)


class BucketKeeper:
    """Deletes what is worth least where a bucket has become too large.

    Args:
        store: the bucket.
        worth: what its objects are worth.
        logger: is told what goes.
    """

    def __init__(self, store: ObjectStore, worth: SharedWorth, logger: logging.Logger) -> None:
        self._store = store
        self._worth = worth
        self._policy = DecayingPlays()
        self._logger = logger

    def fit(self, cap_bytes: int, find_pinned: Callable[[], Collection[str]]) -> int:
        """Delete until the bucket is small enough; return how many bytes went.

        Args:
            cap_bytes: how much it may hold.
            find_pinned: gives the ids of objects that stay; asked where any have to go.

        Raises:
            OSError: it cannot be asked.
            redis.RedisError: what its objects are worth is not known.
        """
        objects = list(self._store.scan())
        used = sum(each.size_bytes for each in objects)
        if used <= cap_bytes:
            return 0
        pinned = find_pinned()
        worth = self._worth.of([each.id for each in objects])
        objects.sort(key=lambda each: worth.get(each.id, self._policy.made(each.mtime_ns / 1e9)))
        freed = 0
        for each in objects:
            if used - freed <= _DOWN_TO * cap_bytes:
                break
            if each.id not in pinned and self._store.delete(each.id):
                freed += each.size_bytes
        self._logger.info("evicted %d bytes from the bucket, which held %d", freed, used)
        if used - freed > cap_bytes:
            self._logger.warning("the bucket holds more than it may, and all of it is pinned")
        return freed


def pinned_ids(cache: AudioCache, music_root: Roots, worth: SharedWorth) -> set[str]:
    """Return the ids of what is pinned, as the sources at this node give them.

    Args:
        cache: of this node; remembers what the sources are.
        music_root: where this node has the music.
        worth: knows the pins.

    Raises:
        OSError: a pinned track cannot be looked at, as where its disk is away.
    """
    found = set()
    roots = MusicRoots.of(music_root)
    for path, quality in worth.pinned():
        source = roots.find(path)
        if source is None:
            continue  # its folder is none of these any more
        try:
            if quality != "original" and cache.should_transcode(source):
                found.add(cache.identify(source, quality).id)
        except FileNotFoundError:
            # A track that is gone; but not where all around it is gone as well.
            if not source.parent.is_dir():
                raise
        except AudioCacheError:
            continue  # it is damaged
    return found
