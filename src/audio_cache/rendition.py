"""A rendition: the MP3 that a source has at a quality, known to the byte before it is encoded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from . import id3, mp3
from .errors import EncodeError
from .ffmpeg import INPUT_LIMITS, FFmpeg, Report, Run, count_samples
from .identity import LAYOUT_VERSION, Identity, quote_path
from .quality import QualityLevel, bitrate_bps
from .source import Source

# LAME looks ahead, so the last frames of a piece differ unless two more follow them.
_LOOKAHEAD_FRAMES: Final = 2
# Covers the resampler's rounding and no more: a source that ends early must come out short.
_PAD_SAMPLES: Final = 64
# ffmpeg seeks these to the very sample; DSD keeps its filter's history and is read from the start.
_SEEKABLE: Final = frozenset({"flac", "wav", "aiff", "mov", "ape", "wv", "tta"})


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
        stop = self.frames if stop is None else stop
        piece = _Piece.of(self, first, stop)
        missing, skip = piece.want_bytes, piece.skip_bytes
        arguments = [*_input(self.source, piece), *_output(self, piece)]
        with self._run(arguments, nice=nice) as run:
            on_start(run)
            for _, data in run.read():
                fresh = data[skip : skip + missing]
                skip = max(0, skip - len(data))
                missing -= len(fresh)
                if fresh:
                    yield fresh
                if not missing and stop < self.frames:
                    return
            _check(self, piece, run, run.finish(), missing)

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

    def _run(self, arguments: Sequence[str], *, nice: int, outputs: int = 1) -> Run:
        return Run(
            self.ffmpeg, arguments, outputs=outputs, wait_limit_s=self.wait_limit_s, nice=nice
        )


def make_rendition(
    source: Source, quality: QualityLevel, ffmpeg: FFmpeg, *, timeout_s: float = 0.0
) -> Rendition:
    """Return the rendition of a source; where its sample count is doubtful, decode once to count.

    Raises:
        EncodeError: the source is no audio that can be decoded, or holds none.
    """
    if source.samples is None or not source.rate_hz:
        counted = count_samples(ffmpeg, source.path, demuxer=source.demuxer)
        source = replace(source, samples=counted)
    if not source.rate_hz:
        raise EncodeError(f"{name_of(source)} is audio of a format that is not supported")
    if not source.samples:
        raise EncodeError(f"{name_of(source)} holds no audio")
    samples = mp3.output_samples(source.samples, source.rate_hz)
    return Rendition(source, quality, ffmpeg, samples, timeout_s)


def encode_together(
    renditions: Sequence[Rendition], *, nice: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Yield (index, bytes) of several whole renditions of one source, decoded once.

    The bytes of each are those of `encode()`, without the header.

    Raises:
        EncodeError: as `Rendition.encode` does; then none of them is complete.
    """
    first = renditions[0]
    pieces = [_Piece.of(each, 0, each.frames) for each in renditions]
    arguments = [
        *_input(first.source, pieces[0]),
    ]
    for each, piece in zip(renditions, pieces, strict=True):
        arguments += _output(each, piece)
    missing = [piece.want_bytes for piece in pieces]
    with first._run(arguments, nice=nice, outputs=len(renditions)) as run:
        for index, data in run.read():
            fresh = data[: missing[index]]
            missing[index] -= len(fresh)
            yield index, fresh
        report = run.finish()
        for each, piece, short in zip(renditions, pieces, missing, strict=True):
            _check(each, piece, run, report, short)


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

    Encoding starts one group early, so that the encoder has settled; `warm` is that frame.
    """

    warm: int
    end_sample: int
    skip_bytes: int
    want_bytes: int
    seeks: bool

    @staticmethod
    def of(rendition: Rendition, first: int, stop: int) -> _Piece:
        warm = max(0, mp3.group_start(first) - mp3.GROUP_FRAMES)
        end = min(rendition.samples, (stop + _LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES)
        source = rendition.source
        # A group lasts 32/25 s: only at rates divisible by 25 does it start on a source sample.
        seeks = source.demuxer in _SEEKABLE and source.rate_hz % 25 == 0
        start_byte = mp3.frames_size(rendition.bitrate_bps, first)
        return _Piece(
            warm=warm,
            end_sample=end,
            skip_bytes=start_byte - mp3.frames_size(rendition.bitrate_bps, warm),
            want_bytes=mp3.frames_size(rendition.bitrate_bps, stop) - start_byte,
            seeks=seeks,
        )

    @property
    def start_sample(self) -> int:
        return self.warm * mp3.FRAME_SAMPLES


def _input(source: Source, piece: _Piece) -> list[str]:
    microseconds = piece.start_sample * 1_000_000 // mp3.SAMPLE_RATE_HZ
    seek = ["-ss", f"{microseconds}us"] if piece.warm and piece.seeks else []
    form = ["-f", source.demuxer] if source.demuxer else []
    # Only where ffmpeg's own choice would decode wrongly: 24 bits in 32-bit extensible WAV.
    decoder = ["-c:a", source.decoder] if source.decoder else []
    return [
        *("-xerror", "-threads", "1", *INPUT_LIMITS, *form, *decoder, *seek),
        *("-i", f"file:{os.fspath(source.path)}"),
    ]


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
        *("-write_xing", "0", "-id3v2_version", "0", "-map_metadata", "-1", "-f", "mp3", "{out}"),
    ]


def _check(rendition: Rendition, piece: _Piece, run: Run, report: Report, missing: int) -> None:
    """Hold a finished encode against what the source promised."""
    source = rendition.source
    stated = source.samples or 0
    expected = piece.end_sample - piece.start_sample
    short = missing or any(count != expected for count in report.encoded_samples)
    decoded = report.decoded_samples
    if not piece.warm and decoded is not None:
        short = short or decoded < stated
    reason = None
    if report.returncode != 0 or report.decode_errors:
        at = f" at {decoded / source.rate_hz:.1f} s" if decoded and not piece.warm else ""
        reason = f"{name_of(source)} cannot be decoded{at}"
    elif short:
        found = f": {decoded:,} of {stated:,} samples" if decoded and not piece.warm else ""
        length = f"its stated length of {source.duration_s:.3f} s"
        reason = f"{name_of(source)} ends before {length}{found}"
    elif not piece.warm and piece.end_sample == rendition.samples and (decoded or 0) > stated:
        reason = f"{name_of(source)} holds more than the {stated:,} samples that it states"
    if reason is not None:
        raise EncodeError(
            reason, returncode=report.returncode, cmd=run.command, stderr=report.stderr
        )
