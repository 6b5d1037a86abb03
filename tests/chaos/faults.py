"""Faults: each system call of an act on a store fails once, or the process is killed at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.chaos import subject
from tests.helpers.waiting import LIMIT_S, wait_until

# The calls by which a store changes a disk or learns of it.
CALLS: Final = (
    *("openat", "read", "pread64", "write", "pwrite64", "close", "lseek"),
    *("newfstatat", "fstat", "getdents64", "statfs", "readlink", "fcntl", "flock"),
    *("fsync", "fdatasync", "ftruncate", "fallocate", "copy_file_range", "sendfile"),
    *("rename", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("mkdir", "rmdir", "mmap"),
)
KILL: Final = "signal=KILL"
FAULTS: Final = ("error=ENOSPC", "error=EIO", KILL)


@dataclass(frozen=True)
class Outcome:
    """What came of one act.

    Args:
        is_injected: the fault happened; otherwise there are no more calls of that kind.
        status: of the process, as waitpid(2) has it.
        line: the call, as strace shows it.
    """

    is_injected: bool
    status: int
    line: str

    @property
    def is_defect(self) -> bool:
        """Say whether the process ended in another way than by the fault or by an error of ours."""
        if os.WIFSIGNALED(self.status):
            return not self.is_injected
        return os.WEXITSTATUS(self.status) not in (0, subject.FAILED)


class Subject:
    """The running program, see `subject`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def act(
        self, act: str, cache_dir: Path, source: Path, fault: str, call: str, number: int
    ) -> Outcome:
        """Carry out an act, with a fault at the call of a number, from 1."""
        words = {"act": act, "cache_dir": os.fspath(cache_dir), "source": os.fspath(source)}
        self._tell(json.dumps(words))
        pid = int(_pipe(self._process.stdout).readline())
        inject = ("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}")
        command = ["strace", "-p", str(pid), "-o", str(self._log), *inject]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            attached = _pipe(tracer.stderr).readline()
            assert "attached" in attached, attached
            self._tell("go")
            status = int(_pipe(self._process.stdout).readline())
        log = self._log.read_text(errors="replace").splitlines()
        injected = [line for line in log if "(INJECTED)" in line or "SIGKILL" in line]
        return Outcome(bool(injected), status, injected[0] if injected else "")

    def _tell(self, line: str) -> None:
        stdin = _pipe(self._process.stdin)
        stdin.write(line + "\n")
        stdin.flush()


@contextmanager
def running_subject(source: Path, folder: Path) -> Iterator[Subject]:
    """Start the program and end it."""
    command = [sys.executable, "-m", subject.__name__, source]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Subject(process, folder / "strace.log")
        _pipe(process.stdin).close()
        wait_until(lambda: process.poll() is not None)


def copy_of(template: Path, target: Path) -> Path:
    """Return a copy of a cache in place of what is there, with names that are still links."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", template, target], check=True, timeout=LIMIT_S)
    return target


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
