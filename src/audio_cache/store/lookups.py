"""Lookups: which object is the rendition of a source as it is now, found or made valid again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

import blake3

from ..encoding.rendition import Identity, Rendition
from ..errors import AudioCacheError
from ..quality import QualityLevel, parse_quality
from ..sources.source import (
    FileVersion,
    Source,
    hash_audio,
    is_audio_name,
    is_lossless,
    part_audio,
    version_of,
)
from .entry import Entry, Verdict, judge_alone, read_entry
from .facts import Checksum, Facts
from .objects import LocalObjects, sync_directory

_MOST_KNOWN: Final = 100_000
_COPIED_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A valid entry.

    Args:
        path: its name in the cache directory.
        etag: its entity tag, unquoted: the id of the object, or for a foreign file one of its own.
        size_bytes, inode, mtime_ns: of the file that has the name.
        version: of the source that it is valid for; None where that is missing.
    """

    path: str
    etag: str
    size_bytes: int
    inode: int
    mtime_ns: int
    version: FileVersion | None = None


class Lookups:
    """What is known of the entries of sources; nothing is encoded for an answer.

    An entry that is not there under its name, or is of older tags, is made valid again where the
    store holds the same audio: after a move, a copy or a change of tags.

    Args:
        objects: the objects of the store.
        facts: what was found out about sources before.
        get_source: gives a source as its header describes it now.
        get_rendition: gives the rendition of a source as it is now.
        entry_file: gives the name of an entry in the cache directory.
        make_room: makes room for an object of an id and a size, like another one but for its tags.
    """

    def __init__(
        self,
        objects: LocalObjects,
        facts: Facts,
        get_source: Callable[[str], Source],
        get_rendition: Callable[[str, QualityLevel], Rendition],
        entry_file: Callable[[str, QualityLevel], str],
        make_room: Callable[[str, int, str], None] = lambda object_id, size_bytes, like: None,
    ) -> None:
        self._make_room = make_room
        self._objects = objects
        self._facts = facts
        self._get_source = get_source
        self._get_rendition = get_rendition
        self._entry_file = entry_file
        self._known: dict[tuple[str, str], Found] = {}

    def look_up(
        self,
        path: str,
        quality: QualityLevel,
        status: os.stat_result | None,
        *,
        is_thorough: bool = False,
    ) -> Found | Verdict:
        """Return the valid entry of a source at a quality, or why there is none.

        Args:
            path: of the source, absolute and normalised.
            quality: an encoded quality.
            status: what the file system says of the source; None where it is missing.
            is_thorough: read all of the source where only that tells, even where it has no entry.

        Raises:
            OSError: the entry or the source is there and cannot be looked at.
        """
        known = self._known.get((path, quality))
        version = version_of(status) if status is not None else None
        if known is not None and known.version == version:
            with contextlib.suppress(FileNotFoundError):
                if known == self.describe(known.path, known.etag, known.version):
                    return known
        settled = self._settle(path, quality, status, is_thorough)
        if isinstance(settled, Found):
            self.note(path, quality, settled)
        return settled

    def note(self, path: str, quality: QualityLevel, found: Found) -> None:
        """Remember a valid entry."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[path, quality] = found

    def forget(self, paths: Collection[str]) -> None:
        """Forget what is known of sources, and of all in folders, by their absolute paths."""
        names = set(paths)
        folders = tuple(os.path.join(path, "") for path in names if not is_audio_name(path))
        for path, quality in tuple(self._known):
            if path in names or path.startswith(folders):
                self._known.pop((path, quality), None)

    def describe(self, name: str, object_id: str, version: FileVersion | None) -> Found:
        """Return what an entry is that has just been given its name."""
        status = os.stat(name)
        file = (status.st_size, status.st_ino, status.st_mtime_ns)
        return Found(name, object_id, *file, version)

    def recall(self, rendition: Rendition) -> Rendition:
        """Return a rendition with the identity of its audio, where that is known already."""
        source = rendition.source
        if source.audio:
            return rendition
        audio = self._facts.audio_of(_key(source), source.file.version)
        if audio and source.whole is not None:
            audio = part_audio(source, audio)
        return replace(rendition, source=replace(source, audio=audio))

    def rename(self, object_id: str, *, but: str) -> None:
        """Let all names of an object name the file that it is now, which replaced a damaged one."""
        for entry in self._facts.names_of(object_id):
            name = os.path.join(os.path.dirname(self._objects.root), entry)
            if entry != but and os.path.lexists(name):
                self._name(name, object_id)

    def identify(self, rendition: Rendition) -> Rendition:
        """Return a rendition whose audio is identified; its source is read where that takes it.

        Raises:
            OSError: the source cannot be read, or has changed.
        """
        rendition = self.recall(rendition)
        source = rendition.source
        if source.audio:
            return rendition
        file = source.file
        audio = hash_audio(file)
        self._facts.note_source(_key(source), file.version, audio, file.samples, checked=True)
        audio = audio if source.whole is None else part_audio(source, audio)
        return replace(rendition, source=replace(source, audio=audio))

    def _settle(
        self, path: str, quality: QualityLevel, status: os.stat_result | None, is_thorough: bool
    ) -> Found | Verdict:
        name = self._entry_file(path, quality)
        entry = read_entry(name)
        version = version_of(status) if status is not None else None
        alone = Verdict.ABSENT if entry is None else judge_alone(entry, status)
        if entry is not None and entry.is_foreign and alone:
            return self.describe(name, foreign_etag(os.stat(name)), version)
        if status is None:
            return self._describe_orphan(name) if alone else alone
        remembered = self._remembered(name, version) if alone and version else None
        if remembered is not None:
            return remembered
        try:
            rendition = self._rendition_of(
                path, quality, is_cheap=entry is None and not is_thorough
            )
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

    def _remembered(self, name: str, version: FileVersion) -> Found | None:
        """Return an entry that was valid for this very version of its source when it was noted.

        So a new process need not read its sources.
        """
        object_id = self._facts.object_of(os.path.basename(name), version)
        with contextlib.suppress(FileNotFoundError):
            if object_id and os.path.samefile(name, self._objects.path(object_id)):
                return self.describe(name, object_id, version)
        return None

    def _rendition_of(
        self, path: str, quality: QualityLevel, *, is_cheap: bool
    ) -> Rendition | None:
        """Return the rendition with its audio identified; None where that would have to be read.

        Where there is no entry, the first lookup of a large file need not read all of it to learn
        that there is nothing, nor decode it to count its samples.
        """
        if is_cheap and not (is_lossless(path) and self._may_be_stored(self._get_source(path))):
            return None
        return self.identify(self._get_rendition(path, quality))

    def _may_be_stored(self, source: Source) -> bool:
        """Say whether something may be stored of the same audio, as far as that is told at once.

        FLAC tells its identity. A copy of a file that was read before, or that file in another
        place, has its size.
        """
        is_told = bool(source.audio) and source.samples is not None
        return is_told or self._facts.knows_size(source.file.size_bytes)

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
            known = self._facts.checksum_of(object_id)
            made = self._reheaded(self._objects.path(object_id), donor.header_bytes, same, known)
            if made is not None:
                return made
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

    def _reheaded(
        self, donor: str, header_bytes: int, rendition: Rendition, known: Checksum | None = None
    ) -> str | None:
        """Make an object of a header and the frames of another file.

        None where that file is short, or is not what its checksum says: damage would spread.
        """
        self._make_room(rendition.id, rendition.length, os.path.basename(donor))
        old_hash, new_hash = blake3.blake3(), blake3.blake3(rendition.header)
        with self._objects.new_file(rendition.id) as new, open(donor, "rb") as old:
            new.write(rendition.header)
            old_hash.update(old.read(header_bytes))
            while data := old.read(_COPIED_AT_ONCE):
                new.write(data)
                old_hash.update(data)
                new_hash.update(data)
            is_sound = known is None or known.blake3 == old_hash.hexdigest()
            if new.tell() != rendition.length or not is_sound:
                return None
            self._objects.put_new(new, rendition.id)
        is_proven = known is not None and known.is_proven
        self._facts.note_checksum(rendition.id, Checksum(new_hash.hexdigest(), is_proven))
        return rendition.id

    def _name(self, name: str, object_id: str) -> None:
        """Give an object its name of the contract, unless it has that."""
        if not self._has_name(object_id, name):
            self._objects.link(object_id, name)
            sync_directory(os.path.dirname(name))

    def _has_name(self, object_id: str, name: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samefile(name, self._objects.path(object_id))
        return False

    def _describe_orphan(self, name: str) -> Found:
        """Return the entry of a source that is missing: the object whose link it is."""
        object_id = self._facts.id_of(os.path.basename(name))
        if object_id is None or not self._has_name(object_id, name):
            object_id = foreign_etag(os.stat(name))
        return self.describe(name, object_id, None)


def _key(source: Source) -> str:
    """Return what the identity of a source's audio is remembered by.

    Of a file that is cut into parts it is that of its bytes, while the file itself may have one by
    an MD5 that it states.
    """
    return os.fspath(source.path) if source.whole is None else f"{source.file.path}{os.sep}"


def made_by(rendition: Rendition, encoder: str) -> Rendition:
    """Return a rendition as another build of the encoder, or another effort, has made it."""
    return replace(rendition, encoder=encoder)


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
