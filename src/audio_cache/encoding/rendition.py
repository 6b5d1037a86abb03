"""A rendition: the MP3 that a source has at a quality, known to the byte before it is encoded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ..errors import EncodeError
from ..quality import QUALITY_SETTINGS, QualityLevel, bitrate_bps
from ..sources.source import Source
from . import mp3
from .ffmpeg import FFmpeg, FFmpegRun
from .ffmpeg_options import Piece, can_seek, count_samples, name_of

LAYOUT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """The source and the encoder of one rendition.

    `path` is percent-encoded, since names are bytes that may not be text. `frames` is the number
    of audio frames, from which the file's exact size follows; `samples` is per channel at 44.1 kHz.
    """

    layout: int
    quality: str
    frames: int
    samples: int
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    encoder: str
    path: str

    @property
    def source_path(self) -> Path:
        """Return the path of the source as it was when the rendition was made."""
        return Path(os.fsdecode(unquote_to_bytes(self.path)))

    def same_audio(self, other: Identity) -> bool:
        """Say whether the audio frames of both are certainly the same, whatever the path and tags.

        Only FLAC's own checksum covers every sample; the other fingerprints look at some blocks.
        """
        proven = self.fingerprint.startswith("flac-md5:")
        return proven and (
            self.layout,
            self.quality,
            self.frames,
            self.samples,
            self.fingerprint,
            self.encoder,
        ) == (
            other.layout,
            other.quality,
            other.frames,
            other.samples,
            other.fingerprint,
            other.encoder,
        )

    def payload(self) -> bytes:
        """Return the identity as it stands in the private frame: JSON in ASCII."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii")


def quote_path(path: Path) -> str:
    """Return a path percent-encoded, whatever bytes it is made of."""
    return quote_from_bytes(os.fsencode(path))


_values_of: Final = operator.attrgetter(*(field.name for field in fields(Identity)))
_KINDS: Final = tuple({"int": int, "str": str}[str(field.type)] for field in fields(Identity))


def parse_identity(payload: bytes) -> Identity | None:
    """Return the identity in a payload; None if it isn't one of this layout version."""
    try:
        identity = Identity(**json.loads(payload))
    except (ValueError, TypeError, RecursionError):
        return None
    if identity.layout != LAYOUT_VERSION:
        return None
    whole = tuple(map(type, _values_of(identity))) == _KINDS
    known = whole and identity.quality in QUALITY_SETTINGS and identity.frames > 0
    return identity if known else None


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
        """Return what precedes the audio frames: the ID3v2.3 tag and the Info frame."""
        tag = mp3.id3_tag(self.source.tags, self.identity.payload())
        return tag + mp3.info_frame(self.bitrate_bps, self.samples)

    @cached_property
    def etag(self) -> str:
        """Return the strong entity tag, unquoted; see `header_etag`."""
        return header_etag(self.header)

    @property
    def mtime_s(self) -> float:
        """Return when the source was last modified, for Last-Modified."""
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
        """Return the audio frame that holds the byte at an offset after the header."""
        return min(mp3.frame_at(self.bitrate_bps, offset - len(self.header)), self.frames - 1)

    @property
    def is_seekable(self) -> bool:
        """Say whether its groups can be decoded on their own, without those before them."""
        return can_seek(self.source)

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
        on_start: Callable[[FFmpegRun], None] = lambda run: None,
    ) -> Generator[bytes]:
        """Yield the bytes of the audio frames [first, stop) exactly as they stand in the file.

        Args:
            first: first frame; any, but a multiple of 49 wastes nothing.
            stop: frame after the last; None means the end.
            nice: CPU niceness of the encoder.
            on_start: called with the ffmpeg as soon as it runs, so that others can end it.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            EncodeError: the source does not decode cleanly to its stated length, or ffmpeg fails.
        """
        chunks = encode_together([self], first, stop, nice=nice, on_start=on_start)
        with contextlib.closing(chunks):
            for _, data in chunks:
                yield data

    def read(
        self, start: int, stop: int, *, on_start: Callable[[FFmpegRun], None] = lambda run: None
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


def audio_size(samples: int, rate_hz: int, quality: QualityLevel) -> int:
    """Return the bytes of a rendition after its ID3 tag, from its source's length alone.

    Args:
        samples: of the source, per channel.
        rate_hz: the source's sample rate.
        quality: an encoded quality.
    """
    frames = mp3.frame_count(mp3.output_samples(samples, rate_hz))
    bitrate = bitrate_bps(quality)
    return mp3.info_size(bitrate) + mp3.frames_size(bitrate, frames)


def with_samples(source: Source, ffmpeg: FFmpeg) -> Source:
    """Return a source with a reliable sample count: if it is doubtful, decode once to count.

    Raises:
        EncodeError: the source can't be decoded, or holds no audio.
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
        if source.codec != "unknown" or error.returncode < 0:
            raise
        # What ffmpeg says about a file that it doesn't recognise helps nobody.
        what = "not an audio file, whatever its name says" if source.size_bytes else "an empty file"
        reason = f"{name_of(source)} is {what}"
        raise EncodeError(reason, cmd=error.cmd) from error


def encode_together(
    renditions: Sequence[Rendition],
    first: int = 0,
    stop: int | None = None,
    *,
    nice: int = 0,
    on_start: Callable[[FFmpegRun], None] = lambda run: None,
) -> Generator[tuple[int, bytes]]:
    """Yield (index, bytes) of the frames [first, stop) of several renditions, decoded once.

    Args:
        renditions: of one source; the bytes of each are those of its own `encode`.
        first, stop, nice, on_start: as for `Rendition.encode`.

    Raises:
        EncodeInterruptedError, EncodeError: as `Rendition.encode`; then none is complete.
    """
    whole = renditions[0]
    stop = whole.frames if stop is None else stop
    piece = Piece(whole.source, first, stop)
    bitrates = [each.bitrate_bps for each in renditions]
    skip = [piece.skip_bytes(bitrate) for bitrate in bitrates]
    missing = [piece.want_bytes(bitrate) for bitrate in bitrates]
    with FFmpegRun(
        whole.ffmpeg,
        piece.arguments([QUALITY_SETTINGS[each.quality] for each in renditions]),
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
            if not piece.is_last and not any(missing):
                return
        piece.check(run, missing)


def header_etag(header: bytes) -> str:
    """Return the entity tag of a rendition, from its header.

    The header holds fingerprint, tags, quality, layout version and encoder, so the tag changes when
    any of them does, and is the same before, while and after the file exists.
    """
    return hashlib.sha256(header).hexdigest()[:32]
