"""What ffmpeg may do to this machine: it reads files of others, which may be made to harm it."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
from collections.abc import Iterable, Mapping
from typing import Final

# Its own needs, and what a build in a place of its own finds its libraries by. Nothing else: a
# password in our environment is none of its business.
_PASSED_ON: Final = ("HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
# ffmpeg knows one language. The programs that start it would open twenty files for another.
_LOCALE: Final = {"LC_ALL": "C"}
# Eight times what 24 bits at 352.8 kHz in eight channels take to three qualities. Memory that it
# reserves and does not use is not counted: at 128 MB for each of its threads that is most of it.
MEMORY_BYTES: Final = 1 << 30
# It writes to pipes, which have no size.
_FILE_BYTES: Final = 1 << 20
# So many threads may be at work while we wait for one second.
_CORES: Final = 8
_LEAST_CPU_S: Final = 60
# What ffmpeg says where it gets no memory, and where it gets no thread.
_STARVED: Final = ("Cannot allocate memory", "Resource temporarily unavailable")


def environment(of: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of ffmpeg: what it gets to see of ours, and no language."""
    # By name: to look through all of ours takes longer than the rest of a start's preparations.
    return {name: of[name] for name in _PASSED_ON if name in of} | _LOCALE


def confine(pid: int, wait_limit_s: float) -> None:
    """Limit memory, processor time and files of a process that was just started.

    From outside, which takes 20 µs: a program that sets them and then becomes ffmpeg, such as
    prlimit(1), would take a millisecond of each start. Where a system cannot, it goes without.

    Args:
        pid: a process of this user.
        wait_limit_s: how long it will be waited for; its processor time follows from that.
    """
    if not hasattr(resource, "prlimit"):
        return
    cpu_s = _cpu_limit_s(wait_limit_s)
    for kind, most in (
        (resource.RLIMIT_DATA, MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # It may be over already, or where it runs nobody may limit others.
        with contextlib.suppress(OSError):
            resource.prlimit(pid, kind, (limit, limit))


def _cpu_limit_s(wait_limit_s: float) -> int:
    return _LEAST_CPU_S + math.ceil(min(wait_limit_s, 1e12)) * _CORES


def limit_met(returncode: int, said: Iterable[str], wait_limit_s: float) -> str | None:
    """Return what kept ffmpeg from its work, as it follows its name; None if its source may have.

    Args:
        returncode: its exit status, the negative number of a signal where one ended it.
        said: its errors.
        wait_limit_s: as for `confine`.
    """
    if returncode == -signal.SIGKILL:
        return (
            f"was killed: after {_cpu_limit_s(wait_limit_s):,} s of processor time, which "
            "AUDIO_CACHE_ENCODE_TIMEOUT_S limits, or because this machine has no memory left"
        )
    if returncode < 0:
        return f"was ended by signal {-returncode}"
    if returncode and any(sign in line for line in said for sign in _STARVED):
        return (
            f"got no memory or no threads: it may have {MEMORY_BYTES >> 20:,} MB, or this machine "
            "has none left"
        )
    return None
