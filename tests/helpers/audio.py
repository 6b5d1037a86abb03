"""Make and read real audio for the tests, with the ffmpeg that the package itself uses."""

from __future__ import annotations

import math
import os
import random
import subprocess
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from tests.helpers.waiting import LIMIT_S

DATA = Path(__file__).parents[1] / "data"
_WIDE = {"flac": "s32", "alac": "s32p", "wavpack": "s32p", "tta": "s32"}
_NARROW = {"flac": "s16", "alac": "s16p", "wavpack": "s16p", "tta": "s16"}


def run_ffmpeg(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg quietly to its end; CalledProcessError where it fails."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=LIMIT_S)


def file_url(path: str | os.PathLike[str]) -> str:
    """Return a path as ffmpeg takes it whatever its name: `-x.wav` and `a:b.wav` included."""
    return "file:" + os.fspath(path)


@lru_cache(maxsize=16)
def pcm_s32(samples: int, rate: int = 44100, channels: int = 2, seed: int = 0) -> bytes:
    """Return interleaved 32-bit PCM: a chord that swells, and noise that never repeats.

    The noise (about -27 dB) makes every stretch of the signal unlike every other, so that audio
    taken from a wrong place can't pass for the right one; its low bits make 24-bit files use
    all of their bits.
    """
    count = samples * channels
    noise = np.frombuffer(random.Random(seed).randbytes(4 * count), np.int32)
    return (np.resize(_chord(rate, channels, seed), count) + (noise >> 5)).tobytes()


@lru_cache(maxsize=16)
def _chord(rate: int, channels: int, seed: int) -> np.ndarray:
    """Return one interleaved second of tones; whole frequencies, so that it repeats smoothly."""
    root = 110 + 11 * (seed % 20)
    tones = [
        math.sin(math.tau * root * t / rate) * (0.6 + 0.4 * math.sin(math.tau * 2 * t / rate))
        + 0.5 * math.sin(math.tau * (root * 3 // 2) * t / rate)
        + 0.25 * math.sin(math.tau * root * 7 * t / rate)
        for t in range(rate)
    ]
    gains = [0.36 - 0.04 * channel for channel in range(channels)]
    return np.array([round(gain * 2**31 * tone) for tone in tones for gain in gains], np.int32)


def make_audio(
    path: Path,
    *,
    samples: int,
    rate: int = 44100,
    channels: int = 2,
    codec: str = "flac",
    bits: int = 16,
    tags: dict[str, str] | None = None,
    seed: int = 0,
    options: tuple[str, ...] = (),
) -> Path:
    """Write a file of exactly so many samples per channel; the suffix chooses the container.

    Args:
        path: where to write; `.wav`, `.flac`, `.m4a`, `.aiff`, `.wv`, `.tta`, `.mp3`, ...
        codec: an encoder of ffmpeg: "flac", "alac", "wavpack", "tta", "pcm_s16le", "pcm_s24le",
            "pcm_s16be" (AIFF), "aac", "libmp3lame", ...
        bits: 16 or 24, for the codecs whose name doesn't say it.
        tags: as ffmpeg names them ("title", "album_artist", "track": "3/12").
        options: more output options of ffmpeg, such as ("-rf64", "always", "-f", "wav").
    """
    output = _output(codec, bits, tags)
    raw = ["-f", "s32le", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0"]
    exact = ["-fflags", "+bitexact", "-flags", "+bitexact"]
    given = pcm_s32(samples, rate, channels, seed)
    run_ffmpeg(*raw, "-map_metadata", "-1", *exact, *output, *options, file_url(path), given=given)
    return path


def make_noise(
    path: Path,
    *,
    samples: int,
    rate: int = 44100,
    channels: int = 2,
    codec: str = "flac",
    bits: int = 16,
    seed: int = 0,
    tags: dict[str, str] | None = None,
) -> Path:
    """Write a file of soft noise that never repeats; much faster to make than `make_audio`'s.

    Its spectrum falls off as that of music does, so that the encoder has its usual work.
    """
    output = _output(codec, bits, tags)
    if codec == "flac":
        # As other encoders do. ffmpeg's own larger frames, in six channels at 192 kHz, are more
        # than its own parser of FLAC can hold.
        output += ["-frame_size", "4096"]
    raw = ["-f", "s8", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0"]
    sound = ["-map_metadata", "-1", "-af", f"lowpass=f={rate // 12},volume=0.7"]
    given = random.Random(seed).randbytes(samples * channels)
    run_ffmpeg(*raw, *sound, "-fflags", "+bitexact", *output, file_url(path), given=given)
    return path


def _output(codec: str, bits: int, tags: dict[str, str] | None) -> list[str]:
    sample_formats = _WIDE if bits > 16 else _NARROW
    output = ["-c:a", codec]
    if codec in sample_formats:
        output += ["-sample_fmt", sample_formats[codec], "-bits_per_raw_sample", str(bits)]
    for key, text in (tags or {}).items():
        output += ["-metadata", f"{key}={text}"]
    return output


def make_silence(path: Path, seconds: int) -> Path:
    """Write silence: long to encode, but made at once and small."""
    run_ffmpeg("-f", "lavfi", "-i", f"anullsrc=r=44100:cl=stereo:d={seconds}", file_url(path))
    return path


def decode(
    path: str | os.PathLike[str], *, channels: int | None = None, decoder: str = ""
) -> bytes:
    """Return the audio as interleaved s16le at the rate of the file."""
    mix = ["-ac", str(channels)] if channels else []
    forced = ["-c:a", decoder] if decoder else []
    arguments = [*forced, "-i", file_url(path), "-map", "0:a:0", *mix, "-f", "s16le", "pipe:1"]
    return run_ffmpeg(*arguments).stdout


def count_samples(path: str | os.PathLike[str], *, decoder: str = "") -> int:
    """Return how many samples per channel ffmpeg decodes from a file."""
    forced = ["-c:a", decoder] if decoder else []
    arguments = [*forced, "-i", file_url(path), "-map", "0:a:0", "-ac", "1", "-f", "u8", "pipe:1"]
    return len(run_ffmpeg(*arguments).stdout)
