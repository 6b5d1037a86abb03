"""A source: a music file as its header describes it, with its exact length, tags, fingerprint."""

from __future__ import annotations

import contextlib
import errno
import mimetypes
import os
import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import blake3

from . import tags
from .flac_ape_wavpack import read_ape, read_dsf, read_flac, read_tta, read_vorbis, read_wavpack
from .lossy import recognise_lossy
from .mp4 import read_ilst, read_mp4
from .reader import (
    DamagedError,
    Extent,
    Pairs,
    Reader,
    TagBlock,
    open_file,
    read_text,
)
from .reader import FileVersion as FileVersion
from .reader import open_inside as open_inside
from .reader import read_at as read_at
from .reader import require_same as require_same
from .reader import stat_opened as stat_opened
from .reader import stat_source as stat_source
from .reader import version_of as version_of
from .stream import Format, Stream
from .suffixes import AUDIO, AUDIO_SUFFIXES, LOSSLESS_SUFFIXES
from .tag_names import ALIASES, CUESHEET, DROPPED, MAX_TEXT_CHARACTERS, MUSICBRAINZ, TOTALS
from .wav_aiff_dff import read_aiff, read_dsdiff, read_info, read_wav

Name = str | bytes | os.PathLike[str]

_MAX_ID3_TAGS: Final = 16
_MAX_TOTAL_DIGITS: Final = 9
_Parser = Callable[[Reader, int, Stream], Stream]

_MAGICS: Final[dict[bytes, tuple[_Parser, Stream]]] = {
    b"fLaC": (read_flac, Stream(codec="flac", demuxer="flac", lossless=True)),
    b"MAC ": (read_ape, Stream(codec="ape", demuxer="ape", lossless=True)),
    b"wvpk": (read_wavpack, Stream(codec="wavpack", demuxer="wv", lossless=True)),
    b"TTA1": (read_tta, Stream(codec="tta", demuxer="tta", lossless=True)),
    b"DSD ": (read_dsf, Stream(codec="dsd", demuxer="dsf", lossless=True)),
}
# Outer and inner name of formats made of chunks, and where the inner one is.
_FORMS: Final[dict[tuple[bytes, bytes], tuple[int, _Parser, Stream]]] = {
    **{
        (outer, b"WAVE"): (8, read_wav, Stream(demuxer="wav"))
        for outer in (b"RIFF", b"RF64", b"BW64", b"RIFX")
    },
    **{(b"FORM", kind): (8, read_aiff, Stream(demuxer="aiff")) for kind in (b"AIFF", b"AIFC")},
    (b"FRM8", b"DSD "): (12, read_dsdiff, Stream(demuxer="iff")),
}
_MP4_FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_TAG_FORMS: Final[dict[str, Callable[[Reader, Extent, str], Pairs]]] = {
    "vorbis": read_vorbis,
    "id3": tags.read_id3,
    "id3v1": tags.read_id3v1,
    "ape": tags.read_ape,
    "info": read_info,
    "ilst": read_ilst,
    "text": lambda reader, body, name: [(name, read_text(reader, body))],
    "lyrics3": lambda reader, body, name: (),
    CUESHEET: lambda reader, body, name: [(CUESHEET, "")],
}

