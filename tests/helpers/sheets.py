"""CUE sheets, and albums of one file that they cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audio_cache.sources.cue_sheet import FRAMES_PER_S
from tests.helpers.audio import run_ffmpeg

CD_FRAME = 588
RATE = 44_100
# Places in CD frames, at none of which a second, a group of MP3 frames or a FLAC frame begins.
STARTS = (0, 5 * FRAMES_PER_S + 17, 12 * FRAMES_PER_S + 33)
SAMPLES = 20 * RATE + 123


def sheet_text(file: str, starts: Sequence[int] = STARTS, *, kind: str = "WAVE") -> str:
    """Return a sheet of an album of one file, whose tracks begin at these CD frames."""
    lines = ['PERFORMER "The Band"', 'TITLE "First"', "REM DATE 1999", f'FILE "{file}" {kind}']
    for number, start in enumerate(starts, 1):
        lines += [f"  TRACK {number:02} AUDIO", f'    TITLE "Song {number}"']
        lines.append(f"    INDEX 01 {place_text(start)}")
    return "\n".join(lines) + "\n"


def place_text(frames: int) -> str:
    """Return CD frames as mm:ss:ff."""
    seconds, rest = divmod(frames, FRAMES_PER_S)
    return f"{seconds // 60:02}:{seconds % 60:02}:{rest:02}"


def write_sheet(path: Path, file: str, starts: Sequence[int] = STARTS) -> Path:
    """Write a sheet, and the folder that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sheet_text(file, starts), encoding="utf-8")
    return path


def cut_with_ffmpeg(
    source: Path, first: int, samples: int, to: Path, codec: str = "pcm_s16le"
) -> Path:
    """Write some samples of a file as a WAV of their own, whose bits decoding does not change."""
    trim = f"atrim=start_sample={first}:end_sample={first + samples}"
    exact = ["-fflags", "+bitexact", "-map_metadata", "-1"]
    run_ffmpeg("-i", f"file:{source}", "-af", trim, "-c:a", codec, *exact, f"file:{to}")
    return to
