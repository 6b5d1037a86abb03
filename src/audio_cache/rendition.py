"""A rendition: the MP3 that a source has at a quality, known to the byte before it is encoded."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from . import id3, mp3
from .decoding import count_samples, input_arguments, stops_at_errors
from .errors import EncodeError
from .ffmpeg import FFmpeg, Report, Run
from .identity import LAYOUT_VERSION, Identity, quote_path
from .quality import QualityLevel, bitrate_bps
from .source import Source

# LAME looks ahead, so the last frames of a piece differ unless two more follow them.
_LOOKAHEAD_FRAMES: Final = 2
# Covers the resampler's rounding: up to 39 samples of what is shorter than its filter, else one.
_PAD_SAMPLES: Final = 64
# ffmpeg seeks these to the very sample.
_SEEKABLE: Final = frozenset({"flac", "wav", "aiff", "mov", "ape", "wv", "tta", "dsf", "iff"})


@dataclass(frozen=True)
class Rendition:
    """One source at one quality: its length, its validators, and any of its bytes.

    `timeout_s` bounds the time spent waiting for ffmpeg in one encode; 0 derives the bound from
    the duration.
    """

    source: Source
    quality: QualityLevel
    ffmpeg: FFmpeg
    samples: int
    timeout_s: float = 0.0

    @cached_property
    def bitrate_bps(self) -> int:
        """Return the bitrate in bit/s."""
        return bitrate_bps(self.quality)

    @cached_property
    def frames(self) -> int:
        """Return the number of audio frames, the Info frame not counted."""
        return mp3.frame_count(self.samples)

    @cached_property
    def identity(self) -> Identity:
        """Return what the private frame says of this rendition."""
        return Identity(
            layout=LAYOUT_VERSION,
            quality=self.quality,
            frames=self.frames,
            samples=self.samples,
            size_bytes=self.source.size_bytes,
            mtime_ns=self.source.mtime_ns,
            fingerprint=self.source.fingerprint,
            encoder=self.ffmpeg.identity,
            path=quote_path(self.source.path),
        )

    @cached_property
    def header(self) -> bytes:
        """Return what stands before the audio frames: the ID3v2.3 tag and the Info frame."""
        tag = id3.tag(self.source.tags, self.identity.payload())
        return tag + mp3.info_frame(self.bitrate_bps, self.samples)

    @cached_property
    def etag(self) -> str:
        """Return the strong entity tag, unquoted; see `header_etag`."""
        return header_etag(self.header)

    @property
    def mtime_s(self) -> float:
        """Return when the source was last modified, as Last-Modified tells it."""
        return self.source.mtime_ns / 1e9

    @cached_property
    def length(self) -> int:
        """Return the exact size of the file in bytes."""
        return self.offset_of(self.frames)

    @cached_property
    def duration_s(self) -> float:
        """Return the length of the audio in seconds."""
        return self.samples / mp3.SAMPLE_RATE_HZ

    def offset_of(self, frame: int) -> int:
        """Return the offset in the file of an audio frame's first byte."""
        return len(self.header) + mp3.frames_size(self.bitrate_bps, frame)

    def frame_holding(self, offset: int) -> int:
        """Return the audio frame that holds the byte at an offset behind the header."""
        return min(mp3.frame_at(self.bitrate_bps, offset - len(self.header)), self.frames - 1)

    @property
    def is_seekable(self) -> bool:
        """Say whether its groups can be decoded on their own, without all that is before them."""
        # A group lasts 32/25 s: only at rates divisible by 25 does it start on a source sample.
        return self.source.demuxer in _SEEKABLE and self.source.rate_hz % 25 == 0

    @property
    def wait_limit_s(self) -> float:
        """Return the seconds that one encode may spend waiting for ffmpeg."""
        return self.timeout_s or 60.0 + self.source.duration_s

    def encode(
        self,
        first: int = 0,
        stop: int | None = None,
        *,
        nice: int = 0,
        on_start: Callable[[Run], None] = lambda run: None,
    ) -> Generator[bytes]:
        """Yield the bytes of the audio frames [first, stop) exactly as they stand in the file.

        Args:
            first: first frame; any, but a multiple of 49 wastes nothing.
            stop: frame behind the last; None is the end.
            nice: CPU niceness of the encoder.
            on_start: is given the ffmpeg as soon as it runs, for others to end it.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            EncodeError: the source does not decode cleanly to its stated length, or ffmpeg fails.
        """
        chunks = encode_together([self], first, stop, nice=nice, on_start=on_start)
        with contextlib.closing(chunks):
            for _, data in chunks:
                yield data

    def read(
        self, start: int, stop: int, *, on_start: Callable[[Run], None] = lambda run: None
    ) -> Generator[bytes]:
        """Yield the bytes [start, stop) of the file, encoding no more than the groups they lie in.

        Raises:
            EncodeInterruptedError, EncodeError: as `encode` does.
        """
        if start < len(self.header):
            yield self.header[start:stop]
            start = len(self.header)
        if start >= stop:
            return
        first = mp3.group_start(self.frame_holding(start))
        skip = start - self.offset_of(first)
        missing = stop - start
        for data in self.encode(first, self.frame_holding(stop - 1) + 1, on_start=on_start):
            fresh = data[skip : skip + missing]
            skip = max(0, skip - len(data))
            missing -= len(fresh)
            if fresh:
                yield fresh