_HASHED_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Format):
    """A music file as its header describes it; nothing of it was decoded.

    Attributes:
        path: absolute and normalised; symbolic links are kept.
        lossless: whether this is a file to transcode, as `is_lossless` says.
        has_sheet: whether it holds a CUE sheet of itself.
        tags: names are those of Vorbis comments in lower case; sorted by name, and a name with
            several values comes several times.
        version: what changes whenever the file does: device, inode, size, times of its content and
            of its inode.
        audio: the identity of the audio where the header tells it, which is FLAC's MD5 of the
            decoded samples; "" where only reading all of it tells, see `hash_audio`.
        form: what besides its bytes decides how the audio is decoded.
        extents: where the bytes of the audio lie in the file.
        audio_end: offset of the first byte behind the audio; tags may follow.
        whole: the file, where this is only a part of it, as a track of a CUE sheet is. What is said
            of bytes is of that; size, samples, tags and version are of the part.
        first_sample: where in the file it begins, at `rate_hz`.
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    lossless: bool
    tags: tuple[tuple[str, str], ...]
    version: FileVersion
    has_sheet: bool = False
    audio: str = ""
    form: str = ""
    extents: tuple[Extent, ...] = ()
    audio_end: int = 0
    whole: Source | None = None
    first_sample: int = 0

    @property
    def file(self) -> Source:
        """Return the file that it is read from, which is all of it unless it is a part."""
        return self.whole or self

    @property
    def duration_s(self) -> float:
        """Return the length in seconds, 0 if it is unknown."""
        return self.samples / self.rate_hz if self.samples and self.rate_hz else 0.0


def read_source(path: str | os.PathLike[str]) -> Source:
    """Read the header and the tags of a music file.

    Damaged or unusual content is described as far as possible and is never an error.

    Raises:
        OSError: the file is missing, can't be read or isn't a regular file; or there is no such
            track in a CUE sheet.
    """
    name = os.path.abspath(os.fsdecode(path))
    try:
        return _read_file(name)
    except NotADirectoryError:
        # Loaded where it is needed, which it is not where sheets are no sources.
        from .sheet_tracks import read_sheet_track

        return read_sheet_track(name)


def _read_file(name: str) -> Source:
    with open_file(name) as descriptor:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", name)
        reader = Reader(descriptor, status.st_size)
        stream = read_stream(reader)
        form = _form(stream)
        found = [collect_tags(reader, block) for block in stream.tags]
        return Source(
            path=Path(name),
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            lossless=_decide(name, stream),
            tags=_first_of_each(found),
            has_sheet=any(name.strip().lower() == CUESHEET for pairs in found for name, _ in pairs),
            version=version_of(status),
            audio=f"flac-md5:{stream.md5}-{form}" if stream.md5 else "",
            form=form,
            extents=stream.audio or (Extent(0, status.st_size),),
            audio_end=stream.audio[-1].end if stream.audio else status.st_size,
            **{field.name: getattr(stream, field.name) for field in fields(Format)},
        )


def is_lossless(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is one to transcode; never raises.

    The content decides if it can be read: an MP3 named .flac is lossy, ALAC in an .m4a is
    lossless. If it can't be read or isn't recognised the suffix decides, so that encoding fails
    loudly. A file whose suffix promises nothing lossless is left alone.
    """
    name = os.fsdecode(path)
    if not may_be_lossless(name):
        return False
    has_lossless_suffix = suffix_of(name) in LOSSLESS_SUFFIXES
    try:
        with open_file(name, may_be_part=True) as descriptor:
            # By far the most frequent case needs no more than this.
            if os.pread(descriptor, 4, 0) == b"fLaC" and has_lossless_suffix:
                return True
            reader = Reader(descriptor, os.fstat(descriptor).st_size)
            return _decide(name, read_stream(reader))
    except (OSError, ValueError):
        return has_lossless_suffix


def suffix_of(name: Name) -> str:
    """Return the suffix of a file's name in lower case, with its dot; "" if it has none."""
    return os.path.splitext(os.fsdecode(name))[1].lower()


def media_type(name: Name) -> str:
    """Return the media type of an original, by its suffix."""
    known = AUDIO.get(suffix_of(name))
    if known is not None:
        return known.media_type
    return mimetypes.guess_type(os.fsdecode(name))[0] or "application/octet-stream"


def is_audio_name(name: Name) -> bool:
    """Say whether a file's suffix is one of audio: a music folder holds other files too."""
    return suffix_of(name) in AUDIO_SUFFIXES


def may_be_lossless(name: Name) -> bool:
    """Say whether a file can be lossless, going by its name; only its content makes sure."""
    kind = AUDIO.get(suffix_of(name))
    return kind is not None and kind.is_lossless is not False


def is_either(name: Name) -> bool:
    """Say whether a file of this name may hold lossless or lossy audio, as MP4 does."""
    kind = AUDIO.get(suffix_of(name))
    return kind is not None and kind.is_lossless is None


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[int]:
    """Open the very file that a source was read from, whatever stands under its name by now.

    Raises:
        OSError: it cannot be opened, or another file has taken its place.
    """
    file = source.file
    with open_file(os.fspath(file.path)) as descriptor:
        require_same(version_of(os.fstat(descriptor)), file.version, file.path)
        yield descriptor


def _decide(name: str, stream: Stream) -> bool:
    """Say from suffix and content whether a file is one to transcode."""
    if is_either(name):
        return stream.lossless is True
    return suffix_of(name) in LOSSLESS_SUFFIXES and stream.lossless is not False


def _form(stream: Stream) -> str:
    # A checksum of samples alone would make silence the same audio at every rate.
    what = (stream.codec, stream.demuxer, stream.coding, stream.decoder)
    return "-".join(map(str, (*what, stream.rate_hz, stream.channels, stream.bits, stream.samples)))


def hash_audio(source: Source) -> str:
    """Return the identity of a source's audio by reading all of it.

    BLAKE3, since nobody may be able to make audio that passes for another's.

    Raises:
        OSError: the file cannot be read, or is no longer the version that the source describes.
    """
    if source.whole is not None:
        return part_audio(source, hash_audio(source.whole))
    digest = blake3.blake3()
    with open_file(os.fspath(source.path)) as descriptor:
        for extent in source.extents:
            at = extent.start
            while at < extent.end:
                data = os.pread(descriptor, min(_HASHED_AT_ONCE, extent.end - at), at)
                if not data:
                    break
                digest.update(data)
                at += len(data)
        if version_of(os.fstat(descriptor)) != source.version:
            raise OSError(errno.ESTALE, "changed while it was read", os.fspath(source.path))
    return f"blake3:{digest.hexdigest(16)}-{source.form}"


