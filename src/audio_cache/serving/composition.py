"""Files that are composed of tracks and of a host's own bytes, as values: no I/O.

Their length is known before anything is encoded.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from ..encoding.medley import Medley
from ..encoding.rendition import Rendition
from ..sources.source import FileVersion

CRC_BYTES: Final = 4


@dataclass(frozen=True)
class TrackFile:
    """The file that a listener gets of a track: its rendition at a quality, or the file as it is.

    Args:
        path: of the source.
        length: in bytes, exact.
        id: tells these bytes from all others; "" where that was not asked for.
        version: of the source.
        rendition: None for the file as it is.
    """

    path: Path
    length: int
    id: str
    version: FileVersion
    rendition: Rendition | None = None

    @property
    def samples(self) -> int | None:
        """Return how many samples a rendition has, per channel at 44.1 kHz; None for a file."""
        return self.rendition.samples if self.rendition else None

    def tail(self, from_s: float) -> TrackTail | None:
        """Return what is left of a rendition from a second on; None for a file as it is."""
        return TrackTail(self, self.rendition.offset_at(from_s)) if self.rendition else None


@dataclass(frozen=True)
class TrackTail:
    """The end of a track's file: what is left of it from an offset on."""

    track: TrackFile
    first: int

    @property
    def length(self) -> int:
        """Return the exact size in bytes."""
        return self.track.length - self.first


@dataclass(frozen=True)
class TrackCrc:
    """The CRC-32 of a track's file, the lowest byte first, as ZIP archives have it.

    It is found out when somebody asks for its bytes, which takes an encode where nobody has made
    the rendition yet.
    """

    track: TrackFile
    length: int = field(default=CRC_BYTES, init=False)


@dataclass(frozen=True)
class JoinedTracks:
    """Tracks one behind the other as one MP3 without a tag. Nothing of it is ever stored."""

    medley: Medley

    @property
    def length(self) -> int:
        """Return the exact size in bytes."""
        return self.medley.length

    @property
    def starts(self) -> tuple[int, ...]:
        """Return the sample at which each track begins, and behind them the number of all."""
        return self.medley.starts


Part: TypeAlias = "bytes | TrackFile | TrackTail | TrackCrc | JoinedTracks"


@dataclass(frozen=True)
class Composition:
    """A file: its parts, one behind the other."""

    parts: tuple[Part, ...]

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Return where each part begins, and behind them the length of the whole."""
        return tuple(itertools.accumulate(map(_length_of, self.parts), initial=0))

    @property
    def length(self) -> int:
        """Return the exact size in bytes."""
        return self.offsets[-1]

    @cached_property
    def etag(self) -> str:
        """Return the strong entity tag, unquoted: the same wherever the same bytes are made."""
        digest = hashlib.sha256()
        for part in self.parts:
            name = part if isinstance(part, bytes) else _id_of(part).encode()
            digest.update(b"%d:" % len(name) + name)
        return digest.hexdigest()[:48]

    def spans(self, start: int, stop: int) -> Iterator[tuple[Part, int, int]]:
        """Return the parts that hold the bytes [start, stop), and which bytes of each."""
        at = bisect.bisect_right(self.offsets, start) - 1
        for part, offset in zip(self.parts[at:], self.offsets[at:], strict=False):
            if offset >= stop:
                return
            first, last = max(0, start - offset), min(_length_of(part), stop - offset)
            if first < last:
                yield part, first, last


def _length_of(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else part.length


def _id_of(part: TrackFile | TrackTail | TrackCrc | JoinedTracks) -> str:
    if isinstance(part, TrackCrc):
        return f"crc {part.track.id}"
    if isinstance(part, TrackTail):
        return f"{part.track.id} from {part.first}"
    return part.id if isinstance(part, TrackFile) else part.medley.id
