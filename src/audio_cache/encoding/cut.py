"""Cuts: the samples of a file that are decoded where a source is only a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..sources.source import Source

# ffmpeg seeks these to the very sample.
SEEKABLE: Final = frozenset({"flac", "wav", "aiff", "mov", "ape", "wv", "tta", "dsf", "iff"})


def can_seek(source: Source) -> bool:
    """Say whether ffmpeg can start to decode at the start of any group of frames."""
    # A group lasts 32/25 s: only at rates divisible by 25 does it start on a source sample.
    return source.demuxer in SEEKABLE and source.rate_hz % 25 == 0


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a file, from a whole second on, which is a whole sample at every rate.

    Attributes:
        start_us: microseconds of the file to skip.
        first: samples to drop behind that.
        samples: how many to keep.
        is_to_end: whether nothing may follow in the file.
    """

    start_us: int
    first: int
    samples: int
    is_to_end: bool

    def by_count(self) -> str:
        """Return the filter that keeps the stretch of audio without gaps, by counting samples."""
        stop = self.first + self.samples
        return f"atrim=start_sample={self.first}:end_sample={stop},asetpts=PTS-STARTPTS,"

    def by_place(self) -> str:
        """Return the filter that keeps the stretch of damaged audio, by where its frames belong."""
        stop = self.first + self.samples
        return f"atrim=start_pts={self.first}:end_pts={stop},asetpts=PTS-{self.first},"

    def counted(self) -> str:
        """Return the filter behind which samples are counted, one too many where there is one."""
        stop = self.first + self.samples + self.is_to_end
        return f"atrim=start_sample={self.first}:end_sample={stop}"


def cut_of(source: Source, sought: int = 0, may_seek: bool = True) -> Cut:
    """Return the cut that a part of a file takes.

    Args:
        source: the part.
        sought: how many of its samples to leave out at its start.
        may_seek: in a damaged file a search may end anywhere.
    """
    whole, stated = source.file, source.samples or 0
    first = source.first_sample + sought
    start_s = first // source.rate_hz if may_seek and source.demuxer in SEEKABLE else 0
    return Cut(
        start_us=start_s * 1_000_000,
        first=first - start_s * source.rate_hz,
        samples=stated - sought,
        is_to_end=source.first_sample + stated == whole.samples,
    )
