"""Stretches of frames of a source's renditions: what ffmpeg has to do, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import EncodeError
from ..quality import QualitySetting
from ..sources.source import Source
from . import mp3
from .ffmpeg import FFmpegRun, Report
from .input_options import can_seek, input_arguments, name_of, stops_at_errors

# LAME looks ahead, so the last frames of a piece differ unless two more follow them.
_LOOKAHEAD_FRAMES: Final = 2
# Covers the resampler's rounding: up to 39 samples of what is shorter than its filter, else one.
_PAD_SAMPLES: Final = 64
# By the format of a quality; another one needs its own arithmetic beside mp3's.
_ENCODERS: Final = {"mp3": "libmp3lame"}


@dataclass(frozen=True, slots=True)
class Piece:
    """The plan for frames [first, stop) of a source: what to decode, and what of it to keep.

    Encoding starts one group early, so that the encoder has settled.

    Args:
        source: whose samples are known.
        first: first frame.
        stop: frame behind the last.
    """

    source: Source
    first: int
    stop: int

    def skip_bytes(self, bitrate_bps: int) -> int:
        """Return how many encoded bytes come before those that are wanted."""
        return mp3.frames_size(bitrate_bps, self.first) - mp3.frames_size(bitrate_bps, self._warm)

    def want_bytes(self, bitrate_bps: int) -> int:
        """Return how many encoded bytes are wanted."""
        return mp3.frames_size(bitrate_bps, self.stop) - mp3.frames_size(bitrate_bps, self.first)

    def arguments(self, settings: Sequence[QualitySetting]) -> list[str]:
        """Return what ffmpeg has to do: decode once, and encode each setting to an output."""
        start_us = self._start_sample * 1_000_000 // mp3.SAMPLE_RATE_HZ
        arguments = input_arguments(self.source, start_us=start_us if self._is_sought else 0)
        if len(settings) == 1:
            arguments += ["-map", "0:a:0", "-vn", "-af", self._filters()]
            arguments += _encoder(settings[0])
        else:
            # Filtered once for all: with a chain for each, one in six seconds would be theirs.
            labels = [f"[{number}]" for number in range(len(settings))]
            split = f"asplit={len(labels)}{''.join(labels)}"
            arguments += ["-filter_complex", f"[0:a:0]{self._filters()},{split}"]
            for label, setting in zip(labels, settings, strict=True):
                arguments += ["-map", label, *_encoder(setting)]
        return arguments + (self._counter() if self._is_sought and self.is_last else [])

    @property
    def is_last(self) -> bool:
        """Say whether nothing is behind the piece, so that all of the source has to be there."""
        return self.stop == mp3.frame_count(self._out_samples)

    def check(self, run: FFmpegRun, missing: Sequence[int]) -> None:
        """Hold a run that is over against what the source promised.

        Args:
            run: whose outputs were read to their ends.
            missing: the bytes that each output is short of.

        Raises:
            EncodeInterruptedError: somebody ended the run.
            EncodeError: the source is damaged, or not as long as it states.
        """
        report = run.finish()
        reason = self._find_fault(report, missing)
        if reason is not None:
            raise EncodeError(
                f"{name_of(self.source)} {reason}",
                returncode=report.returncode,
                cmd=run.command,
                stderr=report.stderr,
            )

    @property
    def _warm(self) -> int:
        return max(0, mp3.group_start(self.first) - mp3.GROUP_FRAMES)

    @property
    def _is_sought(self) -> bool:
        return self._warm > 0 and can_seek(self.source)

    @property
    def _start_sample(self) -> int:
        return self._warm * mp3.FRAME_SAMPLES

    @property
    def _samples(self) -> int:
        """Return how many samples are encoded, those that are dropped again among them."""
        end = (self.stop + _LOOKAHEAD_FRAMES) * mp3.FRAME_SAMPLES
        return min(self._out_samples, end) - self._start_sample

    @property
    def _stated(self) -> int:
        return self.source.samples or 0

    @property
    def _out_samples(self) -> int:
        return mp3.output_samples(self._stated, self.source.rate_hz)

    @property
    def _sought(self) -> int:
        """Return the sample of the source at which decoding starts."""
        if not self._is_sought:
            return 0
        return self._start_sample * self.source.rate_hz // mp3.SAMPLE_RATE_HZ

    def _filters(self) -> str:
        chain = f"aresample={mp3.SAMPLE_RATE_HZ},apad=pad_len={_PAD_SAMPLES}"
        if self._is_sought or not self._warm:
            chain += f",atrim=end_sample={self._samples}"
        else:
            start = self._start_sample
            chain += f",atrim=start_sample={start}:end_sample={start + self._samples}"
            chain += ",asetpts=PTS-STARTPTS"
        return chain

    def _counter(self) -> list[str]:
        """Return an output that goes nowhere and counts the source's samples from the start on.

        The padded and resampled audio would not tell that a few are missing or too many.
        """
        trim = f"atrim=end_sample={self._stated - self._sought + 1}"
        return ["-map", "0:a:0", "-vn", "-af", trim, "-c:a", "pcm_s16le", "-f", "null", "-"]

    def _find_fault(self, report: Report, missing: Sequence[int]) -> str | None:
        encoded = report.encoded_samples[: len(missing)]
        if report.returncode != 0 or (report.decode_errors and stops_at_errors(self.source)):
            at_s = (self._sought + (report.decoded_samples or 0)) / self.source.rate_hz
            return "cannot be decoded" + (f" at {at_s:.1f} s" if at_s else "")
        found = self._find_samples(report)
        if found is not None and found > self._stated:
            return f"holds more than the {self._stated:,} samples that it states"
        is_short = any(missing) or any(count != self._samples for count in encoded)
        if is_short or (found is not None and found < self._stated):
            of = f": {found:,} of {self._stated:,} samples" if found is not None else ""
            return f"ends before its stated length of {self.source.duration_s:.3f} s{of}"
        return None

    def _find_samples(self, report: Report) -> int | None:
        """Return how many samples the source turned out to have; None where that was not seen."""
        if not self.is_last:
            return None
        if not self._is_sought:
            return report.decoded_samples
        counted = report.encoded_samples[-1:]
        return self._sought + counted[0] if counted else None


def _encoder(setting: QualitySetting) -> list[str]:
    return [
        *("-ac", "2", "-c:a", _ENCODERS[setting["format"]], "-b:a", setting["bitrate"]),
        *("-reservoir", "0"),
        *("-write_xing", "0", "-id3v2_version", "0", "-map_metadata", "-1"),
        # Written in pieces of 32 KiB: each frame on its own would take a twelfth of our time.
        *("-flush_packets", "0", "-f", setting["format"], "{out}"),
    ]