def part_audio(source: Source, whole: str) -> str:
    """Return the identity of the audio of a part, from that of the whole file's bytes.

    No part has an MD5 of its own, and that of the whole is proved by decoding all of it.
    """
    return f"part:{source.first_sample}+{source.samples}:{whole}"


def read_stream(reader: Reader) -> Stream:
    """Return what a file holds; never raises, however damaged the content is."""
    start, leading = _skip_id3(reader)
    stream = _read_stream_at(reader, start)
    return replace(stream, tags=(*stream.tags, *leading))


def _skip_id3(reader: Reader) -> tuple[int, tuple[TagBlock, ...]]:
    """Return where the content begins after any ID3v2 tags, and those tags."""
    start = 0
    blocks: list[TagBlock] = []
    while len(blocks) < _MAX_ID3_TAGS:
        head = reader.read(start, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
            break
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        size += 20 if head[5] & 0x10 else 10
        blocks.append(TagBlock("id3", Extent(start, size)))
        start += size
    return start, tuple(blocks)


def _read_stream_at(reader: Reader, start: int) -> Stream:
    head = reader.read(start, 16)
    parse, form = _MAGICS.get(head[:4], (None, Stream()))
    for (outer, inner), (at, parse_chunks, of_chunks) in _FORMS.items():
        if head.startswith(outer) and head[at : at + 4] == inner:
            parse, form = parse_chunks, of_chunks
    if parse is None and head[4:8] in _MP4_FIRST_BOXES:
        parse, form = read_mp4, Stream(demuxer="mov")
    if parse is None:
        return recognise_lossy(reader, start, head)
    try:
        return parse(reader, start, form)
    except (DamagedError, struct.error, OverflowError):
        return form


def _first_of_each(blocks: Iterable[list[tuple[str, str]]]) -> tuple[tuple[str, str], ...]:
    """Return the text tags of a file, sorted by name; of several blocks the first to have one."""
    values: dict[str, list[str]] = {}
    for pairs in blocks:
        found: dict[str, list[str]] = {}
        for name, text in normalise(pairs):
            found.setdefault(name, []).append(text)
        for name, texts in found.items():
            values.setdefault(name, texts)
    return tuple((name, text) for name in sorted(values) for text in values[name])


def collect_tags(reader: Reader, block: TagBlock) -> list[tuple[str, str]]:
    """Return the texts of a block under the names that it has for them.

    A damaged block gives what was read before the damage, or nothing.
    """
    form, _, name = block.form.partition(":")
    pairs: list[tuple[str, str]] = []
    try:
        for key, text in _TAG_FORMS[form](reader, block.body, name):
            pairs.append((key, text))
    except OSError:
        raise
    except Exception:
        # mutagen fails in many ways on damage, and no tag is worth failing for.
        return pairs
    return pairs


def rename(name: str) -> str:
    """Return our name for what a tag is called in a file; "" if it is to be dropped."""
    name = name.strip().lower()
    if name.startswith(("musicbrainz ", "acoustid ")):
        service, _, field = name.partition(" ")
        name = f"{service}_{field.replace(' ', '')}"
    name = ALIASES.get(name) or MUSICBRAINZ.get(name) or name
    return "" if name in DROPPED else name


def normalise(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return tags under our names, totals taken out of "3/12", nothing empty, nothing twice."""
    pairs = [(name, rename(name), _clean(text)) for name, text in found]
    plain = {name.lower() for name, _, text in pairs if text}
    tags: dict[tuple[str, str], None] = {}
    for name, ours, text in pairs:
        # YEAR beside DATE says less, and DESCRIPTION beside COMMENT says the same.
        if ours and (ours == name.lower() or ours not in plain):
            for pair in _split_total(ours, text):
                tags.setdefault(pair)
    return list(tags)


def _clean(text: str) -> str:
    # NUL ends a text in ID3, so what stands behind one would be lost on the way.
    text = text.replace("\r\n", "\n").replace("\0", " ").strip(" \t\r\n")
    return text if len(text) <= MAX_TEXT_CHARACTERS else ""


def _split_total(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name not in TOTALS:
        number, total = text, ""
    else:
        number, total = (part.strip() for part in text.partition("/")[::2])
        number = "" if number == "0" else number
    if number:
        yield name, number
    # Only so long that Python makes a number of it.
    if len(total) <= _MAX_TOTAL_DIGITS and total.isdecimal() and int(total):
        yield TOTALS[name], total
