"""What can go wrong, each with the words that a person needs to mend it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Final

# "[flac @ 0x55876dca10c0] " before a message names a part of ffmpeg and where it was in memory.
_CONTEXT: Final = re.compile(r"^\s*(?:\[[^]]* @ 0x[0-9a-f]+\]\s*)*")


class AudioCacheError(Exception):
    """The base of every error that this package raises on its own account."""


class ConfigError(AudioCacheError, ValueError):
    """Settings cannot be used; the message names each bad one and what it takes."""


class FFmpegNotFoundError(AudioCacheError, FileNotFoundError):
    """No ffmpeg can be started, so nothing can be encoded."""


class QualityError(AudioCacheError, ValueError):
    """A text names no quality level."""


class EncodeError(AudioCacheError, subprocess.CalledProcessError):
    """A source could not be turned into a rendition; nothing was stored.

    Args:
        reason: what happened, in words for people, naming the file.
        returncode: exit status of ffmpeg; 0 where ffmpeg itself was content.
        cmd: the command that ran.
        stderr: the last lines that ffmpeg wrote.
    """

    def __init__(
        self, reason: str, *, returncode: int = 0, cmd: Sequence[str] = (), stderr: str = ""
    ) -> None:
        subprocess.CalledProcessError.__init__(self, returncode, list(cmd), stderr=stderr)
        self.reason = reason

    def __str__(self) -> str:
        # The first line is the cause, what follows it mostly consequences.
        said = self.stderr.strip().splitlines()[:1] if self.stderr else []
        if said:
            return f"{self.reason} (ffmpeg said: {_CONTEXT.sub('', said[0])})"
        if self.returncode < 0:
            return f"{self.reason} (ffmpeg was killed by signal {-self.returncode})"
        return self.reason + (f" (ffmpeg ended with {self.returncode})" if self.returncode else "")


class EncodeInterruptedError(AudioCacheError):
    """An encode was ended from within this process: cancelled, superseded, or at a shutdown.

    What it had made stays, and the next encode goes on from there.
    """


class LiveUnavailableError(AudioCacheError):
    """A rendition cannot be played while it is made, so the original has to do."""
