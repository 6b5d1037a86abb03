"""Encodes of one source at one or several qualities, from one decode."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..quality import DEFAULT_QUALITY, QUALITY_SETTINGS, QualityLevel, bitrate_bps
from ..sources.source import Source
from . import mp3
from .ffmpeg import FFmpeg, FFmpegRun
from .ffmpeg_options import AudioCheck, Piece
from .settling import EARLY_FRAMES, Settling, prepare_seeks
from .standby import make_ready, wait_until_ready

if TYPE_CHECKING:
    from .rendition import Rendition
    from .sample_check import Stretch

_SILENCE_AT_ONCE: Final = 1 << 16
# Players ask for so much of a track's start before they make a sound.
_AT_ONCE_BYTES: Final = 1 << 16
HELD_FRAMES: Final = 4
# What ffmpeg writes at once, but for the end.
_WRITE_BYTES: Final = 1 << 15
# What is known of a file only when somebody plays it is told later anyway.
_USUAL: Final = Source(
    path=Path("track.flac"),
    size_bytes=0,
    mtime_ns=0,
    version=(0,) * 5,
    lossless=True,
    tags=(),
    codec="flac",
    demuxer="flac",
    rate_hz=mp3.SAMPLE_RATE_HZ,
    bits=16,
    samples=600 * mp3.SAMPLE_RATE_HZ,
)
# How long frames that ffmpeg writes one by one are left to gather, so that one read takes several.
_GATHER_S: Final = 0.002


def prepare(ffmpeg: FFmpeg, quality: QualityLevel) -> None:
    """Do now what the first listener and the first jump ahead would wait for; again does nothing.

    Args:
        ffmpeg: is put on standby, as far as `keep_ready` allows, to play a FLAC file from its start
            and from elsewhere.
        quality: what most listeners will ask for.
    """
    prepare_seeks()
    made = quality if quality in QUALITY_SETTINGS else DEFAULT_QUALITY
    last = mp3.frame_count(_USUAL.samples or 0)
    settings = [QUALITY_SETTINGS[made]]
    start = Piece(_USUAL, 0, last).arguments(settings, ffmpeg.effort, AudioCheck(_USUAL).codec)
    jump = Piece(_USUAL, last - 1, last, is_urgent=True, settles_in=EARLY_FRAMES)
    settling = Settling(bitrate_bps(made))
    for arguments in (jump.arguments(settings, ffmpeg.effort, settling=settling), start):
        make_ready(ffmpeg.path, arguments, outputs=2)
    wait_until_ready()


def encode_together(
    renditions: Sequence[Rendition],
    first: int = 0,
    stop: int | None = None,
    *,
    nice: int = 0,
    on_start: Callable[[FFmpegRun], None] = lambda run: None,
    check: AudioCheck | None = None,
    stretch: Stretch | None = None,
    is_urgent: bool = False,
) -> Generator[tuple[int, bytes]]:
    """Yield (index, bytes) of the frames [first, stop) of several renditions, decoded once.

    Args:
        renditions: of one source; the bytes of each are those of its own `encode`.
        first, stop, nice, on_start: as for `Rendition.encode`.
        check: is told the MD5 of the decoded samples where this decodes all of the source.
        stretch: is given the samples of these frames, which are whole groups, but not all, of FLAC.
        is_urgent: give the bytes of the one rendition a few frames at a time.

    Raises:
        EncodeInterruptedError, EncodeError: as `Rendition.encode`; then none is complete.
    """
    assert all(each.encoder is None for each in renditions)
    whole = renditions[0]
    stop = whole.frames if stop is None else stop
    piece = Piece(whole.source, first, stop, whole.is_best_effort, is_urgent)
    assert stretch is None or not (piece.is_whole or is_urgent or whole.is_best_effort)
    checked = stretch or (check if piece.is_whole else None)
    # Where a source is decoded from its start, to begin anew would cost more than is saved.
    if first > EARLY_FRAMES and (is_urgent or whole.is_seekable) and not whole.is_best_effort:
        # It begins as late as it can, which mostly proves late enough.
        settling = Settling(*(each.bitrate_bps for each in renditions))
        early = replace(piece, settles_in=EARLY_FRAMES)
        with contextlib.suppress(_UnsettledError):
            yield from _encode(early, renditions, nice, on_start, checked, settling)
            return
        # Not often enough for one of its kind to wait in the place of a start's.
        yield from _encode(piece, renditions, nice, on_start, checked, is_hurried=False)
        return
    yield from _encode(piece, renditions, nice, on_start, checked)


class _UnsettledError(Exception):
    """An encoder that began so late might give other bytes than one that began with the track."""


def _encode(
    piece: Piece,
    renditions: Sequence[Rendition],
    nice: int,
    on_start: Callable[[FFmpegRun], None],
    checked: AudioCheck | Stretch | None = None,
    settling: Settling | None = None,
    *,
    is_hurried: bool = True,
) -> Generator[tuple[int, bytes]]:
    """Yield what `encode_together` does, from one ffmpeg.

    Raises:
        _UnsettledError: `settling` could not show that the bytes are right; none was yielded.
    """
    whole = renditions[0]
    bitrates = [each.bitrate_bps for each in renditions]
    skip = [piece.skip_bytes(bitrate) for bitrate in bitrates]
    missing = [piece.want_bytes(bitrate) for bitrate in bitrates]
    settings = [QUALITY_SETTINGS[each.quality] for each in renditions]
    tails = [_Tail(bitrate, is_start=piece.first == 0) for bitrate in bitrates]
    codec = checked.codec if checked is not None else ""
    with FFmpegRun(
        whole.ffmpeg,
        piece.arguments(settings, whole.ffmpeg.effort, codec, settling),
        source=whole.source,
        outputs=len(renditions) + (checked is not None) + (settling is not None),
        wait_limit_s=whole.wait_limit_s,
        nice=nice,
        is_hurried=is_hurried,
    ) as run:
        on_start(run)
        for index, data in _believed(run, len(renditions), checked, settling):
            fresh = data[skip[index] : skip[index] + missing[index]]
            skip[index] = max(0, skip[index] - len(data))
            missing[index] -= len(fresh)
            if ready := tails[index].push(fresh):
                yield index, ready
            if fresh and piece.is_urgent:
                time.sleep(_GATHER_S)
        if piece.is_best_effort:
            run.finish()
        else:
            piece.check(run, missing)
            if checked is not None:
                checked.finish()
        for index, tail in enumerate(tails):
            if tail.held:
                yield index, bytes(tail.held)
        if piece.is_best_effort:
            yield from _fill(renditions, piece.stop, missing)


def _believed(
    run: FFmpegRun, encoders: int, checked: AudioCheck | Stretch | None, settling: Settling | None
) -> Generator[tuple[int, bytes]]:
    """Yield what the encoders of a run give, once they have settled, and tell the check the rest.

    Raises:
        _UnsettledError: it could not be shown; nothing was yielded, and the check was told nothing.
    """
    given = run.read()
    if settling is not None:
        given = chain(_until_settled(given, encoders, settling).items(), given)
    for index, data in given:
        if index < encoders:
            yield index, data
        elif checked is not None and (settling is None or index > encoders):
            checked.update(data)


def _until_settled(
    given: Iterator[tuple[int, bytes]], encoders: int, settling: Settling
) -> dict[int, bytes]:
    """Return what a run gives until its encoders have settled, in one for each output.

    Where it ends before that could be told, somebody has ended it, or its source does: nothing.

    Raises:
        _UnsettledError: it could not be shown.
    """
    outputs: defaultdict[int, bytearray] = defaultdict(bytearray)
    for index, data in given:
        if index != encoders:
            outputs[index] += data
            continue
        settling.update(data)
        if settling.is_settled:
            return {output: bytes(early) for output, early in outputs.items()}
        if settling.is_over:
            raise _UnsettledError
    return {}


class _Tail:
    """The last frames that an encoder gave, held back until more come or the end proves right.

    LAME looks ahead: where its audio ends too early, the last frames are others than they would be
    with what should have followed.
    """

    def __init__(self, bitrate_bps: int, *, is_start: bool) -> None:
        self._hold = mp3.frames_size(bitrate_bps, HELD_FRAMES)
        self._at_once = _AT_ONCE_BYTES if is_start else 0
        self._given = 0
        self.held = bytearray()

    def push(self, data: bytes) -> bytes:
        """Take bytes; return those that may go."""
        self.held += data
        size = self._given + len(self.held)
        if size <= self._at_once:
            # A whole write shows that the encoder goes on.
            ready = size - size % _WRITE_BYTES - self._given
        else:
            ready = max(0, len(self.held) - self._hold)
        fresh = bytes(self.held[:ready])
        del self.held[:ready]
        self._given += ready
        return fresh


def _fill(
    renditions: Sequence[Rendition], stop: int, missing: Sequence[int]
) -> Generator[tuple[int, bytes]]:
    """Yield silence where no decoder came to the end: after some damage a format is lost."""
    for index, rendition in enumerate(renditions):
        bitrate = rendition.bitrate_bps
        end = mp3.frames_size(bitrate, stop)
        for start in range(end - missing[index], end, _SILENCE_AT_ONCE):
            yield index, mp3.silence(bitrate, start, min(end, start + _SILENCE_AT_ONCE))
