"""The errors of this package; their messages say what to do about them."""

from __future__ import annotations

import errno
import re
import subprocess
from collections.abc import Sequence
from typing import Final

# "[flac @ 0x55876dca10c0] " before a message names a part of ffmpeg and where it was in memory.
_CONTEXT: Final = re.compile(r"^\s*(?:\[[^]]* @ 0x[0-9a-f]+\]\s*)*")


class AudioCacheError(Exception):
    """The base class of the errors that this package defines."""


class ConfigError(AudioCacheError, ValueError):
    """Settings are invalid; the message names each bad one and what it takes."""


class EngineUnavailableError(AudioCacheError):
    """What several hosts share is not there at the moment; nothing was begun."""


class FFmpegNotFoundError(AudioCacheError, FileNotFoundError):
    """No ffmpeg can be started, so nothing can be encoded."""


class QualityError(AudioCacheError, ValueError):
    """A text names no quality level."""


class CueSheetError(AudioCacheError, ValueError):
    """A CUE sheet cannot be used; the message says where it is wrong, and how."""


class EncodeError(AudioCacheError, subprocess.CalledProcessError):
    """A source could not be turned into a rendition; nothing was stored.

    Args:
        reason: what happened, in plain words, with the name of the file.
        returncode: exit status of ffmpeg; 0 where ffmpeg itself reported no error.
        cmd: the command that ran.
        stderr: the last lines of ffmpeg's output.
    """

    def __init__(
        self, reason: str, *, returncode: int = 0, cmd: Sequence[str] = (), stderr: str = ""
    ) -> None:
        subprocess.CalledProcessError.__init__(self, returncode, list(cmd), stderr=stderr)
        self.reason = reason

    def __str__(self) -> str:
        # The first line names the cause; the rest mostly lists its consequences.
        said = self.stderr.strip().splitlines()[:1] if self.stderr else []
        if said:
            return f"{self.reason} (ffmpeg said: {_CONTEXT.sub('', said[0])})"
        if self.returncode < 0:
            return f"{self.reason} (ffmpeg was killed by signal {-self.returncode})"
        return self.reason + (f" (ffmpeg ended with {self.returncode})" if self.returncode else "")


class DamagedSourceError(EncodeError):
    """A source is not the audio that it states.

    Args:
        name: the file's, as messages show it.
        fault: what is wrong, as it follows the name.
        at_s: the second of the first damage, if it is known.
        returncode, cmd, stderr: as for `EncodeError`.
    """

    def __init__(
        self,
        name: str,
        fault: str,
        *,
        at_s: float | None = None,
        returncode: int = 0,
        cmd: Sequence[str] = (),
        stderr: str = "",
    ) -> None:
        self.name, self.fault, self.at_s = name, fault, at_s
        # Nothing is decoded before the very beginning: then the second tells nothing.
        place = f"is damaged at {at_s:.1f} s: it " if at_s else ""
        super().__init__(f"{name} {place}{fault}", returncode=returncode, cmd=cmd, stderr=stderr)

    def found_at(self, at_s: float | None) -> DamagedSourceError:
        """Return the same error, with the second of the first damage."""
        said = {"returncode": self.returncode, "cmd": self.cmd, "stderr": self.stderr}
        return DamagedSourceError(self.name, self.fault, at_s=at_s, **said)


class NoRoomError(AudioCacheError, OSError):
    """The cache is as large as it may be, or the disk as full; the message names limit and cure."""

    def __init__(self, reason: str) -> None:
        OSError.__init__(self, errno.ENOSPC, reason)

    def __str__(self) -> str:
        return str(self.strerror)


class EncodeInterruptedError(AudioCacheError):
    """An encode was stopped from within this process: cancelled, superseded, or at shutdown.

    What it had encoded is kept, and the next encode resumes there.
    """


class LiveUnavailableError(AudioCacheError):
    """A rendition cannot be played while it is encoded, so the original is sent instead."""
