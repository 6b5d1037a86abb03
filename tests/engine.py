"""Sources made fast, ffmpegs that can be counted, looks at processes: for tests of the engine."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from audio_cache import AudioCache
from audio_cache.encoding import mp3
from audio_cache.encoding.ffmpeg import find_ffmpeg
from audio_cache.encoding.rendition import Identity, Rendition, make_rendition
from audio_cache.quality import QualityLevel
from audio_cache.sources.source import read_source
from tests.audio import file_url, run_ffmpeg

# Generous, since the machine may be busy; nothing here takes it when all is well.
LIMIT_S = 60.0
_ALL_BITS = {"flac": "s32", "alac": "s32p", "wavpack": "s32p", "tta": "s32"}


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
    output = ["-c:a", codec]
    if codec == "flac":
        # As other encoders do. ffmpeg's own larger frames, in six channels at 192 kHz, are more
        # than its own parser of FLAC can hold.
        output += ["-frame_size", "4096"]
    if codec in _ALL_BITS and bits > 16:
        output += ["-sample_fmt", _ALL_BITS[codec], "-bits_per_raw_sample", str(bits)]
    for key, text in (tags or {}).items():
        output += ["-metadata", f"{key}={text}"]
    raw = ["-f", "s8", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0"]
    sound = ["-map_metadata", "-1", "-af", f"lowpass=f={rate // 12},volume=0.7"]
    given = random.Random(seed).randbytes(samples * channels)
    run_ffmpeg(*raw, *sound, "-fflags", "+bitexact", *output, file_url(path), given=given)
    return path


def rendition_of(path: Path, quality: QualityLevel = "low", *, timeout_s: float = 0.0) -> Rendition:
    return make_rendition(read_source(path), quality, find_ffmpeg(), timeout_s=timeout_s)


def whole_file(rendition: Rendition) -> bytes:
    """Return the file that an undisturbed encode gives."""
    return rendition.header + b"".join(rendition.encode())


def undisturbed(path: Path, directory: Path, quality: QualityLevel = "low") -> bytes:
    """Return what a cache of its own stores of a source."""
    return AudioCache(directory / "undisturbed").transcode_file(path, quality).read_bytes()


def split_frames(audio: bytes, bitrate_bps: int) -> list[bytes]:
    """Return the frames of a stream by what their own headers say of their sizes."""
    frames, at = [], 0
    base = 144 * bitrate_bps // mp3.SAMPLE_RATE_HZ
    while at < len(audio):
        assert audio[at : at + 2] == b"\xff\xfb", f"no frame at byte {at}"
        size = base + (audio[at + 2] >> 1 & 1)
        frames.append(audio[at : at + size])
        at += size
    return frames


def decode_stereo(path: Path) -> np.ndarray:
    """Return the audio at 44.1 kHz in stereo, as float, with what ffmpeg itself makes of it."""
    options = ["-map", "0:a:0", "-ar", "44100", "-ac", "2", "-f", "f32le", "pipe:1"]
    return np.frombuffer(run_ffmpeg("-i", file_url(path), *options).stdout, "<f4").reshape(-1, 2)


def find_lag(made: np.ndarray, source: np.ndarray) -> int:
    """Return by how many samples one recording is later than another."""
    size = 2 ** (len(made) + len(source)).bit_length()
    spectrum = np.fft.rfft(made.sum(1), size) * np.conj(np.fft.rfft(source.sum(1), size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


def make_identity(**changes: object) -> Identity:
    """Return an identity, with some of its fields changed."""
    fields: dict[str, object] = {
        "layout": 1,
        "quality": "low",
        "frames": 116,
        "samples": 132_300,
        "size_bytes": 5_000,
        "mtime_ns": 1_700_000_000_000_000_000,
        "fingerprint": "flac-md5:00112233445566778899aabbccddeeff",
        "encoder": "ffmpeg-1",
        "path": "/music/a%20song.flac",
    }
    return Identity(**{**fields, **changes})  # type: ignore[arg-type]


class StubFFmpeg:
    """A program that takes ffmpeg's place and writes down each start but those for its version.

    Args:
        directory: where it is put.
        body: shell code in place of an encode; the real ffmpeg encodes where it is empty.
    """

    def __init__(self, directory: Path, body: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "ffmpeg"
        self._log = directory / "starts"
        self._log.touch()
        real = imageio_ffmpeg.get_ffmpeg_exe()
        self.path.write_text(
            f'#!/bin/sh\n[ "$1" = -version ] && exec {real} -version\n'
            f'echo "$$ $*" >> {self._log}\n{body or f"""exec {real} "$@" """}\n'
        )
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def starts(self) -> list[str]:
        """Return the arguments of each start so far."""
        return [line.partition(" ")[2] for line in self._log.read_text().splitlines()]

    def pids(self) -> list[int]:
        return [int(line.split(" ", 1)[0]) for line in self._log.read_text().splitlines()]


@lru_cache(maxsize=1)
def can_mount() -> bool:
    """Say whether this user may mount file systems."""
    command = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return when a condition holds; fail after a generous while."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.002)


def processes_naming(name: str) -> list[int]:
    """Return the processes that have a name in their arguments, this one left out."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and int(directory.name) != os.getpid():
            try:
                arguments = (directory / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(name) in arguments:
                found.append(int(directory.name))
    return found
