"""The watch over the library: what changes in the music folder is known within seconds."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Final, Literal

from audio_cache import AudioCache, MusicRoots, News, Roots, SourceWatch

from ..errors import NotFoundError
from ..files.names import disc_of
from ..files.walk import cover_rank, folder_of, is_shown_name
from .scanner import Scanner

_LOOK_AGAIN_S: Final = 0.5

logger = logging.getLogger(__name__)


class LibraryWatch:
    """Tells the library and the cache what is new in the music folder.

    Args:
        scanner: scans the folders of files that have changed, or everything.
        cache: forgets what it knows of them.
        music_root: what is watched, a folder or several.
        mode: as for `SourceWatch`, or "off".
    """

    def __init__(
        self,
        scanner: Scanner,
        cache: AudioCache,
        music_root: Roots,
        mode: Literal["auto", "off"] | float,
    ) -> None:
        self._scanner = scanner
        self._cache = cache
        self._roots = MusicRoots.of(music_root)
        self._watches = []
        if mode != "off":
            places = map(Path, self._roots.places.values())
            self._watches += [SourceWatch(place, self.hear, mode, logger) for place in places]
        self._is_asked = threading.Event()

    def start(self) -> None:
        """Begin with a scan of everything, and watch from then on."""
        if not self._watches:
            self._scanner.start()
        for watch in self._watches:
            watch.start()

    def close(self) -> None:
        """End the watch; a scan goes on."""
        for watch in self._watches:
            watch.close()

    def hear(self, news: News) -> None:
        """Bring library and cache up to date with what has changed; None is anything."""
        if news is None:
            self._scan_everything()
            return
        self._cache.forget(news)
        folders = {self._folder(path) for path in news if _is_shown(path)}
        covers = {self._folder(path) for path in news if _is_cover(path)}
        # Of a folder that came, went or was renamed, nothing is told of what is in it.
        is_unsure = any(not _is_shown(path) and not os.path.isfile(path) for path in news)
        for folder in sorted(folders):
            try:
                found, _ = self._scanner.scan_folder(folder)
                # The discs of an album are shown with the cover that lies beside them.
                for disc in filter(disc_of, found.folders if folder in covers else ()):
                    self._scanner.scan_folder(disc)
            except NotFoundError:
                is_unsure = True
        if is_unsure:
            self._scan_everything()

    def _scan_everything(self) -> None:
        """Start a scan; one that is under way may have passed already where something changed."""
        if self._is_asked.is_set():
            return  # by the watch over another folder: the scan that is to begin finds this too
        while not self._is_over():
            # What is told from here on may come too late for it.
            self._is_asked.clear()
            if self._scanner.start():
                return
            self._is_asked.set()
            self._scanner.wait(_LOOK_AGAIN_S)

    def _is_over(self) -> bool:
        return any(watch.is_over for watch in self._watches)

    def _folder(self, path: str) -> bytes:
        return folder_of(os.fsencode(self._roots.path_of(path) or ""))


def _is_cover(path: str) -> bool:
    return cover_rank(os.fsencode(os.path.basename(path))) is not None


def _is_shown(path: str) -> bool:
    """Say by its name whether a folder shows a file, or what it says of others."""
    return is_shown_name(os.fsencode(os.path.basename(path)))
