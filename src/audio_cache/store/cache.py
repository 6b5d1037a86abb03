"""AudioCache: a directory of renditions, with its names, lookups, storing and clearing."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..encoding.cancellation import Cancellation
from ..encoding.ffmpeg import FFmpeg, FFmpegRun, find_ffmpeg
from ..encoding.ffmpeg_options import AudioCheck
from ..encoding.rendition import Rendition, make_rendition, with_samples
from ..errors import AudioCacheError
from ..quality import DEFAULT_EFFORT, DEFAULT_QUALITY, Effort, QualityLevel
from ..settings import DEFAULT_TAGS
from ..sources.reader import stat_source, version_of
from ..sources.source import FileVersion, Source, is_lossless, read_source
from .assembly import Assembly, Share
from .checks import Checks
from .damaged_sources import DamagedSources
from .directory import CacheDirectory
from .entry import Verdict, entry_name, stat_or_none
from .facts import Checksum
from .lookups import Found, Lookups
from .object_store import ObjectStore
from .partial import Partial, fill, lock_free, log_made
from .room import Limits

_LOOK_AGAIN_S: Final = 0.05


class AudioCache(CacheDirectory):
    """A directory of renditions, each stored once by what it is, and named by its sources.

    The directory is the only state; the index in it may be lost and is found out again.

    Args:
        cache_dir: where the files are kept; created if it doesn't exist.
        logger: where warnings go; `logging.getLogger("audio_cache")` by default.
        ffmpeg, effort: as for `ffmpeg.find_ffmpeg`, which is asked when one is needed.
        encode_timeout_s: seconds that one encode may wait for ffmpeg; 0 derives it per track.
        nice: CPU niceness of encodes that no listener waits for.
        tags: names of the tags that go with renditions, as `settings.DEFAULT_TAGS`.
        limits: how large the cache may be; by default it leaves some of the disk free.
        is_shared: whether other users of the system, such as a web server's, may read its files.
        behind: keeps what is made for all nodes of a site.
    """

    def __init__(
        self,
        cache_dir: Path,
        logger: logging.Logger | None = None,
        *,
        ffmpeg: Path | str | None = None,
        effort: Effort = DEFAULT_EFFORT,
        encode_timeout_s: float = 0.0,
        nice: int = 0,
        tags: Collection[str] = DEFAULT_TAGS,
        limits: Limits | None = None,
        is_shared: bool = False,
        behind: ObjectStore | None = None,
    ) -> None:
        logger, limits = logger or logging.getLogger("audio_cache"), limits or Limits()
        form = ",".join(tags)
        super().__init__(cache_dir, logger, form, limits, is_shared=is_shared, behind=behind)
        # An entry of the list may end in a star.
        self._travels = re.compile("|".join(map(fnmatch.translate, tags)) or "(?!)").fullmatch
        self.nice, self._ffmpeg, self._timeout_s = nice, (ffmpeg, effort), encode_timeout_s
        self._renditions = functools.lru_cache(maxsize=256)(self._read_rendition)
        self._sources = functools.lru_cache(maxsize=64)(self._read_source)
        self._counted = functools.lru_cache(maxsize=64)(self._count_source)
        gives = self._source, self.get_rendition, self._entry_file, self.room.take_for_copy
        self._lookups = Lookups(self.objects, self.facts, *gives)
        self.checks = Checks(self.facts, self._lookups, lambda: self.ffmpeg)
        self.damages = DamagedSources(self.facts, self._source, lambda: self.ffmpeg)

    @property
    def ffmpeg(self) -> FFmpeg:
        """Return the ffmpeg that encodes.

        Raises:
            FFmpegNotFoundError: there is none.
        """
        return find_ffmpeg(*self._ffmpeg)

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

        True for "original", for lossy files, and if a valid entry exists, even without its source.
        Of a lossless file an OSError is logged and means False.
        """
        try:
            if quality == "original" or self.examine(original_path, quality):
                return True
        except OSError as error:
            if self.should_transcode(original_path):
                self.logger.warning("cannot look up %r in the cache: %s", str(original_path), error)
        return not self.should_transcode(original_path)

    def examine(self, original_path: Path, quality: QualityLevel) -> Verdict:
        """Return whether a file's entry at a quality is valid, or why not.

        Raises:
            OSError: the entry or the source exists but can't be read.
        """
        found = self.find(original_path, quality)
        return found if isinstance(found, Verdict) else Verdict.VALID

    def find(
        self,
        original_path: Path | str,
        quality: QualityLevel,
        status: os.stat_result | None = None,
        *,
        is_thorough: bool = False,
    ) -> Found | Verdict:
        """Return a file's valid entry at a quality, or why there is none; nothing is encoded.

        Args:
            status: what the file system says of the source, where that is known already.
            is_thorough: read all of the source where only that tells.

        Raises:
            OSError: the entry or the source is there and cannot be looked at.
        """
        path = os.path.abspath(original_path)
        status = status or stat_or_none(path)
        return self._lookups.look_up(path, quality, status, is_thorough=is_thorough)

    def transcode_file(
        self, original_path: Path, quality: QualityLevel = "medium", overwrite: bool = False
    ) -> Path:
        """Return the cached file of a source, encoding it first if there is no valid one.

        If another thread or process is making the same file, wait for that.

        Args:
            overwrite: encode even if a valid file exists.

        Returns:
            The cached file, or the original's path if there is nothing to transcode.

        Raises:
            FileNotFoundError: the source does not exist.
            EncodeError: a `subprocess.CalledProcessError`; ffmpeg failed or the source is damaged.
            OSError: the cache directory can't be written to, or the disk is full.
        """
        original_path = Path(original_path)
        stat_source(original_path)
        if quality == "original" or not self.should_transcode(original_path):
            return original_path
        # Who asks for one file wants it now, as a listener does.
        self.store_together(original_path, [quality], overwrite, for_batch=False)
        return self.get_cache_path(original_path, quality)

    def store_together(
        self,
        original_path: Path,
        qualities: Iterable[QualityLevel],
        overwrite: bool = False,
        *,
        cancellation: Cancellation | None = None,
        share: Share = contextlib.nullcontext,
        on_growth: Callable[[int, int], None] = lambda size, length: None,
        for_batch: bool = True,
    ) -> list[QualityLevel]:
        """Make the entries of several qualities of a source in one decode.

        Valid ones are left alone. Those that others are making are waited for with no lock held.

        Args:
            qualities: which ones; "original" needs nothing.
            overwrite: encode even if valid files exist.
            cancellation: ends it from another thread; what was encoded will be resumed.
            share: entered with the assembly while other threads may help to encode.
            on_growth: called with the size so far of one quality, and its final size.
            for_batch: it is made ahead, so what was played need not make room for it.

        Returns:
            The qualities that were made; the others were valid already.

        Raises:
            FileNotFoundError: the source does not exist.
            EncodeInterruptedError: somebody interrupted it.
            EncodeError, OSError: as `transcode_file`.
        """
        stat_source(original_path)
        cancellation = cancellation or Cancellation()

        def assemble(partials: list[Partial]) -> None:
            check = self.checks.begin(partials[0].rendition.source)
            assembly = Assembly(
                partials,
                nice=self.nice,
                cancellation=cancellation,
                on_growth=on_growth,
                check=check,
                make_room=functools.partial(self.room.take, for_batch=for_batch),
            )
            assembly.make(lambda each: self.publish(each, check, cancellation.hold), share)

        made: list[QualityLevel] = []
        wanted = list(dict.fromkeys(qualities))
        missing = self._invalid(original_path, wanted, overwrite)
        while missing:
            cancellation.pause(0)
            with self.damages.explained(original_path, cancellation.hold, self.nice):
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
            self.get_cache_path(original_path, quality): self._lookups.identify(
                self.get_rendition(original_path, quality)
            )
            for quality in qualities
        }
        if self.backing is not None and not overwrite:
            for rendition in renditions.values():
                self.backing.fetch(rendition)
        with lock_free(renditions) as partials:
            if not partials:
                return None
            free = [partial.rendition.quality for partial in partials]
            # Somebody may have made one between the last look and the lock.
            mine = self._invalid(original_path, free, overwrite, is_thorough=True)
            for partial in partials:
                if partial.rendition.quality not in mine:
                    partial.discard()
            if mine:
                assemble([each for each in partials if each.rendition.quality in mine])
        for rendition in renditions.values():
            if rendition.quality in mine:
                log_made(self.logger, rendition, started)
        return mine

    def _invalid(
        self,
        original_path: Path,
        qualities: Iterable[QualityLevel],
        overwrite: bool,
        *,
        is_thorough: bool = False,
    ) -> list[QualityLevel]:
        """Return the qualities without a valid entry, or all that are encoded where so wished."""
        encoded: list[QualityLevel] = [each for each in qualities if each != "original"]
        if overwrite:
            return encoded
        if is_thorough:
            found = {each: self.find(original_path, each, is_thorough=True) for each in encoded}
            return [quality for quality in encoded if isinstance(found[quality], Verdict)]
        return [quality for quality in encoded if not self.is_cached(original_path, quality)]

    def make(
        self,
        partial: Partial,
        *,
        nice: int = 0,
        on_growth: Callable[[int], None] = lambda size: None,
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
        head: bytes = b"",
    ) -> None:
        """Make the entry of a locked partial and log how long it took; errors as `partial.fill`."""
        rendition = partial.rendition
        started = time.monotonic()
        check = self.checks.begin(rendition.source)
        encode = functools.partial(rendition.encode, nice=nice, check=check)
        publish = functools.partial(self.publish, check=check, on_start=on_start)
        with self.damages.explained(rendition.source.path, on_start, nice):
            fill(partial, encode, publish, on_growth, self.room.take_for_listener, head, on_start)
        log_made(self.logger, rendition, started)

    def publish(
        self,
        partial: Partial,
        check: AudioCheck | None,
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
    ) -> None:
        """Make an entry of a complete partial, once its source has proved to be what it says.

        Raises:
            EncodeError: the source is damaged, or was changed while it was encoded.
        """
        rendition = self._lookups.identify(partial.rendition)
        source, entry = rendition.source, partial.entry
        path = os.fspath(source.path)
        self.checks.complete(rendition, check, on_start)
        # What an earlier process has left may have been damaged on the disk since.
        checksum = Checksum(partial.checksum(), is_proven=not partial.is_resumed)
        self.heads.drop(rendition)
        partial.publish(self.objects, rendition.id)
        self.facts.note_checksum(rendition.id, checksum)
        if self.backing is not None:
            self.backing.keep(rendition.id)
        self._lookups.rename(rendition.id, but=entry.name)
        self.facts.note_entry(entry.name, path, rendition.quality, source.version, rendition.id)
        with contextlib.suppress(FileNotFoundError):  # it had to make room already
            found = self._lookups.describe(os.fspath(entry), rendition.id, source.version)
            self._lookups.note(path, rendition.quality, found)

    def get_cached_or_original(self, original_path: Path, quality: QualityLevel = "medium") -> Path:
        """Return the cached file if it is valid, else the original; nothing is encoded."""
        with contextlib.suppress(OSError):
            if quality != "original" and self.examine(original_path, quality):
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

    def get_rendition(self, original_path: Path | str, quality: QualityLevel) -> Rendition:
        """Return the rendition of a source as it is now; recent ones are remembered.

        Raises:
            OSError: the source cannot be read.
            EncodeError: it has no audio that can be decoded.
            FFmpegNotFoundError: there is no ffmpeg.
        """
        path = os.path.abspath(original_path)
        return self._renditions(path, version_of(stat_source(path)), quality)

    def recall(self, rendition: Rendition) -> Rendition:
        """Return a rendition with the identity of its audio, where that is known already."""
        return self._lookups.recall(rendition)

    def identify(self, original_path: Path, quality: QualityLevel) -> Rendition:
        """Return the rendition as `get_rendition`, with its id; the first may read the source."""
        return self._lookups.identify(self.get_rendition(original_path, quality))

    def _source(self, path: str) -> Source:
        return self._sources(path, version_of(stat_source(path)))

    def forget(self, paths: Collection[str]) -> None:
        """Forget what is known of sources that have changed; else the next lookup finds out."""
        self._lookups.forget(paths)

    def _read_rendition(self, path: str, version: FileVersion, quality: QualityLevel) -> Rendition:
        source = self._counted(path, version)
        tags = tuple(tag for tag in source.tags if self._travels(tag[0]))
        return make_rendition(source, quality, self.ffmpeg, tags=tags, timeout_s=self._timeout_s)

    def _read_source(self, path: str, version: FileVersion) -> Source:
        source = read_source(path)
        if source.samples is not None:
            return source
        return replace(source, samples=self.facts.samples_of(path, version))

    def _count_source(self, path: str, version: FileVersion) -> Source:
        """Make sure of a source's samples once for all qualities: to count them takes long."""
        return with_samples(self._sources(path, version), self.ffmpeg)

    def _entry_file(self, original_path: Path | str, quality: QualityLevel) -> str:
        return self._prefix + entry_name(os.path.abspath(original_path), quality)
