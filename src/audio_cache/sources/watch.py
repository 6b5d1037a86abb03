"""A watch over a folder of sources: news of what changes in it, within seconds where it can."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import watchfiles

News = frozenset[str] | None
"""The paths that were added, changed or deleted; None where it may be any."""

# Changes that come together are told together: while none comes for the first, and at the latest
# after the second.
_QUIET_MS: Final = 200
_TOGETHER_MS: Final = 1600
_LOOK_UP_MS: Final = 1000
_SLOW_S: Final = 900.0
_MOUNTS: Final = "/proc/self/mountinfo"
# What others do to files on these is not told to us; neither on those of FUSE.
_REMOTE: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"smb3", "smbfs", "vboxsf", "virtiofs"}
)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


class SourceWatch:
    """Watches a folder and all below it, from `start` to `close`, in a thread of its own.

    Its first news are None, as soon as it sees all that comes after: then is the time for a first
    scan.

    Args:
        root: the folder.
        on_news: is told what is new, one call at a time; paths begin with `root` as it is given.
        mode: "auto" listens to the file system, or rescans a network's every quarter of an hour;
            a number rescans so many seconds after the last time.
        logger: where it says how it watches.
    """

    def __init__(
        self,
        root: Path,
        on_news: Callable[[News], None],
        mode: Literal["auto"] | float = "auto",
        logger: logging.Logger | None = None,
    ) -> None:
        self._root = os.path.abspath(root)
        self._on_news = on_news
        self._mode: Literal["auto"] | float = mode
        self._logger = logger or logging.getLogger("audio_cache")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """End the watch, and wait for that; what it is telling at the moment is told to the end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def is_over(self) -> bool:
        """Say whether it was closed; whoever takes long over news may want to know."""
        return self._stop.is_set()

    def _run(self) -> None:
        if self._mode != "auto":
            self._rescan(self._mode)
        elif is_remote(self._root):
            self._logger.info("%s is on a network: it is rescanned now and then", self._root)
            self._rescan(_SLOW_S)
        else:
            self._listen()

    def _rescan(self, every_s: float) -> None:
        while not self._stop.is_set():
            self._tell(None)
            self._stop.wait(every_s)

    def _listen(self) -> None:
        try:
            while not self._stop.is_set():
                self._listen_once()
        except OSError as error:
            if self._stop.is_set():
                return
            self._logger.warning(
                "%s cannot be watched (%s) and is rescanned now and then; where it is too many "
                "folders, raise fs.inotify.max_user_watches",
                self._root,
                error,
            )
            self._rescan(_SLOW_S)

    def _listen_once(self) -> None:
        """Listen until the end, or until something comes that cannot be told."""
        changes = watchfiles.watch(
            self._root,
            watch_filter=None,
            debounce=_TOGETHER_MS,
            step=_QUIET_MS,
            stop_event=self._stop,
            rust_timeout=_LOOK_UP_MS,
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        )
        is_first = True
        try:
            for some in changes:
                if is_first:
                    self._tell(None)
                elif news := frozenset(path for _, path in some if not self._is_hidden(path)):
                    self._tell(news)
                is_first = False
        except RuntimeError as error:
            # A name that is no UTF-8, which it cannot tell: what changed has to be looked for.
            self._logger.debug("the watch begins anew: %s", error)

    def _is_hidden(self, path: str) -> bool:
        return any(part.startswith(".") for part in path[len(self._root) :].split(os.sep))

    def _tell(self, news: News) -> None:
        try:
            self._on_news(news)
        except Exception:
            self._logger.exception("news of %s could not be told", self._root)


def is_remote(path: str) -> bool:
    """Say whether others can change the files of a folder without this system being told."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            kind = find_file_system(os.path.realpath(path), file.read())
    except OSError:
        return False
    is_fuse = kind.startswith("fuse") and kind not in ("fuseblk", "fusectl")
    return is_fuse or kind in _REMOTE


def find_file_system(path: str, mounts: str) -> str:
    """Return the kind of file system that a real path is on, by the text of `mountinfo` (proc(5)).

    "" where that does not say. Of several at one place the last is the one that is seen.
    """
    found, length = "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        is_above = path == point or path.startswith(os.path.join(point, ""))
        if is_above and len(point) >= length:
            found, length = after.split()[0], len(point)
    return found
