"""The answers with files that are composed of tracks, by ranges like those with a single track.

A range takes no more than what it touches: where nothing of it is made yet, that alone is encoded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from werkzeug.wrappers import Request, Response

from ..encoding.medley import MedleyPiece, make_medley
from ..encoding.rendition import Rendition
from ..errors import AudioCacheError, DamagedSourceError, EncodeError, LiveUnavailableError
from ..live.growing_file import FollowedBytes
from ..quality import BEST_QUALITY, QualityLevel
from ..sources.sheet_tracks import is_sheet_track
from ..sources.source import FileVersion, version_of
from ..store.entry import Verdict
from .composition import (
    CRC_BYTES,
    Composition,
    JoinedTracks,
    TrackCrc,
    TrackFile,
    TrackTail,
)
from .playback import Playback
from .ranges import Representation, is_play, listener_has_left, listener_of, respond

_READ_BYTES: Final = 1 << 16
# Each waits for an encoder as long as a listener does. Who downloads has time.
_TRIES: Final = 12


class Composer:
    """Describes tracks as parts, and answers with what was composed of them.

    Args:
        playback: that of the application, whose cache and encoders are used.
    """

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._cache = playback.cache
        self._settings = playback.settings
        self._live = playback.live
        self._logger = playback.cache.logger

    def describe(
        self,
        path: Path,
        quality: QualityLevel,
        source: os.stat_result,
        *,
        is_identified: bool = True,
    ) -> TrackFile:
        """Return the file that a listener gets of a track at a quality.

        What is lossy, damaged or too long for an MP3 is what it is, whatever the quality. A track
        of a CUE sheet is always an MP3, as its file holds others too.

        Args:
            path: of the track.
            quality: what is asked for.
            source: what the file system says of the very file that is meant.
            is_identified: whether to find out its id; for a source that is no FLAC that may read
                all of it, once.

        Raises:
            EncodeError: it is a track of a CUE sheet of which no MP3 can be made.
            OSError: it cannot be read, or another file has taken its place.
        """
        version = version_of(source)
        is_part = is_sheet_track(path)
        if is_part and quality == "original":
            quality = BEST_QUALITY
        if quality != "original" and self._is_made(path, version):
            with contextlib.suppress(AudioCacheError):
                rendition = self._playback.get_rendition(path, quality, source)
                if is_identified:
                    rendition = self._cache.identify(path, quality)
                found = self._cache.find(path, quality, source)
                if not isinstance(found, Verdict):
                    return TrackFile(path, found.size_bytes, found.etag, version, rendition)
                known = rendition.id if is_identified else ""
                return TrackFile(path, rendition.length, known, version, rendition)
        if is_part:
            raise EncodeError(
                f"{os.fspath(path)!r} is part of a file, and no MP3 can be made of it"
            )
        size_bytes, changed_ns = source.st_size, source.st_mtime_ns
        own = hashlib.sha256(f"{path.name} {size_bytes} {changed_ns}".encode("utf-8", "replace"))
        return TrackFile(path, size_bytes, own.hexdigest()[:48], version)

    def join(self, tracks: Iterable[TrackFile]) -> JoinedTracks:
        """Return tracks as one MP3.

        Raises:
            EncodeError: one of them has no rendition, or all are too much for one file.
        """
        renditions = [track.rendition for track in tracks]
        made = tuple(each for each in renditions if each is not None)
        if len(made) < len(renditions):
            raise EncodeError("a track that is played as it is cannot be joined with others")
        return JoinedTracks(make_medley(made))

    def answer(
        self,
        request: Request,
        composition: Composition,
        content_type: str,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Return the answer to a GET or HEAD: as for a track, with ranges and preconditions.

        Raises:
            LiveUnavailableError: what is needed first cannot be made at the moment.
            EncodeError, OSError: nor at any time.
        """
        what = Representation(
            length=composition.length,
            etag=composition.etag,
            content_type=content_type,
            headers=headers or {},
        )

        def open_range(start: int, stop: int) -> Iterable[bytes]:
            self._live.may_make()
            is_gone = listener_has_left(request.environ)
            reading = _Reading(self, listener_of(request), is_gone, self._settings.nice)
            chunks = reading.read(composition, start, stop)
            try:
                first = next(chunks, b"")
            except BaseException:
                chunks.close()
                raise
            return FollowedBytes(first, chunks, lambda: None)

        response, evaluated = respond(request, what, open_range)
        if request.method == "GET":
            begins = is_play(*evaluated, what.length)
            self._playback.traffic.count_download(response.content_length or 0, begins=begins)
        return response

    def find_crc(self, track: TrackFile) -> int | None:
        """Return the CRC-32 of a track's file where it is known already."""
        return self._cache.facts.crc_of(track.id)

    def note_crc(self, track: TrackFile, crc32: int) -> None:
        """Remember the CRC-32 of a track's file."""
        self._cache.facts.note_crc(track.id, crc32)

    def open_track(
        self,
        track: TrackFile,
        start: int,
        stop: int,
        listener: str,
        is_gone: Callable[[], bool],
        nice: int,
    ) -> Iterator[bytes]:
        """Return the bytes [start, stop) of a track's file: read, fetched, or as they are made.

        Args:
            nice: CPU niceness of the encoder.

        Raises:
            LiveUnavailableError: they cannot be had at the moment.
            OSError: the file has changed, or cannot be read.
        """
        if track.rendition is None:
            descriptor = os.open(track.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            return _read_file(descriptor, start, stop, track)
        stored = self._open_stored(track, track.rendition)
        if stored is not None:
            return _read_file(stored, start, stop)
        if track.id != track.rendition.id:
            raise FileNotFoundError(f"the file that was made of {str(track.path)!r} is gone")
        backing = self._cache.backing
        if backing is not None and backing.has(track.rendition):
            return backing.open_range(track.id, start, stop)
        return self._make(track.rendition, start, stop, listener, is_gone, nice)

    def encode(self, piece: MedleyPiece, is_gone: Callable[[], bool]) -> bytes:
        """Return what a piece of joined tracks gives, made when no listener waits for a place.

        Raises:
            LiveUnavailableError: who asked has left, or the server is shutting down.
            EncodeError: one of the sources is damaged.
        """
        with self._live.place(is_gone):
            try:
                return piece.encode(nice=self._settings.nice)
            except DamagedSourceError as error:
                # Which of them it was is found out, so that the next answer is another one.
                for rendition in piece.renditions:
                    with (
                        contextlib.suppress(EncodeError),
                        self._cache.damages.explained(rendition.source.path),
                    ):
                        raise error
                raise

    def _is_made(self, path: Path, version: FileVersion) -> bool:
        is_lossless = self._settings.enabled and self._cache.should_transcode(path)
        return is_lossless and self._cache.damages.of(path, version) is None

    def _open_stored(self, track: TrackFile, rendition: Rendition) -> int | None:
        found = self._cache.find(track.path, rendition.quality)
        if isinstance(found, Verdict) or found.etag != track.id:
            return None
        try:
            return os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None

    def _make(
        self,
        rendition: Rendition,
        start: int,
        stop: int,
        listener: str,
        is_gone: Callable[[], bool],
        nice: int,
    ) -> Iterator[bytes]:
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._live.play(
                    rendition,
                    start,
                    stop,
                    listener=listener,
                    nice=nice,
                    is_gone=is_gone,
                )
            except LiveUnavailableError:
                if not tries_left or is_gone():
                    raise
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class _Reading:
    """One answer, on its way through the parts."""

    composer: Composer
    listener: str
    is_gone: Callable[[], bool]
    nice: int
    crcs: dict[str, int] = field(default_factory=dict)

    def read(self, composition: Composition, start: int, stop: int) -> Generator[bytes]:
        for part, first, last in composition.spans(start, stop):
            if isinstance(part, bytes):
                yield part[first:last]
            elif isinstance(part, TrackFile):
                yield from self._read_track(part, first, last)
            elif isinstance(part, TrackTail):
                # That of a single track is for somebody who listens.
                begin, end = part.first + first, part.first + last
                yield from self._read_track(part.track, begin, end, nice=0)
            elif isinstance(part, TrackCrc):
                yield self._crc_of(part.track).to_bytes(CRC_BYTES, "little")[first:last]
            else:
                yield part.medley.header[first:last]
                for piece in part.medley.pieces(first, last):
                    yield self.composer.encode(piece, self.is_gone)

    def _read_track(
        self, track: TrackFile, start: int, stop: int, nice: int | None = None
    ) -> Iterator[bytes]:
        nice = self.nice if nice is None else nice
        chunks = self.composer.open_track(track, start, stop, self.listener, self.is_gone, nice)
        crc, size = 0, 0
        try:
            for data in chunks:
                if start == 0:
                    crc = zlib.crc32(data, crc)
                size += len(data)
                yield data
        finally:
            if (close := getattr(chunks, "close", None)) is not None:
                close()
        if size != stop - start:
            raise OSError(f"{str(track.path)!r} gave {size} bytes, not {stop - start}")
        if size == track.length:
            self.crcs[track.id] = crc
            self.composer.note_crc(track, crc)

    def _crc_of(self, track: TrackFile) -> int:
        if track.id not in self.crcs:
            known = self.composer.find_crc(track)
            if known is None:
                # Which also takes a note of it.
                deque(self._read_track(track, 0, track.length), maxlen=0)
            else:
                self.crcs[track.id] = known
        return self.crcs[track.id]


def _read_file(
    descriptor: int, start: int, stop: int, track: TrackFile | None = None
) -> Iterator[bytes]:
    """Return the bytes of an open file, which is closed with them; that of a track has its version.

    Raises:
        OSError: it is another file by now.
    """
    try:
        if track is not None and version_of(os.fstat(descriptor)) != track.version:
            raise FileNotFoundError(errno.ENOENT, "Another file took its place", str(track.path))
        while start < stop:
            data = os.pread(descriptor, min(_READ_BYTES, stop - start), start)
            if not data:
                return
            start += len(data)
            yield data
    finally:
        os.close(descriptor)
