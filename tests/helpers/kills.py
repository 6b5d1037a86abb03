"""Processes that are killed while they store a rendition, at a moment that a test chooses."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from audio_cache import AudioCache
from audio_cache.quality import QualityLevel
from audio_cache.store.facts import Facts
from audio_cache.store.objects import LocalObjects
from audio_cache.store.partial import Partial
from tests.helpers.waiting import LIMIT_S

# What a process is about to do when it is killed, in the order of an encode.
MOMENTS: Final[dict[str, tuple[type, str]]] = {
    "append to its partial file": (Partial, "append"),
    "make that an object": (LocalObjects, "put"),
    "name the object": (LocalObjects, "link"),
    "note its checksum": (Facts, "note_checksum"),
    "note its name": (Facts, "note_entry"),
}
_START: Final = multiprocessing.get_context("forkserver")


def kill_while_storing(
    cache_dir: Path, source: Path, quality: QualityLevel, moment: str, count: int = 1
) -> bool:
    """Store a rendition in a process that is killed by SIGKILL; say whether it came to that.

    Args:
        cache_dir: of the cache.
        source: what is to be stored.
        quality: at which quality.
        moment: one of `MOMENTS`.
        count: how many times it gets there.
    """
    # A server that has imported the package once starts each process in no time.
    _START.set_forkserver_preload(["audio_cache", __name__])
    process = _START.Process(target=_store, args=(cache_dir, source, quality, moment, count))
    process.start()
    process.join(LIMIT_S)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _store(cache_dir: Path, source: Path, quality: QualityLevel, moment: str, count: int) -> None:
    owner, name = MOMENTS[moment]
    setattr(owner, name, _fatal(getattr(owner, name), count))
    AudioCache(cache_dir).transcode_file(source, quality)


def _fatal(method: Callable[..., Any], count: int) -> Callable[..., Any]:
    left = iter(range(count - 1))

    def call(*given: Any, **named: Any) -> Any:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*given, **named)

    return call
