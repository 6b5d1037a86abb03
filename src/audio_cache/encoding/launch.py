"""How ffmpeg is started: with its pipes, its sources as descriptors, and the limits that it has."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..sources.reader import DESCRIPTORS, HAS_DESCRIPTORS
from .confinement import environment

INPUT: Final = "{in}"
# Elsewhere a descriptor's own file is opened, at the place that it has; ours is at the start.
_DESCRIPTOR: Final = f"{DESCRIPTORS if HAS_DESCRIPTORS else '/dev/fd'}/{{}}"
OPENING: Final = ("-nostdin", "-hide_banner", "-nostats", "-v", "level+verbose")
OUTPUT: Final = "{out}"
_ENDED_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class Launched:
    """An ffmpeg that was started.

    Args:
        process: with its messages as `stderr`.
        words: what it was told, with the words of `input_word` for its sources.
        inputs: what it calls its sources.
        pipes: from which its outputs are read, in their order; for the taker to close.
        lent: descriptors that it opens by our names for them; for the taker to close, at its end.
    """

    process: subprocess.Popen[bytes]
    words: list[str]
    inputs: list[str]
    pipes: list[int]
    lent: list[int] = field(default_factory=list)


def launch(
    program: str, arguments: Sequence[str], sources: Sequence[int], outputs: int, nice: int = 0
) -> Launched:
    """Start ffmpeg.

    Args:
        program: its path.
        arguments: what follows the program's name; `{out}` stands for an output pipe, in the order
            of the outputs, and the words of `input_word` for the sources.
        sources: the files that it reads, open.
        outputs: how many pipes it writes to.
        nice: its niceness.

    Raises:
        OSError: it cannot be started.
    """
    inputs = [_DESCRIPTOR.format(each) for each in sources]
    pipes, write_ends, told = open_pipes(arguments, outputs)
    words = [*find_limits(nice), program, *OPENING, *told]
    try:
        process = start([filled(word, inputs) for word in words], [*sources, *write_ends])
    except OSError:
        close_all(pipes)
        raise
    finally:
        close_all(write_ends)
    return Launched(process, words, inputs, pipes)


def input_word(index: int) -> str:
    """Return the word that stands for a source in arguments; the first is 0."""
    return f"{{in{index}}}" if index else INPUT


def filled(word: str, inputs: Sequence[str]) -> str:
    """Return a word with what its sources are called in their places."""
    if "{" not in word:
        return word
    for index, name in enumerate(inputs):
        word = word.replace(input_word(index), name)
    return word


def find_limits(nice: int = 1) -> list[str]:
    """Return the programs that set ffmpeg's limits and then become it, under its process id."""
    prefix = [program, "-n", str(nice)] if nice and (program := _which("nice")) else []
    if program := _which("setpriv"):
        prefix += [program, "--pdeathsig", "KILL"]
    return prefix


_which = functools.cache(shutil.which)


def start(command: Sequence[str], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start a program that gets these descriptors, and of our environment what it needs.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=descriptors,
        env=environment(),
        # Out of reach of Ctrl+C, but in this session: Linux shares the processor among
        # sessions first (sched_autogroup), so niceness means nothing between two of them.
        process_group=0,
    )
    _schedule_as_batch(process.pid)
    return process


def _schedule_as_batch(pid: int) -> None:
    """Have the threads of a program that was just started run without interrupting each other.

    Those of ffmpeg hand over frames of 26 ms, one by one. By Linux's usual policy each that gets
    one interrupts the one it has it from; by that of batches (sched(7)) it waits until that one has
    no more to do, in its own fair share.
    """
    # A host that was given another policy has a reason.
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        # It may have ended already, and a sandbox may forbid it: then it takes a little longer.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started, whatever it does, and wait until it is gone."""
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_ENDED_WITHIN_S)


def open_pipes(arguments: Sequence[str], outputs: int) -> tuple[list[int], list[int], list[str]]:
    """Return the ends to read from, those to write to, and the arguments with these in them."""
    pipes: list[tuple[int, int]] = []
    try:
        for _ in range(outputs):
            pipes.append(os.pipe())
    except OSError:
        close_all([end for pipe in pipes for end in pipe])
        raise
    read_ends = [read_end for read_end, _ in pipes]
    write_ends = [write_end for _, write_end in pipes]
    names = iter([f"pipe:{write_end}" for write_end in write_ends])
    told = [next(names) if word == OUTPUT else word for word in arguments]
    return read_ends, write_ends, told


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors."""
    for each in descriptors:
        os.close(each)
