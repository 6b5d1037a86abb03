"""The check of a FLAC file whose stretches are decoded by several ffmpegs, in any order.

MD5 takes samples in order, so those that are decoded ahead of their turn wait for it: in memory,
and what is long on the disk. Where there is no room for them the check is given up, and has to be
made apart.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Final

from . import mp3
from .ffmpeg import FFmpeg, FFmpegRun
from .ffmpeg_options import (
    IN_LARGE_FRAMES,
    AudioCheck,
    input_arguments,
    run_error,
    sample_at,
    samples_output,
)

# A piece of an assembly at the quality of a CD fits.
IN_MEMORY_BYTES: Final = 1 << 25
_READ_BYTES: Final = 1 << 20


def check_apart(
    check: AudioCheck,
    ffmpeg: FFmpeg,
    on_start: Callable[[FFmpegRun], None],
    *,
    nice: int = 0,
) -> None:
    """Decode all of a check's source and compare, where no encode reads all of it.

    Raises:
        EncodeInterruptedError: somebody ended the ffmpeg.
        DamagedSourceError: as `AudioCheck.compare`, or the source cannot be decoded.
        EncodeError: ffmpeg met one of its limits.
    """
    samples = SampleCheck(check)
    samples.decode(ffmpeg, on_start, samples.frames, nice=nice)
    samples.finish()


class SampleCheck:
    """What has been decoded of a source so far, to be compared with what the source states.

    Args:
        check: of the source.
        folder: where samples wait for which there is no room in memory.
    """

    def __init__(self, check: AudioCheck, folder: str | None = None) -> None:
        source = check.source
        self.codec = check.codec
        self.frames = mp3.frame_count(mp3.output_samples(source.samples or 0, source.rate_hz))
        self._source = source
        self._check = check
        self._folder = folder
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._lock = threading.Lock()
        # Frames before `_turn` have been taken. By first frame: samples that wait, and where a
        # stretch ends that is complete.
        self._turn = 0
        self._waiting: dict[int, IO[bytes]] = {}
        self._ends: dict[int, int] = {}
        self._is_over = False
        self.waiting_bytes = 0

    @property
    def is_complete(self) -> bool:
        """Say whether no more samples are wanted."""
        return self._is_over or self._turn == self.frames

    @property
    def frame_bytes(self) -> int:
        """Return about how many bytes the samples of a frame are."""
        return sample_at(self._source, 1) * self._source.channels * self._source.bits // 8

    def stretch(self, first: int, stop: int) -> Stretch:
        """Return what takes the samples of the frames [first, stop).

        They begin and end with a group, or with the track.
        """
        return Stretch(self, first, stop)

    def decode(
        self,
        ffmpeg: FFmpeg,
        on_start: Callable[[FFmpegRun], None],
        stop: int,
        *,
        nice: int = 0,
    ) -> None:
        """Decode the frames before `stop`, which no encode gives the samples of.

        Raises:
            EncodeInterruptedError, DamagedSourceError, EncodeError: as `check_apart`.
        """
        end = f"atrim=end_sample={sample_at(self._source, stop)}," if stop < self.frames else ""
        chain = f"{end}{IN_LARGE_FRAMES}"
        output = ("-map", "0:a:0", "-vn", "-af", chain, *samples_output(self.codec))
        arguments = [*input_arguments(self._source), *output]
        with FFmpegRun(ffmpeg, arguments, source=self._source, nice=nice) as run:
            on_start(run)
            for _, data in run.read():
                self.update(0, data)
            report = run.finish()
        if report.returncode != 0:
            raise run_error(self._source, "cannot be decoded", run, report)
        self.end(0, stop)

    def update(self, first: int, data: bytes) -> None:
        """Take samples of the stretch that begins with a frame, in their order."""
        with self._lock:
            if self._is_over:
                return
            if first == self._turn:
                self._md5.update(data)
            else:
                self._keep(first, data)

    def end(self, first: int, stop: int) -> None:
        """Take note that all samples of a stretch have been given."""
        with self._lock:
            self._ends[first] = stop
            while not self._is_over and self._turn in self._ends:
                self._turn = self._ends.pop(self._turn)
                if self._turn in self._waiting:
                    self._catch_up(self._waiting.pop(self._turn))

    def finish(self) -> None:
        """Compare, unless the check was given up.

        Raises:
            DamagedSourceError: as `AudioCheck.compare`.
        """
        assert self.is_complete
        if not self._is_over:
            self._check.compare(self._md5.hexdigest())
            self._check.is_passed_apart = True

    def close(self) -> None:
        """Throw away what waits, and all that still comes."""
        with self._lock:
            self._give_up()

    def _keep(self, first: int, data: bytes) -> None:
        try:
            if first not in self._waiting:
                self._waiting[first] = tempfile.SpooledTemporaryFile(  # noqa: SIM115
                    IN_MEMORY_BYTES, dir=self._folder
                )
            self._waiting[first].write(data)
            self.waiting_bytes += len(data)
        except OSError:
            self._give_up()

    def _catch_up(self, file: IO[bytes]) -> None:
        try:
            file.seek(0)
            while data := file.read(_READ_BYTES):
                self._md5.update(data)
                self.waiting_bytes -= len(data)
        except OSError:
            self._give_up()
        finally:
            _drop(file)

    def _give_up(self) -> None:
        self._is_over = True
        self.waiting_bytes = 0
        while self._waiting:
            _drop(self._waiting.popitem()[1])


def _drop(file: IO[bytes]) -> None:
    # On a full disk even this fails, as something may still have to be written.
    with contextlib.suppress(OSError):
        file.close()


class Stretch:
    """The samples of some frames of a source, as one ffmpeg decodes them."""

    def __init__(self, samples: SampleCheck, first: int, stop: int) -> None:
        self.codec = samples.codec
        self._samples, self._first, self._stop = samples, first, stop

    def update(self, data: bytes) -> None:
        """Take samples, in their order."""
        self._samples.update(self._first, data)

    def finish(self) -> None:
        """Take note that these were all."""
        self._samples.end(self._first, self._stop)
