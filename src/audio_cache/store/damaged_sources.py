"""Damaged sources: found where an encode fails, and remembered for as long as the file is that."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import WeakValueDictionary

from ..encoding.ffmpeg import FFmpeg, FFmpegRun
from ..encoding.survey import Damage, survey
from ..errors import DamagedSourceError, EncodeError
from ..sources.source import FileVersion, Source, version_of
from .entry import stat_or_none
from .facts import Facts


class DamagedSources:
    """The sources of a cache that are known to be damaged.

    Args:
        facts: remember it.
        get_source: gives a source as its header describes it now.
        get_ffmpeg: gives the ffmpeg that decodes.
    """

    def __init__(
        self, facts: Facts, get_source: Callable[[str], Source], get_ffmpeg: Callable[[], FFmpeg]
    ) -> None:
        self._facts = facts
        self._get_source = get_source
        self._get_ffmpeg = get_ffmpeg
        self._lock = threading.Lock()
        # A lock lasts for as long as somebody holds it or waits for it.
        self._surveyed: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def of(self, path: Path | str, version: FileVersion) -> Damage | None:
        """Return what is known to be wrong with a version of a source; None for nothing."""
        known = self._facts.damage_of(os.path.abspath(path))
        return known[1] if known is not None and known[0] == version else None

    def now(self, path: Path | str) -> Damage | None:
        """Return what is known to be wrong with a source as it is now; None for nothing."""
        # Most are sound, and need not be looked at, which takes long on some file systems.
        if self._facts.damage_of(os.path.abspath(path)) is None:
            return None
        status = stat_or_none(path)
        return None if status is None else self.of(path, version_of(status))

    def all(self) -> dict[Path, tuple[FileVersion, Damage]]:
        """Return the damaged sources, and which version of each was found to be so."""
        return self._facts.damages()

    @contextlib.contextmanager
    def explained(
        self,
        path: Path | str,
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
        nice: int = 0,
    ) -> Iterator[None]:
        """Say with each error of a damaged source at which second the first damage is.

        An encode meets damage where it happens to decode; here all of the source is looked at, once
        for each version of it.

        Args:
            path: the source.
            on_start: is given the ffmpeg that looks at it.
            nice: CPU niceness of that.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            EncodeError: that of the body, which says more if the source is damaged.
        """
        try:
            yield
        except DamagedSourceError as error:
            raise self._explain(os.path.abspath(path), error, on_start, nice) from error

    def _explain(
        self,
        path: str,
        error: DamagedSourceError,
        on_start: Callable[[FFmpegRun], None],
        nice: int,
    ) -> EncodeError:
        with self._lock:
            alone = self._surveyed.setdefault(path, threading.Lock())
        try:
            with alone:
                source = self._get_source(path)
                damage = self.of(path, source.version)
                if damage is None and source.rate_hz:
                    damage = self._survey(source, on_start, nice)
                    if damage is not None:
                        self._facts.note_damage(path, source.version, damage)
        except (EncodeError, OSError):
            return error  # whatever that was, the first error is the one to tell
        return error.found_at(damage.at_s) if damage is not None else error

    def _survey(
        self, source: Source, on_start: Callable[[FFmpegRun], None], nice: int
    ) -> Damage | None:
        """Return what is wrong with a source if two looks agree on it.

        A disk or a network that fails for a moment looks like damage, but not twice the same.
        """
        found = survey(source, self._get_ffmpeg(), on_start, nice)
        # What looks sound is not read once more.
        if found is None or survey(source, self._get_ffmpeg(), on_start, nice) != found:
            return None
        return found
