"""Lookups: which object is the rendition of a source as it is now, found or made valid again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ..encoding.rendition import Identity, Rendition
from ..errors import AudioCacheError
from ..quality import QualityLevel, parse_quality
from ..sources.source import FileVersion, hash_audio, is_lossless, version_of
from .entry import Entry, Verdict, judge_alone, read_entry
from .facts import Facts
from .objects import LocalObjects, sync_directory

_MOST_KNOWN: Final = 100_000
_COPIED_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A valid entry.

    Args:
        path: its name in the cache directory.
        etag: its entity tag, unquoted: the id of the object, or for a foreign file one of its own.
        size_bytes, inode: of the file that has the name.
        version: of the source that it is valid for; None where that is missing.
    """

    path: str
    etag: str
    size_bytes: int
    inode: int
    version: FileVersion | None = None


class Lookups:
    """What is known of the entries of sources; nothing is encoded for an answer.

    An entry that is not there under its name, or is of older tags, is made valid again where the
    store holds the same audio: after a move, a copy or a change of tags.

    Args:
        objects: the objects of the store.
        facts: what was found out about sources before.
        get_rendition: gives the rendition of a source as it is now.
        entry_file: gives the name of an entry in the cache directory.
        make_room: makes room for an object of an id and a size, like another one but for its tags.
    """

    def __init__(
        self,
        objects: LocalObjects,
        facts: Facts,
        get_rendition: Callable[[str, QualityLevel], Rendition],
        entry_file: Callable[[str, QualityLevel], str],
        make_room: Callable[[str, int, str], None] = lambda object_id, size_bytes, like: None,
    ) -> None:
        self._make_room = make_room
        self._objects = objects
        self._facts = facts
        self._get_rendition = get_rendition
        self._entry_file = entry_file
        self._known: dict[tuple[str, str], Found] = {}
        self._lock = threading.Lock()

    def look_up(
        self, path: str, quality: QualityLevel, status: os.stat_result | None
    ) -> Found | Verdict:
        """Return the valid entry of a source at a quality, or why there is none.

        Args:
            path: of the source, absolute and normalised.
            quality: an encoded quality.
            status: what the file system says of the source; None where it is missing.

        Raises:
            OSError: the entry or the source is there and cannot be looked at.
        """
        known = self._known.get((path, quality))
        version = version_of(status) if status is not None else None
        if known is not None and known.version == version:
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(known.path)
                if (found.st_ino, found.st_size) == (known.inode, known.size_bytes):
                    return known
        settled = self._settle(path, quality, status)
        if isinstance(settled, Found):
            self.note(path, quality, settled)
        return settled

    def note(self, path: str, quality: QualityLevel, found: Found) -> None:
        """Remember a valid entry."""
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[path, quality] = found

    def describe(self, name: str, object_id: str, version: FileVersion | None) -> Found:
        """Return what an entry is that has just been given its name."""
        status = os.stat(name)
        return Found(name, object_id, status.st_size, status.st_ino, version)

    def identify(self, rendition: Rendition) -> Rendition:
        """Return a rendition whose audio is identified; its source is read where that takes it.

        Raises:
            OSError: the source cannot be read, or has changed.
        """
        source = rendition.source
        if source.audio:
            return rendition
        path = os.fspath(source.path)
        audio = self._facts.audio_of(path, source.version)
        if not audio:
            audio = hash_audio(source)
            self._facts.note_source(path, source.version, audio, source.samples, checked=True)
        return replace(rendition, source=replace(source, audio=audio))

    def _settle(
        self, path: str, quality: QualityLevel, status: os.stat_result | None
    ) -> Found | Verdict:
        name = self._entry_file(path, quality)
        entry = read_entry(name)
        alone = Verdict.ABSENT if entry is None else judge_alone(entry, status)
        if entry is not None and entry.is_foreign and alone:
            return self._describe_foreign(name, entry, status)
        if status is None:
            return self._describe_orphan(name) if alone else alone
        try:
            rendition = self._rendition_of(path, quality, is_cheap=entry is None)
        except AudioCacheError:
            return alone if not alone else Verdict.SOURCE_CHANGED
        if rendition is None:
            return alone
        object_id = self._find_object(rendition) or self._take_over(name, entry, rendition, status)
        if object_id is None:
            return Verdict.SOURCE_CHANGED if alone else alone
        self._name(name, object_id)
        version = rendition.source.version
        self._facts.note_entry(os.path.basename(name), path, quality, version, object_id)
        return self.describe(name, object_id, version)

    def _rendition_of(
        self, path: str, quality: QualityLevel, *, is_cheap: bool
    ) -> Rendition | None:
        """Return the rendition with its audio identified; None where that would have to be read.

        Where there is no entry, the first lookup of a large file need not read all of it to learn
        that there is nothing: FLAC tells its identity, and a copy of a file that was read before,
        or that file in another place, has its size.
        """
        if is_cheap and not is_lossless(path):
            return None
        rendition = self._get_rendition(path, quality)
        source = rendition.source
        if is_cheap and not (source.audio or self._facts.knows_size(source.size_bytes)):
            return None
        return self.identify(rendition)

    def _find_object(self, rendition: Rendition) -> str | None:
        """Return the object of a rendition, made of another's frames where only tags differ."""
        if self._is_whole(rendition):
            return rendition.id
        for object_id in self._objects.of_audio(rendition.source.audio):
            donor = read_entry(self._objects.path(object_id))
            if donor is None or not _fits(donor, rendition):
                continue
            assert donor.identity is not None
            same = made_by(rendition, donor.identity.encoder)
            if self._is_whole(same):
                return same.id
            return self._reheaded(self._objects.path(object_id), donor.header_bytes, same)
        return None

    def _take_over(
        self, name: str, entry: Entry | None, rendition: Rendition, status: os.stat_result
    ) -> str | None:
        """Return the object made of an entry of an earlier layout; None where it is not of this."""
        legacy = entry.legacy if entry is not None else None
        if entry is None or legacy is None or not legacy.is_of(status, rendition.source.audio):
            return None
        is_same = (legacy.quality, legacy.frames) == (rendition.quality, rendition.frames)
        if not is_same or entry.size_bytes != entry.expected_size():
            return None
        return self._reheaded(name, entry.header_bytes, made_by(rendition, legacy.encoder))

    def _is_whole(self, rendition: Rendition) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self._objects.path(rendition.id)).st_size == rendition.length
        return False

    def _reheaded(self, donor: str, header_bytes: int, rendition: Rendition) -> str | None:
        """Make an object of a header and the frames of another file; None where those are short."""
        self._make_room(rendition.id, rendition.length, os.path.basename(donor))
        path = self._objects.path(rendition.id)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}-{threading.get_ident()}"
        try:
            with open(donor, "rb") as old, open(temporary, "wb") as new:
                new.write(rendition.header)
                old.seek(header_bytes)
                while data := old.read(_COPIED_AT_ONCE):
                    new.write(data)
                new.flush()
                os.fsync(new.fileno())
                is_whole = new.tell() == rendition.length
            if is_whole:
                self._objects.put(temporary, rendition.id)
                return rendition.id
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        return None

    def _name(self, name: str, object_id: str) -> None:
        """Give an object its name of the contract, unless it has that."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samefile(name, self._objects.path(object_id)):
                return
        self._objects.link(object_id, name)
        sync_directory(os.path.dirname(name))

    def _describe_foreign(self, name: str, entry: Entry, status: os.stat_result | None) -> Found:
        found = os.stat(name)
        version = version_of(status) if status is not None else None
        return Found(name, foreign_etag(found), entry.size_bytes, found.st_ino, version)

    def _describe_orphan(self, name: str) -> Found:
        """Return the entry of a source that is missing: the object whose link it is."""
        return self.describe(name, foreign_etag(os.stat(name)), None)


def made_by(rendition: Rendition, encoder: str) -> Rendition:
    """Return a rendition as another build of the encoder has made it."""
    return replace(rendition, ffmpeg=replace(rendition.ffmpeg, identity=encoder))


def foreign_etag(status: os.stat_result) -> str:
    """Return the entity tag of a file that has no id: another one whenever it is replaced."""
    of = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return hashlib.sha256(repr(of).encode()).hexdigest()[:32]


def _fits(donor: Entry, rendition: Rendition) -> bool:
    """Say whether an object of the same audio has the frames of a rendition, whoever made them."""
    if donor.identity is None or donor.size_bytes != donor.expected_size():
        return False
    wanted: Identity = replace(rendition.identity, encoder=donor.identity.encoder)
    return donor.identity == wanted and parse_quality(wanted.quality) == rendition.quality
