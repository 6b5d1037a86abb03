"""A rendition: the MP3 that a source has at a quality, known to the byte before it is encoded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import re
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Final

from ..errors import EncodeError
from ..quality import QUALITY_SETTINGS, QualityLevel, bitrate_bps
from ..sources.source import Source
from ..text import bytes_in_words, seconds_in_words
from . import mp3
from .cut import can_seek
from .ffmpeg import FFmpeg, FFmpegRun
from .ffmpeg_options import AudioCheck, name_of
from .survey import count_samples
from .together import HELD_FRAMES, encode_together

LAYOUT_VERSION: Final = 2
_KEY_DIGITS: Final = 24
# Up to so long a source may be as small as it likes. Beyond, digital silence takes some 130 bytes a
# second in FLAC as ffmpeg makes it, 27 in the emptiest FLAC of `flac` at 8 kHz, more elsewhere.
_ALWAYS_S: Final = 3600.0
_LEAST_BYTES_PER_S: Final = 16
RENDITION_ID: Final = re.compile(rf"[0-9a-f]{{{2 * _KEY_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the private frame of a rendition says of its bytes, and nothing of where they were made.

    `frames` is the number of audio frames, from which the file's exact size follows; `samples` is
    per channel at 44.1 kHz.
    """

    layout: int
    quality: str
    bitrate: str
    frames: int
    samples: int
    encoder: str

    def payload(self) -> bytes:
        """Return the identity as it stands in the private frame: JSON in ASCII."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii")


def audio_key(audio: str) -> str:
    """Return what the ids of all renditions of the same audio begin with."""
    return hashlib.sha256(audio.encode()).hexdigest()[:_KEY_DIGITS]


def rendition_id(audio: str, header: bytes) -> str:
    """Return the id of a rendition: the same for the same bytes, wherever they are made.

    The header holds tags, quality, frames, layout version and encoder, so the id depends on them
    and on the audio. Its first half depends on the audio alone: what was made of the same audio is
    found by name, which is how a changed tag costs no encode.
    """
    digest = hashlib.sha256(audio.encode() + b"\0" + header).hexdigest()
    return audio_key(audio) + digest[:_KEY_DIGITS]


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


Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rendition:
    """One source at one quality: its length, its validators, and any of its bytes.

    `tags` are those that travel with it. `timeout_s` bounds the time spent waiting for ffmpeg in
    one encode; 0 derives the bound from the duration. One of `is_best_effort`, of a damaged source,
    has the same length, and silence for what cannot be decoded; it is never stored. `encoder` is
    who has made it, where that was not `ffmpeg`: then it cannot be encoded.
    """

    source: Source
    quality: QualityLevel
    ffmpeg: FFmpeg
    samples: int
    tags: Tags = ()
    timeout_s: float = 0.0
    is_best_effort: bool = False
    encoder: str | None = None

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
        setting = QUALITY_SETTINGS[self.quality]
        return Identity(
            layout=LAYOUT_VERSION,
            quality=self.quality,
            bitrate=setting["bitrate"],
            frames=self.frames,
            samples=self.samples,
            encoder=self.ffmpeg.encoder(setting) if self.encoder is None else self.encoder,
        )

    @cached_property
    def header(self) -> bytes:
        """Return what stands before the audio frames: the ID3v2.3 tag and the Info frame."""
        tag = mp3.id3_tag(self.tags, self.identity.payload())
        return tag + mp3.info_frame(self.bitrate_bps, self.samples)

    @cached_property
    def id(self) -> str:
        """Return the rendition's id, if the identity of its audio is known; see `rendition_id`."""
        return rendition_id(self.source.audio, self.header)

    @cached_property
    def token(self) -> str:
        """Return what tells this rendition, of this version of the source, from any other.

        It is known at once, where an id may need all of the source to be read. What a source
        states of its audio is no part of it: that is proved only once all of it was decoded.
        """
        of = repr(self.source.version).encode() + b" best effort" * self.is_best_effort
        return hashlib.sha256(of + b"\0" + self.header).hexdigest()[:_KEY_DIGITS]

    @property
    def etag(self) -> str:
        """Return the strong entity tag, unquoted: the id, or the token while that is not known."""
        return self.id if self.source.audio else self.token

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

    def offset_at(self, second: float) -> int:
        """Return the offset of the frame that is heard at a second; of the last one beyond the end.

        Each frame decodes without those before it, as none borrows bits of another.
        """
        sample = min(int(second * mp3.SAMPLE_RATE_HZ), self.samples)
        return self.offset_of(min(mp3.frame_heard_at(sample), self.frames - 1))

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
        check: AudioCheck | None = None,
        is_urgent: bool = False,
    ) -> Generator[bytes]:
        """Yield the bytes of the audio frames [first, stop) exactly as they stand in the file.

        Args:
            first: first frame.
            stop: frame after the last; None means the end.
            nice: CPU niceness of the encoder.
            on_start: is given each ffmpeg as soon as it runs, for others to end it.
            check, is_urgent: as for `encode_together`.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            EncodeError: the source does not decode cleanly to its stated length, or ffmpeg fails.
        """
        chunks = encode_together(
            [self], first, stop, nice=nice, on_start=on_start, check=check, is_urgent=is_urgent
        )
        with contextlib.closing(chunks):
            for _, data in chunks:
                yield data

    def read(
        self, start: int, stop: int, *, on_start: Callable[[FFmpegRun], None] = lambda run: None
    ) -> Generator[bytes]:
        """Yield the bytes [start, stop) of the file, the first of them as soon as can be.

        Raises:
            EncodeInterruptedError, EncodeError: as `encode` does.
        """
        if start < len(self.header):
            yield self.header[start:stop]
            start = len(self.header)
        if start >= stop:
            return
        first, last = self.frame_holding(start), self.frame_holding(stop - 1)
        # Once a few more frames came nobody has to wait for the end of ffmpeg.
        beyond = min(last + 1 + HELD_FRAMES + 1, self.frames)
        skip = start - self.offset_of(first)
        missing = stop - start
        pieces = self.encode(first, beyond, on_start=on_start, is_urgent=True)
        with contextlib.closing(pieces):
            for data in pieces:
                fresh = data[skip : skip + missing]
                skip = max(0, skip - len(data))
                missing -= len(fresh)
                if fresh:
                    yield fresh
                if not missing:
                    return


