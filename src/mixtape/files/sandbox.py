"""Sandboxes: processes of their own that read content of strangers, and which can be ended.

A picture of some kilobytes can keep its decoder busy for minutes, and a tag its parser; nothing
within a process can stop them.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from typing import IO, Final

from ..errors import AudioFileError, PictureError
from ..messages import Message
from . import sandbox_process
from .sandbox_process import Answer, Words, receive, send

# The largest pictures take 1 to 2 s, on a small computer three times as long.
CPU_S: Final = 10
# Others may need the processor too.
REAL_S: Final = 60
_MOST: Final = 4
_ENDED_WITHIN_S: Final = 10.0
_PASSED_ON: Final = frozenset(
    {"HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME"}
    | {"PYTHONPATH", "PYTHONPYCACHEPREFIX", "TMPDIR"}
)


class SandboxError(Exception):
    """Content ended the process that read it: it took too much time, or made its reader crash.

    Args:
        message: which of them, after the name of the content.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class _CrashError(SandboxError):
    """A process was ended by another signal than those of the limits of time."""

    def __init__(self, number: int) -> None:
        super().__init__(Message("makes what reads it crash (signal %(number)s)", number=number))
        self.signal = number


class Sandboxes:
    """Some processes that answer questions, started when they are needed and used again.

    Args:
        most: how many there are at once; who asks while all are busy waits.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._free = threading.BoundedSemaphore(most)
        self._idle: list[subprocess.Popen[bytes]] = []

    def ask(self, task: str, words: Words, content: bytes = b"") -> Answer:
        """Return the answer to a question.

        Raises:
            SandboxError: the content ended the process, and would again.
            PictureError, AudioFileError, OSError: as the task has it; OSError too where no process
                can be started.
            ValueError: something else went wrong with the content; the message says what.
        """
        question = {"task": task, "cpu_s": CPU_S, "real_s": REAL_S, **words}
        with self._free:
            answer = self._ask_idle(question, content) or self._ask_new(question, content)
        _raise_error(answer[0])
        return answer

    def close(self) -> None:
        """End the processes that are idle."""
        while self._idle:
            _end(self._idle.pop())

    def forget(self) -> None:
        """Leave the processes to whoever started them: this process is a fork of that one."""
        self._free = threading.BoundedSemaphore(self._most)
        while self._idle:
            process = self._idle.pop()
            process.returncode = 0  # it is no child of this process, so never to be waited for
            _close(process)

    def _ask_idle(self, question: Words, content: bytes) -> Answer | None:
        """Return what one that was used before says; None if a new one is to be asked.

        One that crashes may have been killed while it was idle, which shows a moment later. So it
        says nothing about the content: only a process that was started for it does.
        """
        while True:
            try:
                process = self._idle.pop()
            except IndexError:
                return None
            if process.poll() is not None:
                _close(process)
                continue
            try:
                answer = self._converse(process, question, content)
            except _CrashError:
                return None
            if answer is not None:
                return answer

    def _ask_new(self, question: Words, content: bytes) -> Answer:
        try:
            answer = self._converse(_start(), question, content)
        except _CrashError as error:
            if error.signal != signal.SIGKILL:
                raise
            # Nobody here does that: the system is short of memory, which says nothing of content.
            said = "the process that reads pictures and tags was killed"
            raise OSError(errno.ENOMEM, said) from error
        if answer is None:
            raise OSError(errno.ECHILD, "the process that reads pictures and tags does not start")
        return answer

    def _converse(
        self, process: subprocess.Popen[bytes], question: Words, content: bytes
    ) -> Answer | None:
        """Return an answer; None where the process had ended before the question came.

        Raises:
            SandboxError: it ended over the question.
        """
        answer = None
        try:
            send(_pipe(process.stdin), question, content)
            answer = receive(_pipe(process.stdout))
        except (BrokenPipeError, ValueError):
            pass
        finally:
            if answer is None:
                _end(process)
        if answer is None:
            _judge(process.returncode, question)
            return None
        self._idle.append(process)
        return answer


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: not even the working directory may give it modules of its own.
        [sys.executable, "-P", "-m", sandbox_process.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            name: value
            for name, value in os.environ.items()
            if name in _PASSED_ON or name.startswith("LC_")
        },
        process_group=0,  # out of reach of Ctrl+C; it ends with its parent
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _judge(code: int, question: Words) -> None:
    """Raise SandboxError if a signal ended the process; one long idle ends by itself."""
    if code >= 0:
        return
    if -code in (signal.SIGXCPU, signal.SIGALRM):
        limit = question["cpu_s"] if -code == signal.SIGXCPU else question["real_s"]
        raise SandboxError(
            Message("takes longer to read than the %(limit)s s that there are for it", limit=limit)
        )
    raise _CrashError(-code)


def _raise_error(words: Words) -> None:
    kind, said = words.get("error"), words.get("said", "")
    if kind is None:
        return
    if kind == PictureError.__name__:
        raise PictureError(Message.known(said, words["values"]))
    if kind == OSError.__name__ and words.get("errno"):
        raise OSError(words["errno"], os.strerror(words["errno"]))
    if kind == AudioFileError.__name__:
        raise AudioFileError(said)
    raise ValueError(said)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            # What was to be written to it cannot arrive any more.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end as its input does, which tells how it fared; else end it."""
    _close(process)
    try:
        process.wait(_ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


SANDBOXES: Final = Sandboxes()
atexit.register(SANDBOXES.close)
os.register_at_fork(after_in_child=SANDBOXES.forget)
