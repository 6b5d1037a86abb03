"""A medley: several sources one behind the other as one MP3 of a length that is known at once.

It is encoded as one stream of samples. To string renditions together instead would leave silence at
each joint, 26 to 52 ms long: each begins with the encoder's delay and ends with its padding.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..errors import DamagedSourceError, EncodeError
from ..quality import QUALITY_SETTINGS, QualityLevel, bitrate_bps
from ..text import bytes_in_words
from . import mp3
from .cut import can_seek, cut_of
from .ffmpeg import FFmpegRun, Report
from .ffmpeg_options import (
    AT_FIRST_ERROR,
    LOOKAHEAD_FRAMES,
    encoder_arguments,
    input_arguments,
    name_of,
    resampled,
    stops_at_errors,
)
from .launch import INPUT, input_word
from .rendition import Rendition
from .settling import SETTLING_FRAMES

_VERSION: Final = 1
_GROUP_SAMPLES: Final = mp3.GROUP_FRAMES * mp3.FRAME_SAMPLES
# What one ffmpeg gives is held in memory, so it encodes some 80 s of music at most. The first is
# short, for who waits, and each has twice as much as the one before: each costs a start.
_FIRST_PIECE_FRAMES: Final = 4 * mp3.GROUP_FRAMES
_PIECE_FRAMES: Final = 64 * mp3.GROUP_FRAMES
# All files of a piece are open at once. Only sounds of a blink would be more.
_MOST_SOURCES: Final = 200
# What LAME is given: all tracks have to agree, and it takes floats as they are.
_AS_ENCODED: Final = "aformat=sample_fmts=s16p|s32p|fltp:channel_layouts=stereo"
_AS_ONE: Final = f"aresample={mp3.SAMPLE_RATE_HZ},aformat=sample_fmts=fltp"


@dataclass(frozen=True)
class Medley:
    """Sources one behind the other at one quality: the length, and any of the bytes.

    Each takes as many samples as its rendition has, and none are between them. The bytes are the
    Info frame and the audio frames; a tag in front is for whoever makes one.

    Args:
        renditions: what the sources are at that quality, in order; with `ids`, if that is known.
    """

    renditions: tuple[Rendition, ...]

    @cached_property
    def quality(self) -> QualityLevel:
        """Return the quality of all."""
        return self.renditions[0].quality

    @cached_property
    def _bitrate_bps(self) -> int:
        return bitrate_bps(self.quality)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Return the sample at which each source begins, and behind them the number of all."""
        lengths = (each.samples for each in self.renditions)
        return tuple(itertools.accumulate(lengths, initial=0))

    @property
    def samples(self) -> int:
        """Return how many samples there are per channel, at 44.1 kHz."""
        return self.starts[-1]

    @property
    def frames(self) -> int:
        """Return the number of audio frames, the Info frame not counted."""
        return mp3.frame_count(self.samples)

    @cached_property
    def header(self) -> bytes:
        """Return the Info frame."""
        return mp3.info_frame(self._bitrate_bps, self.samples)

    @cached_property
    def length(self) -> int:
        """Return the exact size in bytes."""
        return mp3.audio_size(self._bitrate_bps, self.samples)

    @cached_property
    def id(self) -> str:
        """Return what tells these bytes from all others, where all renditions have their ids."""
        of = [f"medley {_VERSION}", *(each.id for each in self.renditions)]
        return hashlib.sha256("\0".join(of).encode()).hexdigest()

    def pieces(self, start: int, stop: int) -> Iterator[MedleyPiece]:
        """Return what encodes the bytes [start, stop), in order, each a minute or so."""
        at = max(start, len(self.header))
        frames = _FIRST_PIECE_FRAMES
        while at < stop:
            frame = mp3.frame_at(self._bitrate_bps, at - len(self.header))
            frame = min(frame, self.frames - 1)
            first = mp3.group_start(frame)
            end = min(stop, self.offset_of(min(first + frames, self.frames)))
            last = mp3.frame_at(self._bitrate_bps, end - 1 - len(self.header))
            yield MedleyPiece(self, first, min(last, self.frames - 1) + 1, at, end)
            at, frames = end, min(2 * frames, _PIECE_FRAMES)

    def offset_of(self, frame: int) -> int:
        """Return the offset of an audio frame's first byte."""
        return len(self.header) + mp3.frames_size(self._bitrate_bps, frame)


