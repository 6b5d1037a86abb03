"""Processes of this machine: which run, and what this one holds open."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Say whether a process runs, one that waits to be reaped not counted."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def processor_s() -> float:
    """Return the seconds of processors that this process and its ended children have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def open_files() -> list[str]:
    """Return each descriptor that this process holds, with what it leads to.

    What waits to be collected is left out: a cache that was forgotten holds the three of its index
    until then.
    """
    gc.collect()
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            found.append(f"{descriptor} {os.readlink(f'/proc/self/fd/{descriptor}')}")
    return sorted(found)


def processes_naming(name: str) -> list[int]:
    """Return the processes that have a name in their arguments, or a file of that name open.

    This process is left out.
    """
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and int(directory.name) != os.getpid():
            try:
                known = [(directory / "cmdline").read_bytes()]
                known += [os.fsencode(os.readlink(each)) for each in directory.glob("fd/*")]
            except OSError:
                continue
            if any(os.fsencode(name) in each for each in known):
                found.append(int(directory.name))
    return found
