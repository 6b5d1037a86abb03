"""ffmpegs on standby: started ahead of time, so that nobody waits until one is loaded.

Before it reads its arguments ffmpeg has to be loaded, which takes a quarter of a cold start: a
build of 170 MB has 200,000 addresses in it that depend on where in memory it lies. One on standby
has that behind it. The value of its first option comes from a pipe that stays open (`-/option` with
a file, of ffmpeg 7), and there it waits. Whatever is decided later stands in files in memory, and
its source is a descriptor of ours that points nowhere until then. All of them it opens by the names
that /proc has for what we hold, so none outlives us: as we end, the pipe does, and so does ffmpeg.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import termios
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..sources.reader import HAS_DESCRIPTORS
from .launch import (
    INPUT,
    OPENING,
    OUTPUT,
    Launched,
    close_all,
    end_process,
    filled,
    open_pipes,
    start,
)

# The option that it waits at, and its default. A blank is no number, so it ends if no more comes.
_GATE: Final = "max_alloc"
_FIRST, _REST = b" ", b"2147483647"
_READY_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.002
_logger: Final = logging.getLogger(__name__)
# What is missing where ffmpeg could not open what we hold, or knows no option with a file.
_CAN_WAIT: Final = hasattr(os, "memfd_create") and HAS_DESCRIPTORS


class Late(str):
    """A word of ffmpeg's arguments, the value of an option, that may be told after its start."""

    __slots__ = ()


def take(
    program: str, arguments: Sequence[str], sources: Sequence[int], outputs: int
) -> Launched | None:
    """Let an ffmpeg on standby begin; None where none is ready for this.

    Args:
        program, arguments, sources, outputs: as for `launch.launch`.
    """
    if len(sources) != 1:
        return None
    return _standby.take(_Kind.of(program, arguments, outputs), arguments, sources[0])


def keep_ready(most: int) -> None:
    """Keep so many ffmpegs on standby from now on, of the kinds that listeners needed last."""
    _standby.most = max(_standby.most, most) if _CAN_WAIT else 0


def make_ready(program: str, arguments: Sequence[str], outputs: int) -> None:
    """Put an ffmpeg on standby in the place of one that was used, or before the first is needed.

    Args:
        program, arguments, outputs: as for `launch`.
    """
    _standby.stock(_Kind.of(program, arguments, outputs))


def wait_until_ready() -> None:
    """Wait until those on standby are loaded, if that takes no more than some seconds."""
    _standby.settle()


