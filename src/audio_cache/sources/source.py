"""What a source is: lossless or not, how long to the sample, its tags, and which audio it is."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .detect import read_stream
from .media_types import LOSSLESS_SUFFIXES, is_either, may_be_lossless, suffix_of
from .reader import Extent, Reader
from .stream import Stream
from .tags import read_tags

# A quarter of a MiB reads and hashes in less than half a millisecond. A song in a compressed
# format can't change without a change of its size or of most of its bytes.
_BLOCK_BYTES: Final = 16 << 10
_BLOCKS: Final = 16


@dataclass(frozen=True, slots=True)
class Source:
    """A music file as its header describes it; nothing of it was decoded.

    Attributes:
        path: absolute and normalised; symbolic links are kept.
        codec: "flac", "pcm", "alac", "ape", "wavpack", "tta", "dsd" or "dst"; for lossy content
            its name, such as "aac"; "unknown" where nothing known was found.
        demuxer: the demuxer of ffmpeg that must open the file; "" where none of ours does.
        lossless: whether this is a file to transcode, as `is_lossless` says.
        rate_hz: as ffmpeg's decoder puts out, which for DSD is an eighth; 0 where unknown.
        channels: 0 where unknown.
        bits: per sample; 0 where unknown.
        samples: per channel at `rate_hz`, as the header states even where the file ends before;
            None where unknown or doubtful, so that only decoding tells.
        tags: names are those of Vorbis comments in lower case; sorted by name, and a name with
            several values comes several times.
        fingerprint: "flac-md5:" with FLAC's MD5 of the decoded audio, else "blocks:" with a hash
            of stretches of the audio bytes. It survives copying and retagging. In uncompressed
            formats longer than the stretches a small edit in place can escape "blocks:", so an
            equal one is proof only as long as size and time of change agree too.
        decoder: the decoder of ffmpeg to force, where it would choose a wrong one; else "".
        audio_end: offset of the first byte behind the audio; tags may follow.
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    codec: str
    demuxer: str
    lossless: bool
    rate_hz: int
    channels: int
    bits: int
    samples: int | None
    tags: tuple[tuple[str, str], ...]
    fingerprint: str
    decoder: str = ""
    audio_end: int = 0

    @property
    def duration_s(self) -> float:
        """Return the length in seconds, 0 where it is unknown."""
        return self.samples / self.rate_hz if self.samples and self.rate_hz else 0.0


def read_source(path: str | os.PathLike[str]) -> Source:
    """Read the header, tags and fingerprint of a music file.

    Damaged and odd content is described as far as it goes and never an error.

    Raises:
        OSError: the file is missing, can't be read or is no regular file.
    """
    name = os.path.abspath(os.fsdecode(path))
    with _open(name) as descriptor:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", name)
        reader = Reader(descriptor, status.st_size)
        stream = read_stream(reader)
        return Source(
            path=Path(name),
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            codec=stream.codec,
            demuxer=stream.demuxer,
            lossless=_decide(name, stream),
            rate_hz=stream.rate_hz,
            channels=stream.channels,
            bits=stream.bits,
            samples=stream.samples,
            tags=read_tags(reader, stream.tags),
            fingerprint=_fingerprint(reader, stream),
            decoder=stream.decoder,
            audio_end=stream.audio[-1].end if stream.audio else status.st_size,
        )


def is_lossless(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is one to transcode; never an error.

    The content decides, where it can be read: MP3 under the name of FLAC is lossy, ALAC in an
    .m4a is lossless. Where it can't, or is like nothing known, the suffix does, so that encoding
    fails aloud. A file whose suffix promises nothing lossless is left alone.
    """
    name = os.fsdecode(path)
    if not may_be_lossless(name):
        return False
    has_lossless_suffix = suffix_of(name) in LOSSLESS_SUFFIXES
    try:
        with _open(name) as descriptor:
            # By far the most frequent case needs no more than this.
            if os.pread(descriptor, 4, 0) == b"fLaC" and has_lossless_suffix:
                return True
            reader = Reader(descriptor, os.fstat(descriptor).st_size)
            return _decide(name, read_stream(reader))
    except (OSError, ValueError):
        return has_lossless_suffix


@contextlib.contextmanager
def _open(name: str) -> Iterator[int]:
    """Open a file; not to block on a pipe, which would last until somebody writes to it."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _decide(name: str, stream: Stream) -> bool:
    """Tell from suffix and content whether a file is one to transcode."""
    if is_either(name):
        return stream.lossless is True
    return suffix_of(name) in LOSSLESS_SUFFIXES and stream.lossless is not False


def _fingerprint(reader: Reader, stream: Stream) -> str:
    if stream.md5:
        # The checksum covers the samples alone: silence is the same at every rate.
        form = (stream.rate_hz, stream.channels, stream.bits, stream.samples)
        return "-".join((f"flac-md5:{stream.md5}", *map(str, form)))
    extents = stream.audio or (Extent(0, reader.size_bytes),)
    size = sum(extent.size for extent in extents)
    what = (stream.demuxer, stream.codec, stream.coding, stream.rate_hz, stream.channels)
    facts = (*what, stream.bits, stream.samples, size)
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    for stretch in _stretches(size):
        for extent in _map_stretch(extents, stretch):
            digest.update(reader.read(extent.start, extent.size))
    return f"blocks:{digest.hexdigest()}"


def _stretches(size: int) -> Iterator[Extent]:
    """Yield what is hashed of so many bytes: all of few, else blocks from the first to the last."""
    if size <= _BLOCKS * _BLOCK_BYTES:
        yield Extent(0, size)
        return
    for number in range(_BLOCKS):
        yield Extent((size - _BLOCK_BYTES) * number // (_BLOCKS - 1), _BLOCK_BYTES)


def _map_stretch(extents: tuple[Extent, ...], stretch: Extent) -> Iterator[Extent]:
    """Yield where a stretch of the audio lies in the file, when the audio lies in pieces."""
    before = 0
    for extent in extents:
        first = max(stretch.start, before)
        last = min(stretch.end, before + extent.size)
        if first < last:
            yield Extent(extent.start + first - before, last - first)
        before += extent.size