def make_rendition(
    source: Source, quality: QualityLevel, ffmpeg: FFmpeg, *, timeout_s: float = 0.0
) -> Rendition:
    """Return the rendition of a source; errors as `with_samples`."""
    source = with_samples(source, ffmpeg)
    samples = mp3.output_samples(source.samples or 0, source.rate_hz)
    return Rendition(source, quality, ffmpeg, samples, timeout_s)


def with_samples(source: Source, ffmpeg: FFmpeg) -> Source:
    """Return a source whose sample count is sure: where it is doubtful, decode once to count.

    Raises:
        EncodeError: the source is no audio that can be decoded, or holds none.
    """
    if source.samples is None or not source.rate_hz:
        source = replace(source, samples=_count(source, ffmpeg))
    if not source.rate_hz:
        raise EncodeError(f"{name_of(source)} is audio of a format that is not supported")
    if not source.samples:
        raise EncodeError(f"{name_of(source)} holds no audio")
    return source


def _count(source: Source, ffmpeg: FFmpeg) -> int:
    try:
        return count_samples(ffmpeg, source)
    except EncodeError as error:
        if source.codec != "unknown":
            raise
        # What ffmpeg says of a file that it does not recognise helps nobody.
        what = "no audio file, whatever its name says" if source.size_bytes else "an empty file"
        reason = f"{name_of(source)} is {what}"
        raise EncodeError(reason, returncode=error.returncode, cmd=error.cmd) from error


def encode_together(
    renditions: Sequence[Rendition],
    first: int = 0,
    stop: int | None = None,
    *,
    nice: int = 0,
    on_start: Callable[[Run], None] = lambda run: None,
) -> Generator[tuple[int, bytes]]:
    """Yield (index, bytes) of the frames [first, stop) of several renditions, decoded once.

    Args:
        renditions: of one source; the bytes of each are those of its own `encode`.
        first, stop, nice, on_start: as for `Rendition.encode`.

    Raises:
        EncodeInterruptedError, EncodeError: as `Rendition.encode` does; then none is complete.
    """
    whole = renditions[0]
    stop = whole.frames if stop is None else stop
    pieces = [_Piece.of(each, first, stop) for each in renditions]
    outputs = [_output(each, piece) for each, piece in zip(renditions, pieces, strict=True)]
    skip = [piece.skip_bytes for piece in pieces]
    missing = [piece.want_bytes for piece in pieces]
    arguments = [
        *_input(whole.source, pieces[0]),
        *itertools.chain.from_iterable(outputs),
        *_counter(whole.source, pieces[0]),
    ]
    with Run(
        whole.ffmpeg,
        arguments,
        outputs=len(renditions),
        wait_limit_s=whole.wait_limit_s,
        nice=nice,
    ) as run:
        on_start(run)
        for index, data in run.read():
            fresh = data[skip[index] : skip[index] + missing[index]]
            skip[index] = max(0, skip[index] - len(data))
            missing[index] -= len(fresh)
            if fresh:
                yield index, fresh
            if stop < whole.frames and not any(missing):
                return
        _check(whole.source, pieces[0], run, missing)


def header_etag(header: bytes) -> str:
    """Return the entity tag of a rendition, from its header.

    The header holds fingerprint, tags, quality, layout version and encoder, so the tag changes when
    any of them does, and is the same before, while and after the file exists.
    """
    return hashlib.sha256(header).hexdigest()[:32]


def name_of(source: Source) -> str:
    """Return a source's name as messages show it."""
    return repr(os.fspath(source.path))