def end_all() -> None:
    """End the ffmpegs that wait."""
    _standby.clear()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What has to be known of a job when its ffmpeg is put on standby.

    Args:
        words: the arguments, with None for each that is told late.
    """

    program: str
    words: tuple[str | None, ...]
    outputs: int

    @classmethod
    def of(cls, program: str, arguments: Sequence[str], outputs: int) -> _Kind:
        words = tuple(None if isinstance(word, Late) else word for word in arguments)
        return cls(program, words, outputs)

    @property
    def can_wait(self) -> bool:
        """Say whether its one source is told by its name alone."""
        named = [word for word in self.words if word is not None and "{in" in word]
        return named == [f"file:{INPUT}"]


class _Waiting:
    """One ffmpeg on standby.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, kind: _Kind) -> None:
        self.kind = kind
        self._started_at = time.monotonic()
        self._gate: list[int] = []
        self._lent: list[int] = []
        self._pipes: list[int] = []
        self._values: list[int] = []
        try:
            self._start()
        except OSError:
            self._close()
            raise
        # Our own end to read from is open, so that this fails at no ffmpeg that has ended.
        os.write(self._gate[0], _FIRST)

    def _start(self) -> None:
        read_end, gate = os.pipe()
        self._gate = [gate]
        _gates.add(gate)
        self._lent = [read_end]
        self._source = self._lend(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        words = ["-/" + _GATE, _name(read_end)]
        for word in self.kind.words:
            if word is None:
                value = self._lend(os.memfd_create("option", os.MFD_CLOEXEC))
                self._values.append(value)
                words += ["-/" + words.pop().removeprefix("-"), _name(value)]
            else:
                words.append(filled(word, [_name(self._source)]))
        self._pipes, write_ends, told = open_pipes(words, self.kind.outputs)
        self._told = [f"pipe:{each}" for each in write_ends]
        try:
            # Not by setpriv: that would end it together with the thread that started it.
            self._process = start([self.kind.program, *OPENING, *told], write_ends)
        finally:
            close_all(write_ends)

    def _lend(self, descriptor: int) -> int:
        self._lent.append(descriptor)
        return descriptor

    def _close(self) -> None:
        self._close_gate()
        close_all([*self._lent, *self._pipes])

    def _close_gate(self) -> None:
        gate, self._gate = self._gate, []
        _gates.difference_update(gate)
        close_all(gate)

    @property
    def is_over(self) -> bool:
        """Say whether it has ended without having been used."""
        return self._process.poll() is not None

    @property
    def is_stuck(self) -> bool:
        """Say whether it should be ready long since, and is not."""
        return time.monotonic() > self._started_at + _READY_WITHIN_S and not self.is_ready

    @property
    def has_failed(self) -> bool:
        """Say whether it has ended of itself; one that was killed says nothing of its program."""
        return (self._process.poll() or -1) > 0

    @property
    def is_ready(self) -> bool:
        """Say whether it waits at the gate."""
        unread = fcntl.ioctl(self._gate[0], termios.FIONREAD, struct.pack("i", 0))
        return not self.is_over and struct.unpack("i", unread) == (0,)

    def begin(self, arguments: Sequence[str], source: int) -> Launched:
        """Tell it the rest."""
        late = [word for word in arguments if isinstance(word, Late)]
        for value, word in zip(self._values, late, strict=True):
            os.write(value, word.encode())
        os.dup2(source, self._source, inheritable=False)
        # It may have ended since, which whoever reads from it will see.
        os.write(self._gate[0], _REST)
        self._close_gate()
        names = iter(self._told)
        told = [next(names) if word == OUTPUT else str(word) for word in arguments]
        words = [self.kind.program, *OPENING, *told]
        return Launched(self._process, words, [_name(self._source)], self._pipes, self._lent)

    def end(self) -> None:
        """End it; what it said is of no use to anybody."""
        end_process(self._process)
        self.forget()

    def forget(self) -> None:
        """Close all that is ours of it."""
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._close()


def _name(descriptor: int) -> str:
    """Return what others may open one of our descriptors by."""
    return f"/proc/{os.getpid()}/fd/{descriptor}"


class _Standby:
    """The ffmpegs of this process that wait, one of each kind.

    Attributes:
        most: how many there may be.
    """

    def __init__(self) -> None:
        self.most = 0
        self._lock = threading.Lock()
        # By when a kind was needed last, the latest at the end; None where none waits.
        self._waiting: OrderedDict[_Kind, _Waiting | None] = OrderedDict()
        # Programs that knew no option with a file, or could not open what we hold.
        self._unable: set[str] = set()

    def take(self, kind: _Kind, arguments: Sequence[str], source: int) -> Launched | None:
        """Let one of a kind begin; None where none is ready."""
        with self._lock:
            waiting = self._waiting.get(kind)
            if waiting is None or not (waiting.is_ready or waiting.is_over):
                return None
            self._waiting[kind] = None
        if waiting.is_over:
            self._note_end(waiting)
            return None
        try:
            return waiting.begin(arguments, source)
        except OSError:
            waiting.end()
            return None

    def stock(self, kind: _Kind) -> None:
        """Start one of a kind unless one waits; the kind that was needed least lately gives way."""
        if not self.most or kind.program in self._unable or not kind.can_wait:
            return
        superfluous: list[_Waiting | None] = []
        with self._lock:
            waiting = self._waiting.get(kind)
            is_there = waiting is not None and not waiting.is_stuck
            if not is_there:
                superfluous.append(waiting)
                self._waiting[kind] = None
            self._waiting.move_to_end(kind)
            while len(self._waiting) > self.most:
                superfluous.append(self._waiting.popitem(last=False)[1])
        for each in superfluous:
            if each is not None:
                each.end()
        if is_there:
            return
        try:
            fresh = _Waiting(kind)
        except OSError:
            return  # No memory or no descriptors: then there is none.
        with self._lock:
            is_wanted = kind in self._waiting and self._waiting[kind] is None
            if is_wanted:
                self._waiting[kind] = fresh
        if not is_wanted:
            fresh.end()

    def settle(self) -> None:
        """Wait until all that were started have come to where they wait, or have ended."""
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            with self._lock:
                started = [each for each in self._waiting.values() if each is not None]
                if all(each.is_ready or each.is_over for each in started):
                    return
            time.sleep(_LOOK_EVERY_S)

    def _note_end(self, waiting: _Waiting) -> None:
        program = waiting.kind.program
        if waiting.has_failed and program not in self._unable:
            self._unable.add(program)
            _logger.info("%s cannot wait for listeners, so it is started for each", program)
        waiting.forget()

    def clear(self) -> None:
        """End all that wait."""
        self._empty(_Waiting.end)

    def forget(self) -> None:
        """Leave to the parent what is the parent's, in a process that was forked from it."""
        self._lock = threading.Lock()
        self._empty(_Waiting.forget)
        # Of those that were about to wait, or to begin, in other threads.
        close_all(_gates)
        _gates.clear()

    def _empty(self, end: Callable[[_Waiting], None]) -> None:
        with self._lock:
            ended = [each for each in self._waiting.values() if each is not None]
            self._waiting.clear()
        for each in ended:
            end(each)


# The ends of ours that keep gates open, whoever holds them at the moment.
_gates: Final[set[int]] = set()
_standby: Final = _Standby()
if hasattr(os, "register_at_fork"):
    # The pipe that one waits at would not end with the parent if a child held it too.
    os.register_at_fork(after_in_child=_standby.forget)
