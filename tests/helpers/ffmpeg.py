"""A program that takes ffmpeg's place, and writes down what it was started for."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from tests.helpers.processes import is_alive

# exec, so that the process that was started is the ffmpeg and can be ended as one. Each line of
# the log holds its process id, how many of those before it still ran when it started, and what it
# was to do.
_SCRIPT = """#!/bin/sh
# As an ffmpeg before 7 it is never on standby, so that each start is one for a listener or a file.
case " $*" in *" -/"*) exit 1 ;; esac
if [ "$1" != -version ]; then
    running=0
    while read -r other _; do
        [ -r /proc/$other/stat ] && read -r _ _ state _ 2>/dev/null < /proc/$other/stat &&
            [ "$state" != Z ] && [ "$state" != X ] && running=$((running + 1))
    done < {log}
    said="$*"
    for word; do
        case "$word" in
            # The file to read comes open; its name is what tests know.
            *file:/proc/self/fd/*)
                fd="${{word##*/}}"
                after="${{said#*file:/proc/self/fd/"$fd"}}"
                said="${{said%%file:/proc/self/fd/*}}file:$(readlink "/proc/$$/fd/$fd")$after"
                ;;
        esac
    done
    echo "$$ $running $said" >> {log}
    {before}
    case "$*" in
        *" -ss "* | *start_sample*) exec {ffmpeg} {seek} "$@" ;;
        *libmp3lame*) exec {ffmpeg} {whole} "$@" ;;
    esac
fi
exec {ffmpeg} "$@"
"""


@dataclass(frozen=True)
class Start:
    """One ffmpeg that was started."""

    pid: int
    others: int
    arguments: str

    @property
    def is_whole(self) -> bool:
        """Say whether it began at the track's start, as only the encode of a file does."""
        return "-ss" not in self.arguments.split() and "start_sample" not in self.arguments

    @property
    def is_encode(self) -> bool:
        """Say whether it was to make frames, and not to decode alone: to count, or to check."""
        return "libmp3lame" in self.arguments.split()

    @property
    def is_running(self) -> bool:
        return is_alive(self.pid)


class StubFFmpeg:
    """An ffmpeg that writes down each of its starts but those for its version.

    Args:
        directory: where it is put.
        before: shell code that runs before each start; `exit` or `exec` in it take its place.
        speed: limits how fast it makes files from their start, as a multiple of real time; None
            is no limit.
        seek_speed: does so for seeks and resumed encodes.
    """

    def __init__(
        self,
        directory: Path,
        before: str = ":",
        *,
        speed: float | None = None,
        seek_speed: float | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "ffmpeg"
        self._log = directory / "ffmpeg.log"
        self._log.touch()
        self.path.write_text(
            _SCRIPT.format(
                log=self._log,
                before=before,
                ffmpeg=imageio_ffmpeg.get_ffmpeg_exe(),
                whole=_limit(speed),
                seek=_limit(seek_speed),
            )
        )
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def starts(self) -> list[Start]:
        """Return what was started so far, in order."""
        lines = [line.split(" ", 2) for line in self._log.read_text().splitlines()]
        return [Start(int(pid), int(others), arguments) for pid, others, arguments in lines]

    def encodes(self) -> list[Start]:
        return [start for start in self.starts() if start.is_encode]

    def checks(self) -> list[Start]:
        return [start for start in self.starts() if not start.is_encode]

    def running(self) -> list[Start]:
        return [start for start in self.starts() if start.is_running]

    @contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Hold one of its processes for a while."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _limit(speed: float | None) -> str:
    # Without the second option a late ffmpeg slows down further, to a crawl.
    return "" if speed is None else f"-readrate {speed} -readrate_catchup 1000"
