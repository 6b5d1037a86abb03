"""Small pieces of music written as ffmpeg expressions.

Each instrument is one `aevalsrc` that plays a short loop: `t` is the time in the loop, `ld(0)` the
time since the present note began, `ld(1)` its frequency. Looping a few bars costs a fraction of
evaluating every sample of the piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_A4_MIDI: Final = 69
_A4_HZ: Final = 440.0


@dataclass(frozen=True)
class Part:
    """One instrument of a piece.

    Args:
        left, right: expressions of the two channels over one loop.
        loop_s: length of the loop.
        enters_s: when it is first heard.
        gain: how loud it is in the mix.
        effects: further ffmpeg filters, such as an echo.
    """

    left: str
    right: str
    loop_s: float
    enters_s: float = 0.0
    gain: float = 1.0
    effects: str = ""


@dataclass(frozen=True)
class Piece:
    """A piece of music: its parts, played together for `duration_s` and faded out."""

    duration_s: float
    parts: tuple[Part, ...] = field(default=())


def midi_hz(note: float) -> float:
    """Return the frequency of a MIDI note in equal temperament (A4 = 69 = 440 Hz)."""
    return float(_A4_HZ * 2.0 ** ((note - _A4_MIDI) / 12))


def pad(chords: Sequence[Sequence[int]], chord_s: float, *, bright: float = 0.3) -> tuple[str, str]:
    """Return both channels of soft held chords, one after the other."""
    swell = f"min(1,ld(0)/0.6)*min(1,({chord_s}-ld(0))/0.5)"
    voices = max(len(chord) for chord in chords)
    channels = []
    for detune in (0.9985, 1.0015):
        tones = []
        for voice in range(voices):
            line = [chord[voice % len(chord)] for chord in chords]
            pitch = _melody_hz(line, chord_s, detune)
            tones.append(f"(st(1,{pitch});sin(2*PI*ld(1)*t)+{bright}*sin(4*PI*ld(1)*t))")
        channels.append(f"st(0,mod(t,{chord_s}));{swell}*({'+'.join(tones)})/{voices}")
    return channels[0], channels[1]


def keys(notes: Sequence[int | None], step_s: float, *, ring: float = 4.0) -> tuple[str, str]:
    """Return both channels of an electric piano (frequency modulation) playing one line."""
    channels = []
    for lean in (1.0, 0.75):
        bell = f"sin(2*PI*ld(1)*ld(0)+{lean}*2*exp(-7*ld(0))*sin(2*PI*ld(1)*ld(0)))"
        tine = "0.12*exp(-18*ld(0))*sin(14*PI*ld(1)*ld(0))"
        channels.append(_plucked(notes, step_s, f"exp(-{ring}*ld(0))*({bell}+{tine})"))
    return channels[0], channels[1]


def bass(notes: Sequence[int | None], step_s: float) -> tuple[str, str]:
    """Return both channels, alike, of a round bass."""
    tone = "sin(2*PI*ld(1)*ld(0))+0.35*sin(4*PI*ld(1)*ld(0))*exp(-4*ld(0))"
    line = _plucked(notes, step_s, f"exp(-1.6*ld(0))*({tone})")
    return line, line


def kick(beat_s: float) -> tuple[str, str]:
    """Return both channels, alike, of a bass drum on every beat: a sine that falls in pitch."""
    line = f"st(0,mod(t,{beat_s}));exp(-9*ld(0))*sin(2*PI*(46*ld(0)+3.2*(1-exp(-34*ld(0)))))"
    return line, line


def brush(beat_s: float, *, late_s: float, decay: float) -> tuple[str, str]:
    """Return both channels of brushed noise, `late_s` after each beat; its short loops whisper."""
    hit = f"st(0,mod(t+{beat_s - late_s},{beat_s}));exp(-{decay}*ld(0))"
    return f"{hit}*(random(2)*2-1)", f"{hit}*(random(3)*2-1)"


def filter_graph(piece: Piece, rate_hz: int) -> str:
    """Return the ffmpeg filter graph that plays a piece into a stream called [out]."""
    lines = []
    for index, part in enumerate(piece.parts):
        samples = round(part.loop_s * rate_hz)
        stages = [
            _source(part, rate_hz),
            f"aloop=loop=-1:size={samples}",
            f"atrim=end={piece.duration_s - part.enters_s}",
            "afade=d=1.5" if part.enters_s else "anull",
            part.effects or "anull",
            f"adelay={round(part.enters_s * 1000)}:all=1",
            f"volume={part.gain}",
        ]
        lines.append(",".join(stages) + f"[part{index}]")
    inputs = "".join(f"[part{index}]" for index in range(len(piece.parts)))
    fade_s = 4.0
    lines.append(
        f"{inputs}amix=inputs={len(piece.parts)}:duration=longest:normalize=0,"
        f"atrim=end={piece.duration_s},"
        f"afade=t=out:st={piece.duration_s - fade_s}:d={fade_s}:curve=qsin,"
        "volume=0.8,alimiter=limit=0.9:level=0[out]"
    )
    return ";".join(lines)


def _source(part: Part, rate_hz: int) -> str:
    if part.left == part.right:  # evaluated once, not once per channel
        source = f"aevalsrc='{part.left}':s={rate_hz}:d={part.loop_s}"
        return source + ",pan=stereo|c0=c0|c1=c0"
    return f"aevalsrc='{part.left}|{part.right}':c=stereo:s={rate_hz}:d={part.loop_s}"


def _plucked(notes: Sequence[int | None], step_s: float, sound: str) -> str:
    """Return a line of notes that begin and end without a click; None is a rest."""
    pitch = _melody_hz(notes, step_s, 1.0)
    edges = f"min(1,ld(0)*250)*min(1,({step_s}-ld(0))*60)"
    return f"st(0,mod(t,{step_s}));st(1,{pitch});gt(ld(1),0)*{edges}*{sound}"


def _melody_hz(
    notes: Sequence[int | None], step_s: float, detune: float, first_step: int = 0
) -> str:
    """Return an expression for the frequency at `t`, 0 in rests: a binary tree of comparisons."""
    if len(notes) == 1:
        note = notes[0]
        return "0" if note is None else f"{midi_hz(note) * detune:.4f}"
    half = len(notes) // 2
    before = _melody_hz(notes[:half], step_s, detune, first_step)
    after = _melody_hz(notes[half:], step_s, detune, first_step + half)
    return f"if(lt(t,{(first_step + half) * step_s:.6f}),{before},{after})"
