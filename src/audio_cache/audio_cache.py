"""AudioCache: the names, lookups, storing and managing of cached renditions."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from .entry import ENTRY_NAME, PARTIAL_SUFFIX, Verdict, judge, read_entry
from .errors import AudioCacheError
from .ffmpeg import FFmpeg, find_ffmpeg
from .partial import Partial, fill
from .quality import QUALITY_SETTINGS, QualityLevel, parse_quality
from .rendition import Rendition, make_rendition
from .source import is_lossless, read_source

_DAY_S: Final = 86_400.0
# An abandoned partial is worth keeping for a resume; after this long nobody came back for it.
_PARTIAL_KEPT_S: Final = 7 * _DAY_S


class AudioCache:
    """A directory of renditions. The directory is the only state: nothing else can be lost.

    Args:
        cache_dir: where the files are kept; made where it does not exist.
        logger: where warnings go; `logging.getLogger("audio_cache")` by default.
        ffmpeg: the ffmpeg to use; None finds one (see `ffmpeg.find_ffmpeg`) when it is needed.
        encode_timeout_s: seconds that one encode may wait for ffmpeg; 0 derives it per track.
        nice: CPU niceness of encodes that no listener waits for.
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
        self._names = functools.lru_cache(maxsize=4096)(_entry_name)
        self._renditions = functools.lru_cache(maxsize=256)(self._read_rendition)
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
        """Say whether a file is lossless; where it is missing, by its suffix alone."""
        return is_lossless(file_path)

    def is_cached(self, original_path: Path, quality: QualityLevel = "medium") -> bool:
        """Say whether a quality of a file can be served without encoding.

        True for "original" and for lossy files, and where a valid entry exists. A missing source
        does not invalidate its entry. An OSError is logged and means False.
        """
        if quality == "original":
            return True
        try:
            verdict = self.examine(original_path, quality)
        except OSError as error:
            self.logger.warning("cannot look up %r in the cache: %s", str(original_path), error)
            return False
        if verdict is Verdict.ABSENT:
            return not self.should_transcode(original_path)
        return verdict is Verdict.VALID

    def examine(self, original_path: Path, quality: QualityLevel) -> Verdict:
        """Return whether a file's entry at a quality is valid, or why not.

        Raises:
            OSError: the entry or the source is there and cannot be looked at.
        """
        entry = read_entry(self._entry_file(original_path, quality))
        if entry is None:
            return Verdict.ABSENT
        return judge(entry, stat_or_none(original_path))

    def transcode_file(
        self, original_path: Path, quality: QualityLevel = "medium", overwrite: bool = False
    ) -> Path:
        """Return the cached file of a source, made first where there is no valid one.

        Where other threads or processes make the same file, wait for theirs.

        Args:
            original_path: the source.
            quality: the quality level.
            overwrite: encode even where a valid file exists.

        Returns:
            The cached file, or the original's path where nothing is to be transcoded.

        Raises:
            FileNotFoundError: the source does not exist.
            EncodeError: a `subprocess.CalledProcessError`; ffmpeg failed or the source is damaged.
            OSError: the cache directory cannot be written, or the disk is full.
        """
        original_path = Path(original_path)
        os.stat(original_path)
        if quality == "original" or not self.should_transcode(original_path):
            return original_path
        path = self.get_cache_path(original_path, quality)
        if not overwrite and self.examine(original_path, quality):
            return path
        rendition = self.get_rendition(original_path, quality)
        partial = Partial.lock(path, rendition, wait=True)
        assert partial is not None, "a lock that waits is always granted"
        with partial:
            if not overwrite and self.examine(original_path, quality):
                partial.discard()
            else:
                self.make(partial, path, nice=self.nice, reuse=not overwrite)
        return path

    def make(
        self,
        partial: Partial,
        path: Path,
        *,
        nice: int = 0,
        reuse: bool = True,
        on_growth: Callable[[int], None] = lambda size: None,
    ) -> None:
        """Make the entry of a locked partial, logging what it took; errors as `partial.fill`."""
        rendition = partial.rendition
        started = time.monotonic()
        encode = functools.partial(rendition.encode, nice=nice)
        fill(partial, path, encode, on_growth, reuse=reuse)
        self.logger.info(
            "cached %r at %s: %d bytes instead of %d, in %.1f s",
            str(rendition.source.path),
            rendition.quality,
            rendition.length,
            rendition.source.size_bytes,
            time.monotonic() - started,
        )

    def get_cached_or_original(self, original_path: Path, quality: QualityLevel = "medium") -> Path:
        """Return the cached file where it is valid, else the original; nothing is encoded."""
        if quality == "original":
            return Path(original_path)
        with contextlib.suppress(OSError):
            if self.examine(original_path, quality):
                return self.get_cache_path(original_path, quality)
        return Path(original_path)

    def precache_file(
        self, original_path: Path, qualities: list[QualityLevel] | None = None
    ) -> dict[QualityLevel, Path]:
        """Make the files of several qualities; one that fails is logged and gives the original."""
        paths: dict[QualityLevel, Path] = {}
        for quality in qualities or ["medium"]:
            try:
                paths[quality] = self.transcode_file(original_path, quality)
            except (AudioCacheError, OSError) as error:
                self.logger.error("cannot cache %r at %s: %s", str(original_path), quality, error)
                paths[quality] = Path(original_path)
        return paths

    def get_cache_size(self) -> int:
        """Return the bytes of all files under the cache directory."""
        total = 0
        for directory, _, names in os.walk(self.cache_dir):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    total += os.lstat(os.path.join(directory, name)).st_size
        return total

    def clear_cache(self, older_than_days: float | None = None) -> int:
        """Delete cached files, all or those older than an age, and say how many.

        A file that cannot be deleted is logged and skipped. Requests that read a deleted file
        finish undisturbed. Partial files that nobody encodes go by the same rule, uncounted.

        Raises:
            ValueError: the age is negative or no number of days; nothing was deleted.
        """
        if older_than_days is not None:
            _require_days(older_than_days)
        age_s = -math.inf if older_than_days is None else older_than_days * _DAY_S
        deleted = 0
        for path in self.entries():
            deleted += self._delete_older(path, age_s)
        self.sweep_partials(max(age_s, 0.0))
        return deleted

    def entries(self) -> Iterator[Path]:
        """Yield the files that have an entry's name, in no certain order."""
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
            deleted += _delete_unlocked(Path(name), older_than_s)
        return deleted

    def get_rendition(self, original_path: Path, quality: QualityLevel) -> Rendition:
        """Return the rendition of a source as it is now; the last few are remembered.

        Raises:
            OSError: the source cannot be read.
            EncodeError: it holds no audio that can be decoded.
            FFmpegNotFoundError: there is no ffmpeg.
        """
        path = os.path.abspath(original_path)
        status = os.stat(path)
        return self._renditions(path, status.st_size, status.st_mtime_ns, quality)

    def _read_rendition(
        self, path: str, size_bytes: int, mtime_ns: int, quality: QualityLevel
    ) -> Rendition:
        source = read_source(path)
        return make_rendition(source, quality, self.ffmpeg, timeout_s=self._encode_timeout_s)

    def _entry_file(self, original_path: Path, quality: QualityLevel) -> str:
        return self._prefix + self._names(os.path.abspath(original_path), quality)

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


def stat_or_none(path: Path | str) -> os.stat_result | None:
    """Return what the file system says of a file; None where it is missing."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _entry_name(absolute_path: str, quality: QualityLevel) -> str:
    bitrate = QUALITY_SETTINGS[_known(quality)]["bitrate"]
    digest = hashlib.md5(os.fsencode(absolute_path), usedforsecurity=False).hexdigest()
    return f"{digest}_{quality}_{bitrate}.mp3"


def _known(quality: str) -> QualityLevel:
    return parse_quality(quality)


def _require_days(days: float) -> None:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < math.inf:
        raise ValueError(
            f"older_than_days is {days!r}: give a number of days, 0 or more, or None for all"
        )


def _delete_unlocked(path: Path, older_than_s: float) -> bool:
    """Delete a partial file unless it is young or an encoder holds it."""
    import fcntl

    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - os.fstat(fd).st_mtime < older_than_s:
            return False
        path.unlink(missing_ok=True)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
