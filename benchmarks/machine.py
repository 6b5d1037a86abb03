"""The machine that the figures belong to: what it is, never what it is called."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from audio_cache.encoding.ffmpeg import FFmpeg, find_ffmpeg
from audio_cache.settings import AudioCacheSettings


@dataclass(frozen=True)
class Machine:
    """Processor, memory and programs; figures of other machines differ."""

    cpu: str
    cores: int
    memory_gb: int
    kernel: str
    python: str
    ffmpeg: str

    def text(self) -> str:
        """Return one line for people."""
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gb} GB; {self.kernel}; "
            f"Python {self.python}; ffmpeg {self.ffmpeg}"
        )


def describe_machine() -> Machine:
    """Return this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # Behind the number stands whose build of the kernel it is, which makes no difference here.
    release = re.match(r"[\d.]+", platform.release())
    return Machine(
        cpu=_cpu_model(),
        cores=usable_cores(),
        memory_gb=round(memory / 2**30),
        kernel=f"{platform.system()} {release[0] if release else ''}".strip(),
        python=platform.python_version(),
        ffmpeg=chosen_ffmpeg().identity.removeprefix("ffmpeg-").rpartition("-")[0],
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def chosen_ffmpeg() -> FFmpeg:
    """Return the ffmpeg that the settings choose; every comparison uses the same one."""
    return find_ffmpeg(AudioCacheSettings().ffmpeg)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
