"""ffmpeg, which only this module starts: found, run within limits, and ended."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from ..errors import EncodeError, EncodeInterruptedError, FFmpegNotFoundError
from ..quality import DEFAULT_EFFORT, Effort, QualitySetting, compression_level
from ..sources.source import Source, open_source
from . import standby
from .confinement import confine, environment, limit_met
from .launch import end_process, filled, launch

_READ_BYTES: Final = 1 << 16
_ERROR_LINES: Final = 40
_POLL_AT_MOST_MS: Final = 2**31 - 1
_NICEST: Final = 19
# The exit status of nice, setpriv and every shell if a program is missing or can't be started.
_NOT_STARTED: Final = (126, 127)


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """An ffmpeg that can be started.

    `identity` names the build: two builds may round differently, so renditions of both differ.
    `effort` is how much its encoder is to work.
    """

    path: str
    identity: str
    effort: Effort = DEFAULT_EFFORT

    def encoder(self, setting: QualitySetting) -> str:
        """Return what renditions of a quality say of who made them: the build, and LAME's `-q`."""
        return f"{self.identity}-q{compression_level(self.effort, setting)}"


def find_ffmpeg(configured: Path | str | None = None, effort: Effort = DEFAULT_EFFORT) -> FFmpeg:
    """Return the ffmpeg to use: the configured one, else imageio-ffmpeg's, else the one on PATH.

    `effort` is how much its encoder is to work.

    Raises:
        FFmpegNotFoundError: there is none, or it cannot be started.
    """
    path = str(configured) if configured else _bundled_ffmpeg() or shutil.which("ffmpeg")
    if not path:
        raise FFmpegNotFoundError(
            "no ffmpeg: install the package imageio-ffmpeg, or set AUDIO_CACHE_FFMPEG to one"
        )
    return FFmpeg(path, _identify(path), effort)


def _bundled_ffmpeg() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


