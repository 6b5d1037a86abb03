"""AudioCache: a directory of renditions, with its names, lookups, storing and clearing."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from ..encoding.ffmpeg import Cancellation, FFmpeg, FFmpegRun, find_ffmpeg
from ..encoding.rendition import Rendition, make_rendition, with_samples
from ..errors import AudioCacheError
from ..quality import DEFAULT_QUALITY, QUALITY_SETTINGS, QualityLevel, parse_quality
from ..sources.source import Source, is_lossless, read_source
from .assembly import Assembly, Share
from .entry import ENTRY_NAME, PARTIAL_SUFFIX, Verdict, judge, read_open_entry, stat_or_none
from .partial import Partial, delete_abandoned, fill, lock_free

_DAY_S: Final = 86_400.0
# An abandoned partial is kept to be resumed; after this long nobody will come back for it.
_PARTIAL_KEPT_S: Final = 7 * _DAY_S
_LOOK_AGAIN_S: Final = 0.05


class AudioCache:
    """A directory of renditions, which is the only state: there is nothing else to lose.

    Args:
        cache_dir: where the files are kept; created if it doesn't exist.
        logger: where warnings go; `logging.getLogger("audio_cache")` by default.
        ffmpeg: the ffmpeg to use; None finds one (see `ffmpeg.find_ffmpeg`) when it is needed.
        encode_timeout_s: seconds that one encode may wait for ffmpeg; 0 derives it per track.
        nice: CPU niceness of encodes that no listener is waiting for.
    """

    def __init__(
        self,
        cache_dir: Path,
        logger: logging.Logger | None = None,
        *,
        ffmpeg: Path | str | None = None,
        encode_timeout_s: float = 0.0,
        nice: int = 0,
    ) -> None:
        self.cache_dir = Path(os.path.abspath(cache_dir))
        self.logger = logger or logging.getLogger("audio_cache")
        self.nice = nice
        self._ffmpeg = ffmpeg
        self._encode_timeout_s = encode_timeout_s
        self._renditions = functools.lru_cache(maxsize=256)(self._read_rendition)
        self._sources = functools.lru_cache(maxsize=64)(self._read_source)
        self.cache_dir.mkdir(parents=True, exist_ok=True)
        self._prefix = os.path.join(self.cache_dir, "")

    @property
    def ffmpeg(self) -> FFmpeg:
        """Return the ffmpeg that encodes.

        Raises:
            FFmpegNotFoundError: there is none.
        """
        return find_ffmpeg(self._ffmpeg)

    def get_cache_path(self, original_path: Path, quality: QualityLevel = "medium") -> Path:
        """Return where the rendition of a file is kept; the file itself for "original".

        The name is `<md5 of the normalised absolute path>_<quality>_<bitrate>.mp3`.
        """
        if quality == "original":
            return Path(original_path)
        return Path(self._entry_file(original_path, quality))

    def should_transcode(self, file_path: Path) -> bool:
        """Say whether a file is lossless; if it is missing, going by its suffix alone."""
        return is_lossless(file_path)

    def is_cached(self, original_path: Path, quality: QualityLevel = "medium") -> bool:
        """Say whether a quality of a file can be served without encoding.

        True for "original", for lossy files, and if a valid entry exists. A missing source
        doesn't invalidate its entry. An OSError is logged and means False.
        """
        if quality == "original":
            return True
        try:
            verdict = self.examine(original_path, quality)
        except OSError as error:
            self.logger.warning("cannot look up %r in the cache: %s", str(original_path), error)
            return False
        return verdict is Verdict.VALID or not self.should_transcode(original_path)

    def examine(self, original_path: Path, quality: QualityLevel) -> Verdict:
        """Return whether a file's entry at a quality is valid, or why not.

        Raises:
            OSError: the entry or the source exists but can't be read.
        """
        try:
            fd = os.open(self._entry_file(original_path, quality), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return Verdict.ABSENT
        try:
            return judge(read_open_entry(fd), stat_or_none(original_path))
        finally:
            os.close(fd)

    def transcode_file(
        self, original_path: Path, quality: QualityLevel = "medium", overwrite: bool = False
    ) -> Path:
        """Return the cached file of a source, encoding it first if there is no valid one.

        If another thread or process is making the same file, wait for that.

        Args:
            original_path: the source.
            quality: the quality level.
            overwrite: encode even if a valid file exists.

        Returns:
            The cached file, or the original's path if there is nothing to transcode.

        Raises:
            FileNotFoundError: the source does not exist.
            EncodeError: a `subprocess.CalledProcessError`; ffmpeg failed or the source is damaged.
            OSError: the cache directory can't be written to, or the disk is full.
        """
        original_path = Path(original_path)
        os.stat(original_path)
        if quality == "original" or not self.should_transcode(original_path):
            return original_path
        path = self.get_cache_path(original_path, quality)
        self.store_together(original_path, [quality], overwrite)
        return path

    def store_together(
        self,
        original_path: Path,
        qualities: Iterable[QualityLevel],
        overwrite: bool = False,
        *,
        cancellation: Cancellation | None = None,
        share: Share = contextlib.nullcontext,
        on_growth: Callable[[int, int], None] = lambda size, length: None,
    ) -> list[QualityLevel]:
        """Make the entries of several qualities of a source in one decode.

        Valid ones are left alone. Those that others are making are waited for with no lock held.

        Args:
            original_path: the source.
            qualities: which ones; "original" needs nothing.
            overwrite: encode even if valid files exist.
            cancellation: ends it from another thread; what was encoded will be resumed.
            share: entered with the assembly while other threads may help to encode.
            on_growth: called with the size so far of one quality, and its final size.

        Returns:
            The qualities that were made; the others were valid already.

        Raises:
            FileNotFoundError: the source does not exist.
            EncodeInterruptedError: somebody interrupted it.
            EncodeError, OSError: as `transcode_file`.
        """
        os.stat(original_path)
        cancellation = cancellation or Cancellation()

        def assemble(partials: list[Partial]) -> None:
            assembly = Assembly(
                partials, nice=self.nice, cancellation=cancellation, on_growth=on_growth
            )
            assembly.make(reuse=not overwrite, share=share)

        made: list[QualityLevel] = []
        wanted = list(dict.fromkeys(qualities))
        missing = self._invalid(original_path, wanted, overwrite)
        while missing:
            cancellation.pause(0)
            done = self._store_free(original_path, missing, overwrite, assemble)
            if done is None:
                cancellation.pause(_LOOK_AGAIN_S)
            made += done or ()
            missing = [quality for quality in missing if quality not in made]
            missing = self._invalid(original_path, missing, overwrite)
        return [quality for quality in wanted if quality in made]

    def _store_free(
        self,
        original_path: Path,
        qualities: list[QualityLevel],
        overwrite: bool,
        assemble: Callable[[list[Partial]], None],
    ) -> list[QualityLevel] | None:
        """Make what nobody else is making and return which; None if others are making all of it."""
        started = time.monotonic()
        renditions = {
            self.get_cache_path(original_path, quality): self.get_rendition(original_path, quality)
            for quality in qualities
        }
        with lock_free(renditions) as partials:
            if not partials:
                return None
            free = [partial.rendition.quality for partial in partials]
            # Somebody may have made one between the last look and the lock.
            mine = self._invalid(original_path, free, overwrite)
            for partial in partials:
                if partial.rendition.quality not in mine:
                    partial.discard()
            if mine:
                assemble([each for each in partials if each.rendition.quality in mine])
        for rendition in renditions.values():
            if rendition.quality in mine:
                self._log_made(rendition, started)
        return mine

    def _invalid(
        self, original_path: Path, qualities: Iterable[QualityLevel], overwrite: bool
    ) -> list[QualityLevel]:
        """Return the qualities without a valid entry or, to overwrite, all that can be encoded."""
        if overwrite:
            return [quality for quality in qualities if quality != "original"]
        return [quality for quality in qualities if not self.is_cached(original_path, quality)]

    def make(
        self,
        partial: Partial,
        *,
        nice: int = 0,
        reuse: bool = True,
        on_growth: Callable[[int], None] = lambda size: None,
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
    ) -> None:
        """Make the entry of a locked partial and log how long it took; errors as `partial.fill`."""
        rendition = partial.rendition
        started = time.monotonic()
        encode = functools.partial(rendition.encode, nice=nice, on_start=on_start)
        fill(partial, encode, on_growth, reuse=reuse)
        self._log_made(rendition, started)

    def _log_made(self, rendition: Rendition, started: float) -> None:
        self.logger.info(
            "cached %r at %s: %d bytes instead of %d, in %.1f s",
            str(rendition.source.path),
            rendition.quality,
            rendition.length,
            rendition.source.size_bytes,
            time.monotonic() - started,
        )

    def get_cached_or_original(self, original_path: Path, quality: QualityLevel = "medium") -> Path:
        """Return the cached file if it is valid, else the original; nothing is encoded."""
        if quality == "original":
            return Path(original_path)
        with contextlib.suppress(OSError):
            if self.examine(original_path, quality):
                return self.get_cache_path(original_path, quality)
        return Path(original_path)

    def precache_file(
        self, original_path: Path, qualities: list[QualityLevel] | None = None
    ) -> dict[QualityLevel, Path]:
        """Make the files of several qualities; a failure is logged and gives the original."""
        paths: dict[QualityLevel, Path] = {}
        wanted: list[QualityLevel] = [DEFAULT_QUALITY] if qualities is None else qualities
        for quality in wanted:
            try:
                paths[quality] = self.transcode_file(original_path, quality)
            except (AudioCacheError, OSError) as error:
                self.logger.error("cannot cache %r at %s: %s", str(original_path), quality, error)
                paths[quality] = Path(original_path)
        return paths

    def get_cache_size(self) -> int:
        """Return the size in bytes of all files under the cache directory."""
        total = 0
        for directory, _, names in os.walk(self.cache_dir):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    total += os.lstat(os.path.join(directory, name)).st_size
        return total

    def clear_cache(self, older_than_days: float | None = None) -> int:
        """Delete the MP3s that `mp3_files` yields, all or those older than an age; count them.

        A file that cannot be deleted is logged and skipped. Requests that read a deleted file
        finish undisturbed. Partial files that nobody is encoding follow the same rule, uncounted.

        Raises:
            ValueError: the age is negative or no number of days; nothing was deleted.
        """
        if older_than_days is not None:
            _require_days(older_than_days)
        age_s = -math.inf if older_than_days is None else older_than_days * _DAY_S
        deleted = 0
        for path in self.mp3_files():
            deleted += self._delete_older(path, age_s)
        self.sweep_partials(max(age_s, 0.0))
        return deleted

    def mp3_files(self) -> Iterator[Path]:
        """Yield every `*.mp3` in the cache directory, at any depth and whoever made it."""
        for directory, folders, files in os.walk(self.cache_dir):
            for name in (*folders, *files):
                if name.endswith(".mp3"):
                    yield Path(directory, name)

    def entries(self) -> Iterator[Path]:
        """Yield the files that have an entry's name, in no particular order."""
        with os.scandir(self.cache_dir) as listing:
            for item in listing:
                if ENTRY_NAME.fullmatch(item.name):
                    yield Path(item.path)

    def sweep_partials(self, older_than_s: float = _PARTIAL_KEPT_S) -> int:
        """Delete partial files of at least an age that no encoder holds; return how many."""
        deleted = 0
        with os.scandir(self.cache_dir) as listing:
            names = [item.path for item in listing if item.name.endswith(PARTIAL_SUFFIX)]
        for name in names:
            deleted += delete_abandoned(Path(name), older_than_s)
        return deleted

    def get_rendition(self, original_path: Path, quality: QualityLevel) -> Rendition:
        """Return the rendition of a source as it is now; recent ones are remembered.

        Raises:
            OSError: the source cannot be read.
            EncodeError: it has no audio that can be decoded.
            FFmpegNotFoundError: there is no ffmpeg.
        """
        path = os.path.abspath(original_path)
        status = os.stat(path)
        return self._renditions(path, status.st_size, status.st_mtime_ns, quality)

    def _read_rendition(
        self, path: str, size_bytes: int, mtime_ns: int, quality: QualityLevel
    ) -> Rendition:
        source = self._sources(path, size_bytes, mtime_ns)
        return make_rendition(source, quality, self.ffmpeg, timeout_s=self._encode_timeout_s)

    def _read_source(self, path: str, size_bytes: int, mtime_ns: int) -> Source:
        """Read a source once for all qualities: counting samples, where needed, is slow."""
        return with_samples(read_source(path), self.ffmpeg)

    def _entry_file(self, original_path: Path, quality: QualityLevel) -> str:
        return self._prefix + entry_name(os.path.abspath(original_path), quality)

    def _delete_older(self, path: Path, age_s: float) -> bool:
        try:
            if time.time() - path.stat().st_mtime > age_s:
                path.unlink()
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            self.logger.warning("cannot delete %s: %s", path, error)
        return False


def entry_name(absolute_path: str, quality: QualityLevel) -> str:
    """Return the name of a source's entry at a quality, from its normalised path."""
    level = parse_quality(quality)
    digest = hashlib.md5(os.fsencode(absolute_path), usedforsecurity=False).hexdigest()
    setting = QUALITY_SETTINGS[level]
    return f"{digest}_{level}_{setting['bitrate']}.{setting['format']}"


def _require_days(days: float) -> None:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < math.inf:
        raise ValueError(
            f"older_than_days is {days!r}: give a number of days, 0 or more, or None for all"
        )