@dataclass(frozen=True)
class MedleyPiece:
    """The frames [first, stop) of a medley, and the bytes [start, end) that are wanted of them."""

    medley: Medley
    first: int
    stop: int
    start: int
    end: int

    @cached_property
    def _warm(self) -> int:
        return mp3.group_start(max(0, self.first - SETTLING_FRAMES))

    @cached_property
    def _span(self) -> tuple[int, int]:
        """Return the samples [first, end) that are encoded."""
        end = (self.stop + LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES
        return self._warm * mp3.FRAME_SAMPLES, min(end, self.medley.samples)

    @cached_property
    def _parts(self) -> list[tuple[Rendition, int, int]]:
        """Return the renditions that are decoded, with the samples of each."""
        first, end = self._span
        found = []
        for rendition, start in zip(self.medley.renditions, self.medley.starts, strict=False):
            inside = max(0, first - start), min(rendition.samples, end - start)
            if inside[0] < inside[1]:
                found.append((rendition, *inside))
        return found

    def encode(
        self, *, nice: int = 0, on_start: Callable[[FFmpegRun], None] = lambda run: None
    ) -> bytes:
        """Return the bytes.

        Args:
            nice: CPU niceness of the encoder.
            on_start: is given the ffmpeg as soon as it runs, for others to end it.

        Raises:
            EncodeInterruptedError: somebody ended the ffmpeg.
            DamagedSourceError: one of the sources does not decode cleanly to its stated length.
            EncodeError: ffmpeg met one of its limits.
        """
        sources = [rendition.source for rendition, _, _ in self._parts]
        limit_s = max(rendition.wait_limit_s for rendition, _, _ in self._parts)
        made = bytearray()
        with FFmpegRun(
            self.medley.renditions[0].ffmpeg,
            self._arguments(),
            source=sources[0],
            others=sources[1:],
            wait_limit_s=limit_s,
            nice=nice,
        ) as run:
            on_start(run)
            for _, data in run.read():
                made += data
            report = run.finish()
        warm_at = self.medley.offset_of(self._warm)
        self._check(report, run, is_short=len(made) < self.end - warm_at)
        return bytes(made[self.start - warm_at : self.end - warm_at])

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        """Return those whose sources are decoded for it."""
        return tuple(rendition for rendition, _, _ in self._parts)

    def _arguments(self) -> list[str]:
        inputs: list[str] = []
        chains: list[str] = []
        for index, (rendition, first, end) in enumerate(self._parts):
            # A resampler that begins somewhere gives other samples there, so it begins earlier.
            sought = max(0, first // _GROUP_SAMPLES - 1) * _GROUP_SAMPLES
            if not can_seek(rendition.source):
                sought = 0
            start_us, cut = sought * 1_000_000 // mp3.SAMPLE_RATE_HZ, None
            if rendition.source.whole is not None:
                rate_hz = rendition.source.rate_hz
                cut = cut_of(rendition.source, sought * rate_hz // mp3.SAMPLE_RATE_HZ)
                start_us = cut.start_us
            words = input_arguments(rendition.source, start_us=start_us)
            if not self._stops_at_errors:
                words = [word for word in words if word not in AT_FIRST_ERROR]
            inputs += [word.replace(INPUT, input_word(index)) for word in words]
            trim = f"atrim=start_sample={first - sought}:end_sample={end - sought}"
            chains.append(
                f"[{index}:a:0]{resampled(rendition.source, cut)},{trim},asetpts=PTS-STARTPTS,"
                f"{_AS_ENCODED},{_AS_ONE}[p{index}]"
            )
        labels = "".join(f"[p{index}]" for index in range(len(chains)))
        joined = f"{labels}concat=n={len(chains)}:v=0:a=1[all]"
        setting = QUALITY_SETTINGS[self.medley.quality]
        encoder = encoder_arguments(setting, self.medley.renditions[0].ffmpeg.effort)
        return [*inputs, "-filter_complex", ";".join([*chains, joined]), "-map", "[all]", *encoder]

    def _check(self, report: Report, run: FFmpegRun, *, is_short: bool) -> None:
        first, end = self._span
        is_whole = report.encoded_samples[:1] == (end - first,) and not is_short
        has_errors = report.decode_errors and self._stops_at_errors
        if report.returncode == 0 and not has_errors and is_whole:
            return
        names = ", ".join(name_of(each.source) for each in self.renditions)
        code, said = report.returncode, report.stderr
        if code < 0:
            # It was killed, so nothing is known of the sources.
            reason = f"{names} cannot be encoded"
            raise EncodeError(reason, returncode=code, cmd=run.command, stderr=said)
        fault = "cannot be decoded to the stated length"
        raise DamagedSourceError(names, fault, returncode=code, cmd=run.command, stderr=said)

    @property
    def _stops_at_errors(self) -> bool:
        # It is one switch for all files. Without it, what is left out shows in the length.
        return all(stops_at_errors(rendition.source) for rendition in self.renditions)


def make_medley(renditions: tuple[Rendition, ...]) -> Medley:
    """Return the medley of renditions of one quality.

    Raises:
        EncodeError: there is none, it would be longer than an MP3 can be, or too many of them are
            too short.
    """
    assert all(each.encoder is None for each in renditions)
    if not renditions:
        raise EncodeError("there is nothing to put one behind the other")
    medley = Medley(renditions)
    if medley.length > mp3.MAX_AUDIO_BYTES:
        raise EncodeError(
            f"one MP3 holds {bytes_in_words(mp3.MAX_AUDIO_BYTES)} at most, and this would be "
            f"{bytes_in_words(medley.length)}: choose a lower quality, or take the files"
        )
    within = (SETTLING_FRAMES + _PIECE_FRAMES + LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES
    starts = medley.starts
    for index in range(len(renditions) - _MOST_SOURCES):
        if starts[index + _MOST_SOURCES] - starts[index] < within:
            raise EncodeError(f"more than {_MOST_SOURCES} tracks last less than 90 s together")
    return medley
