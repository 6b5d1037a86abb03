"""The watch over the library: what changes in the music folder is known within seconds."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final, Literal

from audio_cache import AudioCache, News, SourceWatch

from ..errors import NotFoundError
from ..files.walk import folder_of, is_shown_name
from .scanner import Scanner

_LOOK_AGAIN_S: Final = 0.5

logger = logging.getLogger(__name__)


class LibraryWatch:
    """Tells the library and the cache what is new in the music folder.

    Args:
        scanner: scans the folders of files that have changed, or everything.
        cache: forgets what it knows of them.
        music_root: what is watched.
        mode: as for `SourceWatch`, or "off".
    """

    def __init__(
        self,
        scanner: Scanner,
        cache: AudioCache,
        music_root: Path,
        mode: Literal["auto", "off"] | float,
    ) -> None:
        self._scanner = scanner
        self._cache = cache
        self._root = os.path.abspath(music_root)
        self._watch = None if mode == "off" else SourceWatch(music_root, self.hear, mode, logger)

    def start(self) -> None:
        """Begin with a scan of everything, and watch from then on."""
        if self._watch is None:
            self._scanner.start()
        else:
            self._watch.start()

    def close(self) -> None:
        """End the watch; a scan goes on."""
        if self._watch is not None:
            self._watch.close()

    def hear(self, news: News) -> None:
        """Bring library and cache up to date with what has changed; None is anything."""
        if news is None:
            self._scan_everything()
            return
        self._cache.forget(news)
        folders = {self._folder(path) for path in news if _is_shown(path)}
        # Of a folder that came, went or was renamed, nothing is told of what is in it.
        is_unsure = any(not _is_shown(path) and not os.path.isfile(path) for path in news)
        for folder in sorted(folders):
            try:
                self._scanner.scan_folder(folder)
            except NotFoundError:
                is_unsure = True
        if is_unsure:
            self._scan_everything()

    def _scan_everything(self) -> None:
        """Start a scan; one that is under way may have passed already where something changed."""
        while not self._is_over() and not self._scanner.start():
            self._scanner.wait(_LOOK_AGAIN_S)

    def _is_over(self) -> bool:
        return self._watch is not None and self._watch.is_over

    def _folder(self, path: str) -> bytes:
        relative = os.fsencode(os.path.relpath(path, self._root))
        return folder_of(relative)


def _is_shown(path: str) -> bool:
    """Say by its name whether a folder shows a file, or what it says of others."""
    return is_shown_name(os.fsencode(os.path.basename(path)))
