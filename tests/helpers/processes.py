"""Processes of this machine: which run, and what this one has open."""

from __future__ import annotations

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Say whether a process runs, one that waits to be reaped not counted."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def open_files() -> list[str]:
    """Return the numbers of the descriptors that this process has open."""
    return sorted(os.listdir("/proc/self/fd"))


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
