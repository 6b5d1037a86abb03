"""A track of a batch, what it is called, and what became of it."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ..errors import EncodeError
from ..quality import QualityLevel
from ..text import readable

ALREADY_CACHED = "already cached"
NOT_NEEDED = "No transcoding needed"
MISSING = "missing"


class Fate(Enum):
    """How a track of a batch ends: in exactly one of these ways."""

    CACHED = "cached"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BatchTrack:
    """A source of a batch. `name` is what people call it: no two of a batch are called the same."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a track.

    Args:
        fate: how it ended.
        reason: why, in words for people; empty if it was cached.
        qualities: for each quality that was asked for, whether it can be played now.
        bytes_saved: by how much the largest file that was made is smaller than the source.
        audio_s: seconds of audio that were encoded.
        is_lossy: whether the track is played as it is, at every quality.
    """

    fate: Fate
    reason: str = ""
    qualities: Mapping[QualityLevel, bool] = field(default_factory=dict)
    bytes_saved: int = 0
    audio_s: float = 0.0
    is_lossy: bool = False

    @property
    def is_missing(self) -> bool:
        """Say whether nothing was done because there is no such file."""
        return self.fate is Fate.SKIPPED and self.reason == MISSING


def name_tracks(paths: Iterable[Path]) -> list[BatchTrack]:
    """Return a track for each path, each path once, in the given order.

    A track's name is its file's, preceded by as many folders as make it unique.
    """
    unique = list(dict.fromkeys(paths))
    names = {path: os.path.basename(path) for path in unique}
    depth = 1
    doubtful = _of_same_name(names)
    while doubtful:
        depth += 1
        for path in doubtful:
            names[path] = os.sep.join(str(path).split(os.sep)[-depth:])
        doubtful = {path for path in _of_same_name(names) if depth < str(path).count(os.sep) + 1}
    return [BatchTrack(path, readable(names[path])) for path in unique]


def _of_same_name(names: Mapping[Path, str]) -> set[Path]:
    counts = Counter(names.values())
    return {path for path, name in names.items() if counts[name] > 1}


def explain_error(error: Exception, path: Path) -> str:
    """Return what went wrong with a track in words for people, without its path.

    The reader sees the track's name with it and need not know where the server keeps the file.
    """
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return "there is no such file"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, EncodeError) or not isinstance(error, subprocess.CalledProcessError):
        where = os.path.abspath(path)
        text = str(error).replace(f"{where!r} ", "").replace(f"file:{where}", "the file")
        return text.replace(where, "the file")
    return f"the encoder failed: {error}"