def make_rendition(
    source: Source,
    quality: QualityLevel,
    ffmpeg: FFmpeg,
    *,
    tags: Tags | None = None,
    timeout_s: float = 0.0,
) -> Rendition:
    """Return the rendition of a source.

    Args:
        tags: those that travel with it; all of the source's by default.

    Raises:
        EncodeError: as `with_samples`, or it is longer than an MP3 can be.
    """
    source = with_samples(source, ffmpeg)
    samples = mp3.output_samples(source.samples or 0, source.rate_hz)
    require_encodable(source, quality)
    tags = source.tags if tags is None else tags
    return Rendition(source, quality, ffmpeg, samples, tags, timeout_s)


def audio_size(samples: int, rate_hz: int, quality: QualityLevel) -> int:
    """Return the bytes of a rendition after its ID3 tag, from its source's length alone.

    Args:
        samples: of the source, per channel.
        rate_hz: the source's sample rate.
        quality: an encoded quality.
    """
    return mp3.audio_size(bitrate_bps(quality), mp3.output_samples(samples, rate_hz))


def is_encodable(samples: int, rate_hz: int, size_bytes: int, quality: QualityLevel) -> bool:
    """Say whether a source of so many samples, in a file of that size, is encoded at a quality."""
    out_samples = mp3.output_samples(samples, rate_hz)
    is_holdable = mp3.audio_size(bitrate_bps(quality), out_samples) <= mp3.MAX_AUDIO_BYTES
    return is_holdable and samples / rate_hz <= _longest_s(size_bytes)


def _longest_s(size_bytes: int) -> float:
    return max(_ALWAYS_S, size_bytes / _LEAST_BYTES_PER_S)


def require_plausible(source: Source) -> None:
    """Raise EncodeError where a source states a length that no real file of its size has."""
    longest_s = _longest_s(source.size_bytes)
    if source.duration_s > longest_s:
        raise EncodeError(
            f"{name_of(source)} states a length of {seconds_in_words(source.duration_s)}, and of "
            f"its {bytes_in_words(source.size_bytes)} no more than {seconds_in_words(longest_s)} "
            "are believed: it is played as it is. If it is right, convert it to WAV"
        )


def require_encodable(source: Source, quality: QualityLevel) -> None:
    """Raise EncodeError where a source of known length is not encoded at a quality.

    Its length is not believed, or its MP3 is longer than the header of an MP3 can say.
    """
    require_plausible(source)
    samples = mp3.output_samples(source.samples or 0, source.rate_hz)
    bitrate = bitrate_bps(quality)
    size_bytes = mp3.audio_size(bitrate, samples)
    if size_bytes > mp3.MAX_AUDIO_BYTES:
        longest_s = mp3.MAX_AUDIO_BYTES * 8 / bitrate
        raise EncodeError(
            f"{name_of(source)} lasts {seconds_in_words(samples / mp3.SAMPLE_RATE_HZ)}, and an MP3 "
            f"of quality {quality} at most {seconds_in_words(longest_s)}: it is played as it is. "
            "Choose a lower quality, or split it"
        )


def with_samples(source: Source, ffmpeg: FFmpeg) -> Source:
    """Return a source with a reliable sample count: if it is doubtful, decode once to count.

    Raises:
        EncodeError: the source can't be decoded, holds no audio, or is too small for its length.
    """
    if source.samples is None or not source.rate_hz:
        source = replace(source, samples=_count(source, ffmpeg))
    if not source.rate_hz:
        raise EncodeError(f"{name_of(source)} is audio of a format that is not supported")
    if not source.samples:
        raise EncodeError(f"{name_of(source)} holds no audio")
    require_plausible(source)
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
