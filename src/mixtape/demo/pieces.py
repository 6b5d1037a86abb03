"""The pieces of the demo library: two albums of short sketches, written down as notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .synth import Part, Piece, bass, brush, keys, kick, pad

ARTIST: Final = "The Demo Tapes"
SIDE_A: Final = "Side A – First Light"
SIDE_B: Final = "Side B – Small Hours"

# Held chords fade between each other; the echoes carry over the gaps.
_HALL: Final = "aecho=0.8:0.8:280|430|610:0.4|0.3|0.22"
_HISS: Final = "highpass=f=6000"
_ROOM: Final = "aecho=0.8:0.6:90|140:0.25|0.18"


@dataclass(frozen=True)
class DemoTrack:
    """A track of the demo library: its words, how it is stored, and what is played."""

    album: str
    number: int
    title: str
    suffix: str
    codec: str
    rate_hz: int
    compose: Callable[[], Piece]
    has_picture: bool = False

    @property
    def file_name(self) -> str:
        """Return the name of the track's file."""
        return f"{self.number:02} {self.title}{self.suffix}"


def first_light() -> Piece:
    """Compose a bright opening: broken chords over a slow pulse."""
    chords = ((53, 57, 60, 64), (57, 60, 64, 67), (50, 57, 60, 65), (55, 60, 62, 64))
    beat = 0.6
    line = [chord[step] + 12 for chord in chords for step in (0, 2, 1, 3, 2, 3, 1, 2)]
    roots = [low for chord in chords for low in (chord[0] - 12, None, chord[0] - 12, None)]
    echo = "aecho=0.8:0.7:300|450:0.3|0.2"
    return Piece(
        38.4,
        (
            Part(*pad(chords, 4 * beat), 16 * beat, gain=0.3, effects=_HALL),
            Part(*keys(line, beat / 2), 16 * beat, enters_s=4.8, gain=0.2, effects=echo),
            Part(*bass(roots, beat), 16 * beat, enters_s=9.6, gain=0.3),
            Part(*kick(2 * beat), 2 * beat, enters_s=14.4, gain=0.55),
            Part(*_hat(2 * beat, beat), 2 * beat, enters_s=19.2, gain=0.1, effects=_HISS),
        ),
    )


def paper_boats() -> Piece:
    """Compose a small waltz for electric piano."""
    chords = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))
    beat = 0.5
    melody = [76, None, 79, 84, 83, 79, 81, None, 84, 79, 76, 72]
    melody += [77, 81, 84, 81, 77, None, 79, 83, 86, 83, 79, 74]
    steps = [note for chord in chords for note in (chord[0] - 12, chord[1], chord[2]) * 2]
    return Piece(
        36.0,
        (
            Part(*keys(steps, beat, ring=3.0), 24 * beat, gain=0.22, effects="lowpass=f=2400"),
            Part(*keys(melody, beat, ring=2.2), 24 * beat, enters_s=6, gain=0.24, effects=_ROOM),
            Part(
                *pad(chords, 6 * beat, bright=0.1), 24 * beat, enters_s=12, gain=0.22, effects=_HALL
            ),
        ),
    )


def rewind() -> Piece:
    """Compose a quick piece in a minor key with a steady beat."""
    chords = ((57, 60, 64), (53, 57, 60), (60, 64, 67), (55, 59, 62))
    beat = 0.48
    line = [chord[step] + 12 for chord in chords for step in (0, 1, 2, 1) * 4]
    roots = [note for chord in chords for note in (chord[0] - 24, chord[0] - 12) * 4]
    echo = "aecho=0.8:0.6:360|480:0.35|0.2"
    return Piece(
        30.72,
        (
            Part(*keys(line, beat / 4, ring=9.0), 16 * beat, gain=0.2, effects=echo),
            Part(*kick(beat), beat, enters_s=3.84, gain=0.6),
            Part(*bass(roots, beat / 2), 16 * beat, enters_s=7.68, gain=0.3),
            Part(*_hat(beat, beat / 2), beat, enters_s=7.68, gain=0.12, effects=_HISS),
            Part(*_snare(2 * beat, beat), 2 * beat, enters_s=11.52, gain=0.2, effects=_ROOM),
            Part(*pad(chords, 4 * beat), 16 * beat, enters_s=15.36, gain=0.22),
        ),
    )


def small_hours() -> Piece:
    """Compose a slow piece: wide chords and a few bells."""
    chords = ((50, 57, 61, 66), (47, 54, 62, 66), (43, 55, 59, 66), (45, 57, 61, 64))
    step = 0.75
    bells = [78, None, 73, None, 74, None, 69, None, 71, 74, None, 78, 76, None, 73, None]
    echo = "aecho=0.8:0.75:500|750|1000:0.4|0.28|0.16"
    return Piece(
        36.0,
        (
            Part(*pad(chords, 4 * step, bright=0.12), 16 * step, gain=0.4, effects=_HALL),
            Part(*keys(bells, step, ring=2.0), 16 * step, enters_s=6, gain=0.2, effects=echo),
        ),
    )


def night_bus() -> Piece:
    """Compose a relaxed groove: bass, off-beat chords and brushes."""
    beat = 0.66
    chords = ((50, 57, 60, 64), (55, 62, 65), (58, 62, 65, 69), (53, 60, 64))
    low = [38, None, 38, 41, 43, None, 43, 45, 46, None, 45, 43, 41, None, 40, None]
    stabs = [None, 64, None, 64, None, 67, None, 67, None, 67, None, 69, None, 62, None, 64]
    top = [None if note is None else note + 5 for note in stabs]
    echo = "aecho=0.8:0.6:330:0.3"
    return Piece(
        42.24,
        (
            Part(*pad(chords, 4 * beat, bright=0.15), 16 * beat, gain=0.2, effects=_HALL),
            Part(*bass(low, beat), 16 * beat, gain=0.36),
            Part(*_hat(beat, beat / 2), beat, enters_s=5.28, gain=0.1, effects=_HISS),
            Part(*kick(2 * beat), 2 * beat, enters_s=5.28, gain=0.55),
            Part(*keys(stabs, beat, ring=5.0), 16 * beat, enters_s=10.56, gain=0.2, effects=echo),
            Part(*keys(top, beat, ring=5.0), 16 * beat, enters_s=10.56, gain=0.16, effects=echo),
            Part(*_snare(2 * beat, beat), 2 * beat, enters_s=15.84, gain=0.16, effects=_ROOM),
        ),
    )


def _hat(beat_s: float, late_s: float) -> tuple[str, str]:
    return brush(beat_s, late_s=late_s, decay=55)


def _snare(beat_s: float, late_s: float) -> tuple[str, str]:
    return brush(beat_s, late_s=late_s, decay=16)


DEMO_TRACKS: Final = (
    DemoTrack(SIDE_A, 1, "First Light", ".flac", "flac", 44_100, first_light, has_picture=True),
    DemoTrack(SIDE_A, 2, "Paper Boats", ".wav", "pcm_s16le", 44_100, paper_boats),
    DemoTrack(SIDE_A, 3, "Rewind", ".aiff", "pcm_s16be", 44_100, rewind),
    DemoTrack(SIDE_B, 1, "Small Hours", ".flac", "flac", 96_000, small_hours),
    DemoTrack(SIDE_B, 2, "Night Bus", ".m4a", "alac", 44_100, night_bus),
)
