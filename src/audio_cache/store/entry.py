"""An entry: a file under its final name in the cache directory, and whether it can be trusted."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from ..encoding import mp3
from ..encoding.rendition import Identity, parse_identity
from ..quality import QUALITY_SETTINGS, QualityLevel, bitrate_bps, parse_quality
from ..sources.reader import stat_source
from .legacy import LegacyOrigin, parse_legacy

_LEVELS: Final = "|".join(map(re.escape, QUALITY_SETTINGS))
_FORMATS: Final = "|".join({setting["format"] for setting in QUALITY_SETTINGS.values()})
# Whatever the bitrate, so that entries outlive a change of it and are still listed and deleted.
ENTRY_NAME: Final = re.compile(rf"[0-9a-f]{{32}}_({_LEVELS})_\d+k\.(?:{_FORMATS})")
PARTIAL_SUFFIX: Final = ".part"
PARTIAL_FOLDER: Final = "partials"
# Modes of what a cache holds: for its own user, or for whoever may pass its folders.
PRIVATE_FILE: Final = 0o600
SHARED_FILE: Final = 0o644
PRIVATE_FOLDER: Final = 0o700
SHARED_FOLDER: Final = 0o755
# Holds the private frame of any path of ordinary length, so that a lookup reads once.
_FIRST_READ_BYTES: Final = 2048
_READ_BYTES: Final = 1 << 20


class Verdict(Enum):
    """Whether an entry is valid, or why not; the value is the reason in words."""

    VALID = "valid"
    ABSENT = "there is no such file"
    INCOMPLETE = "the file is shorter or longer than the rendition that it says it is"
    EMPTY = "the file is empty"
    SOURCE_CHANGED = "it was made from other audio or other tags than the source has now"
    UNREADABLE = "what audio_cache wrote at its start is damaged or of another version"
    OLDER_THAN_SOURCE = "it was not made by audio_cache, and is older than the source"

    def __bool__(self) -> bool:
        return self is Verdict.VALID


@dataclass(frozen=True, slots=True)
class Entry:
    """What a cached file's first bytes say, and what the file system says about it.

    `identity` is None for a file that audio_cache did not make, and for one that `is_unreadable`.
    """

    size_bytes: int
    mtime_ns: int
    tag_bytes: int
    identity: Identity | None
    is_unreadable: bool = False
    legacy: LegacyOrigin | None = None

    @property
    def is_foreign(self) -> bool:
        """Say whether audio_cache did not make it."""
        return not (self.identity or self.legacy or self.is_unreadable)

    @property
    def header_bytes(self) -> int:
        """Return the size of tag and Info frame; 0 for a foreign file."""
        made = self.identity or self.legacy
        if made is None:
            return 0
        return self.tag_bytes + mp3.info_size(bitrate_bps(parse_quality(made.quality)))

    def expected_size(self) -> int:
        """Return the size in bytes that the identity promises, or the actual one without it."""
        made = self.identity or self.legacy
        if made is None:
            return self.size_bytes
        bitrate = bitrate_bps(parse_quality(made.quality))
        return self.header_bytes + mp3.frames_size(bitrate, made.frames)


def entry_name(absolute_path: str, quality: QualityLevel) -> str:
    """Return the name of the entry that a source of that normalised path has at a quality."""
    level = parse_quality(quality)
    # os.path.abspath keeps a second slash at the beginning, which means nothing on Linux.
    path = absolute_path[1:] if absolute_path.startswith("//") else absolute_path
    digest = hashlib.md5(os.fsencode(path), usedforsecurity=False).hexdigest()
    setting = QUALITY_SETTINGS[level]
    return f"{digest}_{level}_{setting['bitrate']}.{setting['format']}"


def read_entry(path: Path | str) -> Entry | None:
    """Return the entry at a path, or None if there is no file.

    Raises:
        OSError: the file exists but can't be read.
    """
    try:
        # A pipe of that name would keep us waiting for somebody to write into it.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", os.fspath(path))
        return read_open_entry(fd)
    finally:
        os.close(fd)


def read_open_entry(fd: int) -> Entry:
    """Return the entry that an open file holds; the file's position stays where it is."""
    status = os.fstat(fd)
    start = os.pread(fd, _FIRST_READ_BYTES, 0)
    payload = mp3.find_private_payload(start)
    if payload is not None and mp3.private_frame_end(start) > len(start):
        start = os.pread(fd, min(mp3.private_frame_end(start), status.st_size), 0)
        payload = mp3.find_private_payload(start)
    identity = None if payload is None else parse_identity(payload)
    legacy = None if payload is None or identity else parse_legacy(payload)
    is_unreadable = payload is not None and identity is None and legacy is None
    tag_bytes = mp3.tag_size(start)
    return Entry(status.st_size, status.st_mtime_ns, tag_bytes, identity, is_unreadable, legacy)


def count_intact_frames(fd: int, header_bytes: int, bitrate_bps: int, frames: int) -> int:
    """Return how many frames of an open file, at most so many, are whole and in their places."""
    kept = 0
    while kept < frames:
        at = header_bytes + mp3.frames_size(bitrate_bps, kept)
        audio = os.pread(fd, _READ_BYTES, at)
        intact = mp3.intact_frames(bitrate_bps, audio, kept)
        kept += intact
        if not intact:
            break
    return min(kept, frames)


def judge_alone(entry: Entry, source: os.stat_result | None) -> Verdict:
    """Say whether an entry may be trusted by what it says of itself.

    A foreign file is held to the plain rule: it exists and is not older than the source. One of
    ours is complete or not; whether it is of the source as that is now is for the lookup to find
    out, but a missing source (None) does not invalidate it.
    """
    if not entry.size_bytes:
        return Verdict.EMPTY
    if entry.is_unreadable:
        return Verdict.UNREADABLE
    if entry.is_foreign and source is not None and entry.mtime_ns < source.st_mtime_ns:
        return Verdict.OLDER_THAN_SOURCE
    return Verdict.VALID if entry.size_bytes == entry.expected_size() else Verdict.INCOMPLETE


def stat_or_none(path: Path | str) -> os.stat_result | None:
    """Return what the file system says of a file, or would of a track in a CUE sheet.

    None if it is missing.
    """
    try:
        return stat_source(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
