"""The program that faults are injected into: it does one thing to a cache each time it is told to.

For each line of standard input, which names an act, a cache and a source, it forks a process that
waits to be traced. So what is traced is the act alone, and no start of an interpreter.
"""

from __future__ import annotations

import json
import os
import select
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from audio_cache import AudioCache
from audio_cache.errors import AudioCacheError
from audio_cache.store.survey import Surveys


def make(cache: AudioCache, source: Path) -> None:
    """Encode and store a rendition."""
    cache.transcode_file(source, "low")


def find(cache: AudioCache, source: Path) -> None:
    """Look a rendition up, which may give an object a name, or make it of another's frames."""
    cache.find(source, "low")


def evict(cache: AudioCache, source: Path) -> None:
    """Evict all that is stored, but for its head."""
    cache.evictions.free(1, heads_bytes=1 << 20)


def clear(cache: AudioCache, source: Path) -> None:
    """Delete all entries."""
    cache.clear_cache()


ACTS: Final[dict[str, Callable[[AudioCache, Path], None]]] = {
    "make": make,
    "find": find,
    "evict": evict,
    "clear": clear,
}
# What a process that could not do its act ends with; anything but this and 0 is a defect.
FAILED: Final = 3


def _survey_here(surveys: Surveys) -> SimpleNamespace:
    """Look at what a cache holds in the thread of the act, the only one that is traced."""
    surveys._run()
    return SimpleNamespace(join=lambda timeout_s=None: None, is_alive=lambda: False)


def main() -> None:
    """Do what standard input says until it ends."""
    Surveys.begin = _survey_here  # type: ignore[method-assign, assignment]
    with tempfile.TemporaryDirectory() as folder:
        # Whatever is loaded or found out only once is so before anything is traced.
        cache, source = AudioCache(Path(folder, "cache")), Path(sys.argv[1])
        for act in ("make", "find", "evict", "clear"):
            ACTS[act](cache, source)
        cache.close()
    for line in sys.stdin:
        words = json.loads(line)
        begin_fd, begin = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(begin)
            # Not a read, which faults are injected into.
            begun = select.poll()
            begun.register(begin_fd)
            begun.poll()
            os._exit(_act(words["act"], Path(words["cache_dir"]), Path(words["source"])))
        os.close(begin_fd)
        _say(pid)
        sys.stdin.readline()  # it is traced now
        os.close(begin)
        _say(os.waitpid(pid, 0)[1])


def _act(act: str, cache_dir: Path, source: Path) -> int:
    try:
        ACTS[act](AudioCache(cache_dir), source)
    except (AudioCacheError, OSError):
        return FAILED
    except BaseException as error:
        sys.stderr.write(f"{act}: {error!r}\n")
        return 1
    return 0


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