@dataclass(frozen=True, slots=True)
class _Piece:
    """The plan for frames [first, stop): what to decode, and which of the encoded bytes to keep.

    Encoding starts one group early, so that the encoder has settled; `warm` is that frame, where
    decoding starts too if the source `seeks`. `is_last` says that nothing is behind the piece.
    """

    warm: int
    end_sample: int
    skip_bytes: int
    want_bytes: int
    seeks: bool
    is_last: bool

    @staticmethod
    def of(rendition: Rendition, first: int, stop: int) -> _Piece:
        warm = max(0, mp3.group_start(first) - mp3.GROUP_FRAMES)
        end = min(rendition.samples, (stop + _LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES)
        start_byte = mp3.frames_size(rendition.bitrate_bps, first)
        return _Piece(
            warm=warm,
            end_sample=end,
            skip_bytes=start_byte - mp3.frames_size(rendition.bitrate_bps, warm),
            want_bytes=mp3.frames_size(rendition.bitrate_bps, stop) - start_byte,
            seeks=rendition.is_seekable,
            is_last=stop == rendition.frames,
        )

    @property
    def start_sample(self) -> int:
        return self.warm * mp3.FRAME_SAMPLES

    @property
    def is_tail(self) -> bool:
        return self.is_last and self.seeks and self.warm > 0

    def start_in(self, source: Source) -> int:
        """Return the sample of the source, which `seeks`, at which the piece starts."""
        return self.start_sample * source.rate_hz // mp3.SAMPLE_RATE_HZ


def _input(source: Source, piece: _Piece) -> list[str]:
    microseconds = piece.start_sample * 1_000_000 // mp3.SAMPLE_RATE_HZ
    return input_arguments(source, start_us=microseconds if piece.seeks else 0)


def _output(rendition: Rendition, piece: _Piece) -> list[str]:
    resample = f"aresample={mp3.SAMPLE_RATE_HZ},apad=pad_len={_PAD_SAMPLES}"
    if piece.seeks or not piece.warm:
        trim = f"atrim=end_sample={piece.end_sample - piece.start_sample}"
    else:
        trim = (
            f"atrim=start_sample={piece.start_sample}:end_sample={piece.end_sample},"
            "asetpts=PTS-STARTPTS"
        )
    return [
        *("-map", "0:a:0", "-vn", "-af", f"{resample},{trim}", "-ac", "2"),
        *("-c:a", "libmp3lame", "-b:a", str(rendition.bitrate_bps), "-reservoir", "0"),
        # Written in pieces of 32 KiB: each frame on its own would take a twelfth of our time.
        *("-write_xing", "0", "-id3v2_version", "0", "-map_metadata", "-1", "-flush_packets", "0"),
        *("-f", "mp3", "{out}"),
    ]


def _counter(source: Source, piece: _Piece) -> list[str]:
    """Return an output that goes nowhere and counts the source's samples from the piece's start.

    The padded and resampled audio would not tell that a few are missing or too many.
    """
    if not piece.is_tail:
        return []
    trim = f"atrim=end_sample={(source.samples or 0) - piece.start_in(source) + 1}"
    return ["-map", "0:a:0", "-vn", "-af", trim, "-c:a", "pcm_s16le", "-f", "null", "-"]


def _check(source: Source, piece: _Piece, run: Run, missing: Sequence[int]) -> None:
    """Hold a finished encode against what the source promised."""
    report = run.finish()
    name, stated = name_of(source), source.samples or 0
    found = _found_samples(source, piece, report)
    encoded = report.encoded_samples[: len(missing)]
    reason = None
    if report.returncode != 0 or (report.decode_errors and stops_at_errors(source)):
        at = (report.decoded_samples or 0) + (piece.start_in(source) if piece.seeks else 0)
        reason = f"{name} cannot be decoded" + (f" at {at / source.rate_hz:.1f} s" if at else "")
    elif found is not None and found > stated:
        reason = f"{name} holds more than the {stated:,} samples that it states"
    elif (
        any(missing)
        or any(count != piece.end_sample - piece.start_sample for count in encoded)
        or (found is not None and found < stated)
    ):
        of = f": {found:,} of {stated:,} samples" if found is not None else ""
        reason = f"{name} ends before its stated length of {source.duration_s:.3f} s{of}"
    if reason is not None:
        raise EncodeError(
            reason, returncode=report.returncode, cmd=run.command, stderr=report.stderr
        )


def _found_samples(source: Source, piece: _Piece, report: Report) -> int | None:
    """Return how many samples the source turned out to have; None where that was not seen."""
    if piece.is_tail:
        counted = report.encoded_samples[-1:]
        return piece.start_in(source) + counted[0] if counted else None
    return report.decoded_samples if piece.is_last else None