@functools.lru_cache(maxsize=8)
def _identify(path: str) -> str:
    try:
        said = subprocess.run(
            [path, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
            env=environment(),
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise FFmpegNotFoundError(
            f"ffmpeg at {path} cannot be started ({error}): set AUDIO_CACHE_FFMPEG to one that can"
        ) from error
    words = said.split(b"\n", 1)[0].decode("ascii", "replace").split()
    version = words[2] if len(words) > 2 else "unknown"
    return f"ffmpeg-{version}-{hashlib.sha256(said).hexdigest()[:8]}"


@dataclass(slots=True)
class Report:
    """ffmpeg's own account of a finished run."""

    returncode: int
    stderr: str
    decoded_samples: int | None
    decode_errors: int
    encoded_samples: tuple[int, ...]


class FFmpegRun:
    """One ffmpeg process, from start to end, read by the thread that started it.

    The kernel ends ffmpeg with that thread (`setpriv --pdeathsig`, if util-linux is installed), and
    elsewhere, as where it was on standby, a closed pipe does as soon as it writes: no ffmpeg
    outlives its parent by more than that, not even one that was killed.
    It sees little of our environment and has limits of its own (`confinement.py`).

    Args:
        arguments: what follows the program's name; the word `{out}` stands for an output pipe, in
            the order of the outputs, and `INPUT` in one for the source.
        source: the file to decode, which ffmpeg gets open: by its name it could find another one.
        others: further ones, which the words of `input_word` stand for, from 1 on.
        outputs: how many pipes to read.
        on_line: is given each line that ffmpeg says.
        wait_limit_s: seconds in total that may be spent waiting for ffmpeg; the pauses of a reader,
            such as a slow listener, don't count.
        nice: CPU niceness, 0 if a listener is waiting.
        is_hurried: it is one on standby, where there is one; afterwards there will be another.
    """

    def __init__(
        self,
        ffmpeg: FFmpeg,
        arguments: Sequence[str],
        *,
        source: Source | None = None,
        others: Sequence[Source] = (),
        outputs: int = 1,
        on_line: Callable[[str], None] | None = None,
        wait_limit_s: float = 600.0,
        nice: int = 0,
        is_hurried: bool = False,
    ) -> None:
        self._wait_left_s = self._wait_limit_s = wait_limit_s
        self._killed = False
        self._nice = nice
        self._is_hurried = is_hurried and nice == 0
        self._on_line = on_line
        self._program = ffmpeg.path
        sources = () if source is None else (source, *others)
        self._names = [os.fspath(each.file.path) for each in sources]
        self._name = ", ".join(self._names)
        self._said = bytearray()
        self._errors: list[str] = []
        self._facts: list[str] = []
        with contextlib.ExitStack() as stack:
            opened = [stack.enter_context(open_source(each)) for each in sources]
            self._start(arguments, outputs, opened)
        confine(self._process.pid, wait_limit_s)
        with _running_lock:
            _running.add(self)

    def _start(self, arguments: Sequence[str], outputs: int, opened: list[int]) -> None:
        """Start it with the pipes that it writes to and the files that it reads."""
        job = self._program, arguments, opened, outputs
        try:
            launched = (self._is_hurried and standby.take(*job)) or launch(*job, self._nice)
        except OSError as error:
            raise FFmpegNotFoundError(f"cannot start {self._program}: {error}") from error
        self._process = launched.process
        self._inputs = launched.inputs
        self._lent = launched.lent
        # What it is called in errors: as one would type it to see the same.
        self.command = [filled(word, self._names) for word in launched.words]
        self._outputs = {read_end: index for index, read_end in enumerate(launched.pipes)}
        self._told = arguments, outputs

    def __enter__(self) -> FFmpegRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Yield (output, bytes) as ffmpeg writes them, until it has closed every output.

        Raises:
            EncodeError: ffmpeg took longer than the limit and was ended.
        """
        assert self._process.stderr is not None
        stderr = self._process.stderr.fileno()
        poll = select.poll()
        for fd in (stderr, *self._outputs):
            poll.register(fd, select.POLLIN)
        open_fds = {stderr, *self._outputs}
        while open_fds:
            started = time.monotonic()
            events = poll.poll(min(max(0.0, self._wait_left_s) * 1000, _POLL_AT_MOST_MS))
            self._wait_left_s -= time.monotonic() - started
            if not events:
                self._overdue()
            for fd, _ in events:
                data = os.read(fd, _READ_BYTES)
                if not data:
                    poll.unregister(fd)
                    open_fds.discard(fd)
                elif fd == stderr:
                    self._hear(data)
                else:
                    yield self._outputs[fd], data

    def finish(self) -> Report:
        """Wait for ffmpeg to end by itself and return what it said; the outputs must be read.

        Raises:
            FFmpegNotFoundError: it could not be started.
            EncodeInterruptedError: `kill` ended it.
            EncodeError: it took longer than the limit and was ended, or met another of its limits.
        """
        try:
            code = self._process.wait(timeout=max(1.0, self._wait_left_s))
        except subprocess.TimeoutExpired:
            self._overdue()
        if self._killed:
            raise EncodeInterruptedError("the encode was ended before it was complete")
        if code in _NOT_STARTED:
            raise FFmpegNotFoundError(f"cannot start {self._program}: is it still there?")
        self._hear(b"\n")
        if limit := limit_met(code, self._errors, self._wait_limit_s):
            raise self._stopped(f"ffmpeg {limit}", code)
        return _report(code, self._errors, self._facts)

    def close(self) -> None:
        """End ffmpeg if it is still running, and free its resources. Closing again does nothing."""
        is_first = bool(self._outputs)
        if self._process.poll() is None:
            end_process(self._process)
        for fd in (*self._outputs, *self._lent):
            os.close(fd)
        self._outputs, self._lent = {}, []
        if self._process.stderr is not None:
            self._process.stderr.close()
        with _running_lock:
            _running.discard(self)
        # Who was killed made place for one that starts at this moment, which goes first.
        if is_first and self._is_hurried and not self._killed:
            standby.make_ready(self._program, *self._told)

    def kill(self) -> None:
        """End ffmpeg from another thread; its reader gets an EncodeInterruptedError from finish."""
        self._killed = True
        end_process(self._process)

    def stand_back(self, nice: int) -> None:
        """Raise ffmpeg's niceness to this, from any thread; it can't be lowered again."""
        if nice <= self._nice or self._process.returncode is not None:
            return
        self._nice = nice
        # The group, since a process id stands for one of its threads only.
        with contextlib.suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PGRP, self._process.pid, min(_NICEST, own + nice))

    def _overdue(self) -> NoReturn:
        self._process.kill()
        raise self._stopped(
            f"ffmpeg was ended after {self._wait_limit_s:.0f} s of waiting for it; "
            "AUDIO_CACHE_ENCODE_TIMEOUT_S sets the limit",
            -signal.SIGKILL,
        )

    def _stopped(self, what: str, code: int) -> EncodeError:
        """Return the error for a run that says nothing of its source."""
        name = f"{self._name!r}: " if self._name else ""
        said = "\n".join(self._errors)
        return EncodeError(name + what, returncode=code, cmd=self.command, stderr=said)

    def _hear(self, data: bytes) -> None:
        """Keep the lines that matter: errors, and the counts that ffmpeg prints at its end."""
        self._said += data
        *lines, rest = self._said.split(b"\n")
        self._said = bytearray(rest[-4096:])
        for line in lines:
            # File names and tags in messages may hold any bytes; they must not fail a good encode.
            text = line.decode("utf-8", "replace")
            for opened, name in zip(self._inputs, self._names, strict=True):
                text = text.replace(opened, name)
            if self._on_line is not None:
                self._on_line(text)
            if _TROUBLE.match(text):
                self._errors.append(_LEVEL.sub("", text, count=1).strip())
                del self._errors[:-_ERROR_LINES]
            elif _FACT.match(text):
                self._facts.append(text)


# Only at the start of a line: tags and names, which ffmpeg prints too, may hold the same words.
_TROUBLE: Final = re.compile(r"(?:\[[^]]* @ 0x[0-9a-f]+\] )*\[(?:error|fatal|panic)\]")
_FACT: Final = re.compile(r"(?:\[[^]]* @ 0x[0-9a-f]+\] )*\[verbose\]\s+(?:In|Out)put stream #")
_LEVEL: Final = re.compile(r"\[(?:error|fatal|panic)\]\s*")
# "20670 frames decoded; 0 decode errors (2645664 samples)"; ffmpeg 5 leaves the errors out.
_DECODED: Final = re.compile(r"frames decoded;?(?: (\d+) decode errors)? \((\d+) samples\)")
_ENCODED: Final = re.compile(r"frames encoded \((\d+) samples\)")


def _report(code: int, errors: list[str], facts: list[str]) -> Report:
    decoded: int | None = None
    decode_errors = 0
    encoded = []
    for line in facts:
        if found := _DECODED.search(line):
            decoded, decode_errors = int(found[2]), int(found[1] or 0)
        elif found := _ENCODED.search(line):
            encoded.append(int(found[1]))
    return Report(code, "\n".join(errors), decoded, decode_errors, tuple(encoded))


# The runs under way in this process, so that a shutdown can end them.
_running: Final[set[FFmpegRun]] = set()
_running_lock: Final = threading.Lock()


def running_count() -> int:
    """Return how many ffmpegs this process is running."""
    return len(_running)


def end_all() -> None:
    """End every ffmpeg of this process, as a shutdown does; what they made will be resumed.

    Those on standby end too; after the next listener there will be others.
    """
    with _running_lock:
        runs = list(_running)
    for run in runs:
        run.kill()
    standby.end_all()
