"""The renditions that listeners ask for, each looked into once however many ask at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from ..encoding.rendition import Rendition
from ..errors import EncodeError
from ..live.failures import Failures
from ..quality import QualityLevel
from ..store.cache import AudioCache

_Key = tuple[Path, str]


class Renditions:
    """What `AudioCache.get_rendition` knows, asked for by many threads.

    A source whose sample count is doubtful is decoded once to count: ten listeners must not do that
    ten times, and one that cannot be decoded must not be tried anew with every request.

    Args:
        cache: gives the renditions.
        retry_after_s: how long a source that failed is not tried again.
    """

    def __init__(self, cache: AudioCache, retry_after_s: float) -> None:
        self._cache = cache
        self._failures = Failures(retry_after_s)
        self._lock = threading.Lock()
        self._asked: dict[_Key, tuple[threading.Lock, int]] = {}

    def get(self, path: Path, quality: QualityLevel, status: os.stat_result) -> Rendition:
        """Return the rendition of a source.

        Args:
            path: the source.
            quality: the quality level.
            status: what the file system says of the source.

        Raises:
            LiveUnavailableError: it failed a while ago.
            OSError, EncodeError, FFmpegNotFoundError: as `AudioCache.get_rendition`.
        """
        key = (path, f"{quality} {status.st_size} {status.st_mtime_ns}")
        with self._alone(key):
            self._failures.check(key)
            try:
                return self._cache.get_rendition(path, quality)
            except EncodeError as error:
                self._failures.add(key, error)
                raise

    @contextlib.contextmanager
    def _alone(self, key: _Key) -> Iterator[None]:
        with self._lock:
            lock, users = self._asked.get(key, (threading.Lock(), 0))
            self._asked[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                _, users = self._asked[key]
                if users == 1:
                    del self._asked[key]
                else:
                    self._asked[key] = lock, users - 1
