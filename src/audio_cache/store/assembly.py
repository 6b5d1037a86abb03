"""An assembly: several qualities of one source made at once, by any number of threads.

One ffmpeg makes all qualities from one decode. The thread that begins (the front) encodes from
where the partial files end and may do so to the end alone. If others come to help, the front stops
a little ahead of where it is, and the rest is handed out in runs of groups. Everything is appended
in order, so every partial is always a prefix of its rendition and can be resumed like any other.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from ..encoding import mp3
from ..encoding.cancellation import Cancellation
from ..encoding.ffmpeg_options import AudioCheck
from ..encoding.sample_check import IN_MEMORY_BYTES, SampleCheck
from ..encoding.together import encode_together
from ..errors import EncodeError
from .entry import PARTIAL_FOLDER
from .partial import MakeRoom, Partial, require_space

# A piece costs a start of ffmpeg and the frames in which its encoder settles, together as much as
# some 120 frames: 2 % of the longest pieces. Only the last ones are shorter, so that all threads
# finish at about the same time, and none is made for fewer frames than the least.
_LONGEST_PIECE: Final = 144 * mp3.GROUP_FRAMES
_LEAST_FRAMES: Final = 8 * mp3.GROUP_FRAMES
# For fewer it does not pay to join.
_WORTH_HELP: Final = 32 * mp3.GROUP_FRAMES
# How much of its share of what is left a thread takes at once: not all, since how fast the others
# are is a guess. A share too short to be worth joining for is taken whole.
_AT_ONCE: Final = 7 / 8
# How much further the front goes when others join it, so that it stops at a whole group.
_LEAD_FRAMES: Final = 24 * mp3.GROUP_FRAMES

Share = Callable[["Assembly"], AbstractContextManager[object]]


class Assembly:
    """Entries of one source that are made together.

    Args:
        partials: locked, all of one source.
        nice: CPU niceness of the encoders.
        cancellation: ends the encoders; what they made stays.
        on_growth: is told the bytes that are there of the first quality, and how many it has.
        check: is given the decoded samples. Where several threads share the source, those of the
            pieces come with them, and the first that helps decodes what comes before the pieces.
        make_room: makes room for what is still missing.
    """

    def __init__(
        self,
        partials: Sequence[Partial],
        *,
        nice: int = 0,
        cancellation: Cancellation | None = None,
        on_growth: Callable[[int, int], None] = lambda size, length: None,
        check: AudioCheck | None = None,
        make_room: MakeRoom = require_space,
    ) -> None:
        self._partials = list(partials)
        self._make_room = make_room
        self._renditions = [partial.rendition for partial in partials]
        self.frames = self._renditions[0].frames
        self._nice = nice
        self._cancellation = cancellation or Cancellation()
        self._on_growth = on_growth
        self._check = check
        # The check of the pieces, where the source is shared.
        self._samples: SampleCheck | None = None
        self._changed = threading.Condition()
        self._hands = 1
        self._error: BaseException | None = None
        # Frames before `_next` are made or being made, those before `_appended` are in the files.
        self._next = self._front_stop = self.frames
        self._appended = 0
        # By first frame: where a piece ends, and what there is of each quality.
        self._making: dict[int, tuple[int, list[bytearray]]] = {}
        self._ready: dict[int, tuple[int, list[bytearray]]] = {}

    def make(
        self, publish: Callable[[Partial], None], share: Share = contextlib.nullcontext
    ) -> None:
        """Make the entries and publish them.

        Args:
            publish: makes an entry of a complete file.
            share: is entered while others may help.

        Raises:
            EncodeInterruptedError: somebody interrupted it; the partials stay.
            EncodeError: the source or ffmpeg failed; the partials were deleted.
            OSError: the disk is full or fails; the partials were deleted.
        """
        try:
            first = self._begin(publish)
            if first < self.frames:
                with share(self):
                    self._encode(first)
            for partial in self._partials:
                publish(partial)
        except (EncodeError, OSError):
            for partial in self._partials:
                partial.discard()
            raise
        finally:
            if self._samples is not None:
                self._samples.close()

    def wants_help(self) -> bool:
        """Say whether one more thread would speed it up; a guess, which needs no lock."""
        if self._error is not None or not self._renditions[0].is_seekable:
            return False
        begun = self._next if self._is_shared else self._front_frame() + _LEAD_FRAMES
        return self.frames - begun >= _WORTH_HELP

    def help(self, has_time: Callable[[], bool] = lambda: True) -> None:
        """Encode pieces in the calling thread until all have been taken.

        Args:
            has_time: asked before each piece.
        """
        with self._changed:
            self._hands += 1
            self._shorten_front()
            samples = self._begin_check()
        try:
            if samples is not None:
                self._decode_front(samples)
            while has_time() and (piece := self._take_piece()) is not None:
                self._encode_piece(*piece)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._changed:
                self._hands -= 1
                self._changed.notify_all()

    def _begin(self, publish: Callable[[Partial], None]) -> int:
        """Take what is there already; return the first frame that some quality misses."""
        frames = [partial.resume() for partial in self._partials]
        self._make_room(self._partials)
        for partial, count in zip(self._partials, frames, strict=True):
            if count == self.frames:
                publish(partial)
        kept = [index for index, count in enumerate(frames) if count < self.frames]
        self._partials = [self._partials[index] for index in kept]
        self._renditions = [self._renditions[index] for index in kept]
        return min((frames[index] for index in kept), default=self.frames)

    def _encode(self, first: int) -> None:
        try:
            self._encode_front(first)
            self.help()
            with self._changed:
                self._changed.wait_for(lambda: self._error or self._is_made())
            if self._error is None and self._samples is not None:
                self._samples.finish()
        except BaseException as error:
            self._fail(error)
        if self._error is not None:
            raise self._error

    def _encode_front(self, first: int) -> None:
        at = [rendition.offset_of(first) for rendition in self._renditions]
        on_start = self._cancellation.hold
        chunks = encode_together(
            self._renditions, first, nice=self._nice, on_start=on_start, check=self._check
        )
        with contextlib.closing(chunks):
            for index, data in chunks:
                if not self._append_front(index, at[index], data):
                    break
                at[index] += len(data)
        with self._changed:
            self._appended = self._front_stop
            self._append_ready()
            # Whoever was at the front helps as any other from now on.
            self._hands -= 1

    def _append_front(self, index: int, offset: int, data: bytes) -> bool:
        """Append what comes before the front's end; say whether the front must go on."""
        with self._changed:
            ends = [each.offset_of(self._front_stop) for each in self._renditions]
            self._append(index, offset, data[: max(0, ends[index] - offset)])
            misses = any(each.size < end for each, end in zip(self._partials, ends, strict=True))
            # A front that goes to the very end reads on: only then does ffmpeg say if all is well.
            return self._error is None and (misses or self._front_stop == self.frames)

    def _append(self, index: int, offset: int, data: bytes | bytearray) -> None:
        """Append bytes that belong at an offset, except those that a resumed file already has."""
        partial = self._partials[index]
        partial.append(memoryview(data)[partial.size - offset :])
        if index == 0:
            self._on_growth(partial.size, partial.rendition.length)

    def _front_frame(self) -> int:
        """Return how far the front has got in the shortest file."""
        return min(
            rendition.frame_holding(max(partial.size, rendition.offset_of(0)))
            for partial, rendition in zip(self._partials, self._renditions, strict=True)
        )

    def _shorten_front(self) -> None:
        """Make the front stop a little ahead of where it is, so that the rest can be handed out."""
        if self._is_shared or not self._renditions[0].is_seekable:
            return
        stop = mp3.group_start(self._front_frame()) + _LEAD_FRAMES
        if self.frames - stop >= _WORTH_HELP:
            self._next = self._front_stop = stop

    @property
    def _is_shared(self) -> bool:
        """Say whether the front leaves something to others."""
        return self._front_stop < self.frames

    def _is_made(self) -> bool:
        is_checked = self._samples is None or self._samples.is_complete
        return self._appended == self.frames and is_checked

    def _begin_check(self) -> SampleCheck | None:
        """Return the check of the pieces if the caller is to begin it."""
        is_begun = self._samples is not None
        if self._check is None or is_begun or not self._is_shared or self._error:
            return None
        folder = self._partials[0].entry.parent / PARTIAL_FOLDER
        self._samples = SampleCheck(self._check, os.fspath(folder))
        return self._samples

    def _decode_front(self, samples: SampleCheck) -> None:
        """Give the check what comes before the pieces.

        The front is broken off somewhere behind its end, so its own samples are no use.
        """
        hold, ffmpeg = self._cancellation.hold, self._renditions[0].ffmpeg
        samples.decode(ffmpeg, hold, self._front_stop, nice=self._nice)
        with self._changed:
            self._changed.notify_all()

    def _take_piece(self) -> tuple[int, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._error or not self._is_far_ahead())
            if self._error is not None or self._next >= self.frames:
                return None
            first, left = self._next, self.frames - self._next
            size = piece_size(left, self._begun_frames(), self._hands, self._longest_piece())
            self._next = stop = first + size
            self._making[first] = stop, [bytearray() for _ in self._renditions]
            return first, stop

    def _begun_frames(self) -> int:
        """Return how many frames are missing of the front and of the pieces under way."""
        whole = self._renditions[0]
        missing = max(0, self._front_stop - self._front_frame())
        for first, (stop, made) in self._making.items():
            missing += stop - whole.frame_holding(whole.offset_of(first) + len(made[0]))
        return missing

    def _is_far_ahead(self) -> bool:
        """Say whether too many pieces wait for an earlier one, which would take too much memory."""
        unchecked = self._samples.waiting_bytes if self._samples is not None else 0
        is_much = unchecked > self._hands * IN_MEMORY_BYTES
        return is_much or len(self._making) + len(self._ready) >= 2 * self._hands + 2

    def _longest_piece(self) -> int:
        """Return the most frames of a piece, whose samples are to fit into memory."""
        if self._samples is None:
            return _LONGEST_PIECE
        fitting = IN_MEMORY_BYTES // max(1, self._samples.frame_bytes)
        return min(_LONGEST_PIECE, mp3.group_start(fitting))

    def _encode_piece(self, first: int, stop: int) -> None:
        made = self._making[first][1]
        stretch = self._samples.stretch(first, stop) if self._samples is not None else None
        chunks = encode_together(
            self._renditions,
            first,
            stop,
            nice=self._nice,
            on_start=self._cancellation.hold,
            stretch=stretch,
        )
        with contextlib.closing(chunks):
            for index, data in chunks:
                made[index] += data
                if self._error is not None:
                    return
        with self._changed:
            self._ready[first] = self._making.pop(first)
            self._append_ready()

    def _append_ready(self) -> None:
        """Append the pieces whose turn it is."""
        while self._error is None and self._appended in self._ready:
            stop, made = self._ready.pop(self._appended)
            for index, data in enumerate(made):
                self._append(index, self._renditions[index].offset_of(self._appended), data)
            self._appended = stop
        self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()


def piece_size(left: int, begun: int, hands: int, longest: int) -> int:
    """Return how many frames one thread takes next, so that all finish at the same time.

    Each has to do its share of what is left, and of what the others are still about.

    Args:
        left: frames that nobody has taken.
        begun: frames that others have taken and not made yet.
        hands: how many threads there are.
        longest: the most frames of a piece, unless it is the last, or that were too few.
    """
    share = (left + begun) // hands
    at_once = int(share * _AT_ONCE) if share > _WORTH_HELP else share
    size = max(_LEAST_FRAMES, min(mp3.group_start(at_once), longest))
    return size if left - size >= _LEAST_FRAMES else left
