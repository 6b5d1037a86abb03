"""The music to measure with: real pieces where MUSIC names a folder, else the demo library."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mutagen

from audio_cache.sources.source import is_lossless
from mixtape.settings import DEMO_LIBRARY

from .machine import chosen_ffmpeg, usable_cores

# As encoders of FLAC make them; ffmpeg keeps the short blocks of the lossy formats else.
_BLOCKS = "asetnsamples=n=4096:p=0"
PIECES = 40
_LOSSY = frozenset({".mp3", ".oga", ".ogg", ".opus"})


@dataclass(frozen=True)
class Piece:
    """One lossless file to measure with, and how long it lasts."""

    path: Path
    duration_s: float


@dataclass(frozen=True)
class Music:
    """The pieces to measure with, longest first, and where they are from."""

    pieces: tuple[Piece, ...]
    origin: str

    def text(self) -> str:
        """Return one line for people."""
        minutes = sum(piece.duration_s for piece in self.pieces) / 60
        return f"{len(self.pieces)} pieces, {minutes:.0f} minutes ({self.origin})"


def work_folder() -> Path:
    """Return the folder of everything that benchmarks keep between runs: BENCH_WORK sets it."""
    default = os.path.join(tempfile.gettempdir(), "audio-cache-benchmarks")
    folder = Path(os.environ.get("BENCH_WORK", default)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def find_music(count: int = PIECES) -> Music:
    """Return the longest pieces under MUSIC, or the demo library where that is not set.

    Lossy pieces are decoded to FLAC once, since only lossless ones are ever encoded.
    """
    folder = os.environ.get("MUSIC")
    if not folder:
        pieces = tuple(_longest(DEMO_LIBRARY, count))
        return Music(pieces, "the demo library: set MUSIC for real ones")
    found = _longest(Path(folder), count)
    if not found:
        raise SystemExit(f"MUSIC={folder} holds no music that could be measured with")
    with ThreadPoolExecutor(usable_cores()) as pool:
        decoded = list(pool.map(_lossless, found))
    lossy = any(piece.path.suffix.lower() in _LOSSY for piece in found)
    return Music(tuple(decoded), "real music, decoded to FLAC" if lossy else "real music")


def _longest(folder: Path, count: int) -> list[Piece]:
    pieces = [Piece(path, duration) for path, duration in _durations(folder)]
    pieces.sort(key=lambda piece: (-piece.duration_s, piece.path))
    return pieces[:count]


def _durations(folder: Path) -> Iterator[tuple[Path, float]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (path.suffix.lower() in _LOSSY or is_lossless(path)):
            found = mutagen.File(path)
            if found is not None:
                yield path, float(found.info.length)


def _lossless(piece: Piece) -> Piece:
    """Return the piece as FLAC in the work folder, where it is lossy; the piece where it is not."""
    if piece.path.suffix.lower() not in _LOSSY:
        return piece
    target = work_folder() / "music" / f"{piece.path.stem}.flac"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        half = target.with_suffix(".part")
        # Ogg's own time stamps have small steps back, which the muxer complains about.
        steady = ("-map", "0:a:0", "-af", f"asetpts=N/SR/TB,{_BLOCKS}", "-sample_fmt", "s16")
        run_ffmpeg("-i", piece.path, *steady, "-f", "flac", half)
        os.replace(half, target)
    return Piece(target, piece.duration_s)


def cut(piece: Piece, seconds: float, target: Path, *, skipped: int = 0) -> Path:
    """Write the first seconds of a piece as FLAC, repeated where the piece is shorter.

    Args:
        piece: the piece.
        seconds: how long the FLAC becomes.
        target: where it is written.
        skipped: how many samples are left out at the start. A few less are the same music and yet
            other audio, which a cache cannot have from another track.
    """
    loop = ("-stream_loop", "-1") if piece.duration_s < seconds else ()
    trim = ("-af", f"atrim=start_sample={skipped},asetpts=PTS-STARTPTS,{_BLOCKS}")
    exact = ("-map", "0:a:0", "-vn", *trim, "-t", f"{seconds}", "-sample_fmt", "s16", "-f", "flac")
    run_ffmpeg(*loop, "-i", piece.path, *exact, target)
    return target


def run_ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg to its end; it may overwrite."""
    quiet = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")
    command = [chosen_ffmpeg().path, *quiet, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"ffmpeg failed: {done.stderr.decode('utf-8', 'replace')[-500:]}")
