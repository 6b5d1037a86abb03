"""A survey of a damaged source: from where on, and how much of it, cannot be decoded.

An encode ends at the first damage that it meets, and where that is depends on where it began. All
of a source is surveyed at once, so that whoever asks is told the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..errors import DamagedSourceError
from ..sources.source import Source
from .cut import cut_of
from .ffmpeg import FFmpeg, FFmpegRun
from .ffmpeg_options import (
    CONTINUOUS_WITHIN_SAMPLES,
    AudioCheck,
    input_arguments,
    run_error,
    samples_output,
)
from .sample_check import check_apart

# "[Parsed_ashowinfo_0 @ 0x…] [info] n:3 pts:12288 pts_time:… rate:44100 nb_samples:4096 …"
_FRAME: Final = re.compile(r"\[Parsed_ashowinfo_\d+ @ .* pts:\s*(-?\d+) .* nb_samples:\s*(\d+) ")
# "[info] Input #0, flac, from 'file:…':"
_OPENED: Final = re.compile(r"\[info\] Input #0")


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a source.

    Args:
        at_s: the second of the first damage; None where all of it decodes, to other samples than
            the file states by its MD5.
        until_s: the second after which nothing is heard any more.
        lost_s: how many seconds cannot be decoded.
        heard_s: how many seconds can.
    """

    at_s: float | None
    until_s: float
    lost_s: float
    heard_s: float


class _Gaps:
    """The stretches that a decoder has left out, by the places of the frames that it gave."""

    def __init__(self, stated: int | None) -> None:
        self._stated = stated
        self._at = 0
        self.first: int | None = None
        self.lost = 0
        self.is_opened = False

    def hear(self, line: str) -> None:
        """Take a line of what ffmpeg says."""
        if found := _FRAME.match(line):
            self._place(int(found[1]), int(found[2]))
        elif _OPENED.match(line):
            self.is_opened = True

    def end(self, has_errors: bool) -> None:
        """Take the end of the file."""
        if self._stated is not None and self._stated != self._at:
            self._miss(min(self._at, self._stated), max(0, self._stated - self._at))
        elif has_errors:
            self._miss(self._at, 0)

    def damage(self, rate_hz: int) -> Damage:
        """Return what was found, of audio at a sample rate."""
        until = self._at if self._stated is None else min(self._at, self._stated)
        whole = self._at if self._stated is None else self._stated
        return Damage(
            at_s=None if self.first is None else self.first / rate_hz,
            until_s=until / rate_hz,
            lost_s=self.lost / rate_hz,
            heard_s=max(0, whole - self.lost) / rate_hz,
        )

    def _place(self, start: int, samples: int) -> None:
        if abs(start - self._at) >= CONTINUOUS_WITHIN_SAMPLES:
            self._miss(min(start, self._at), max(0, start - self._at))
        self._at = max(self._at, start + samples)

    def _miss(self, first: int, lost: int) -> None:
        self.first = first if self.first is None else min(first, self.first)
        self.lost += lost


def survey(
    source: Source,
    ffmpeg: FFmpeg,
    on_start: Callable[[FFmpegRun], None] = lambda run: None,
    nice: int = 0,
) -> Damage | None:
    """Return what is wrong with a source; None if nothing is, or ffmpeg cannot open it.

    Args:
        source: the file, whose sample rate is known.
        ffmpeg: decodes it.
        on_start: is given each ffmpeg as soon as it runs.
        nice: CPU niceness of it.

    Raises:
        EncodeInterruptedError: somebody ended the ffmpeg.
        EncodeError: ffmpeg met one of its limits.
    """
    gaps = _Gaps(source.samples)
    cut = cut_of(source, may_seek=False).by_place() if source.whole is not None else ""
    output = ("-map", "0:a:0", "-vn", "-af", f"{cut}ashowinfo", *samples_output("pcm_s16le"))
    arguments = [*input_arguments(source, is_best_effort=True), *output]
    with FFmpegRun(ffmpeg, arguments, source=source, on_line=gaps.hear, nice=nice) as run:
        on_start(run)
        for _ in run.read():
            pass
        report = run.finish()
    if not gaps.is_opened:
        return None
    # Elsewhere in the file it may be damaged as it likes.
    has_errors = report.returncode != 0 or report.decode_errors > 0
    gaps.end(has_errors and source.whole is None)
    damage = gaps.damage(source.rate_hz)
    if gaps.first is not None:
        return damage
    check = AudioCheck.of(source)
    try:
        if check is not None:
            check_apart(check, ffmpeg, on_start, nice=nice)
    except DamagedSourceError:
        return damage
    return None


def count_samples(ffmpeg: FFmpeg, source: Source) -> int:
    """Return the samples per channel that a file decodes to, by decoding it once.

    Raises:
        EncodeInterruptedError: somebody ended the ffmpeg.
        DamagedSourceError: ffmpeg cannot decode the file, or not all of it.
        EncodeError: it met one of its limits.
    """
    # Raw samples to a pipe rather than `-f null`: a limit on waiting then holds for any decoder.
    output = ("-map", "0:a:0", "-vn", "-f", "s16le", "{out}")
    with FFmpegRun(ffmpeg, [*input_arguments(source), *output], source=source) as run:
        for _ in run.read():
            pass
        report = run.finish()
    if report.returncode != 0 or report.decoded_samples is None:
        raise run_error(source, "cannot be decoded", run, report)
    return report.decoded_samples
