"""Heads: beginnings of renditions, which stay where the rest has to make room."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import blake3

from ..encoding import mp3
from ..encoding.rendition import Rendition
from ..quality import bitrate_bps, parse_quality
from .entry import Entry, read_entry
from .facts import Checksum, Facts
from .ledger import Ledger
from .object_store import StoredObject
from .objects import HEADS_FOLDER, LocalObjects

# Ten seconds and a bit. Of what an encoder goes on with, the last frame shows that the ones before
# it are whole, so there is one more than whole groups have.
HEAD_FRAMES: Final = 8 * mp3.GROUP_FRAMES + 1
# A rendition that is not much longer than its head goes as a whole.
_WORTH_A_HEAD: Final = 4
# What evictions leave; heads that were made on purpose may take more.
SHARE: Final = 1 / 8


class Heads:
    """The heads of a cache, under the ids of the renditions whose first bytes they are.

    A rendition with a head is played from it at once, and its encoder goes on where it ends. An id
    has an object or a head, and nothing is made a head whose audio was not checked.

    Args:
        cache_dir: the directory of the cache.
        facts: where the checksums are.
        ledger: where their sizes and their worth are.
    """

    def __init__(self, cache_dir: Path, facts: Facts, ledger: Ledger) -> None:
        self._files = LocalObjects(cache_dir, HEADS_FOLDER)
        self._facts = facts
        self._ledger = ledger

    def has(self, object_id: str) -> bool:
        """Say whether there is a head of a rendition."""
        return self._files.has(object_id)

    def scan(self) -> Iterator[StoredObject]:
        """Yield the heads, in no particular order."""
        return self._files.scan()

    def find(self, rendition: Rendition) -> bytes:
        """Return the head of a rendition whose id is known, or b"" where there is none.

        A head of the same audio with other tags is given the tags of this one. One that is not what
        it was when it was kept is deleted.
        """
        for object_id, header_bytes in self._of(rendition):
            if content := self._read(object_id):
                return rendition.header + content[header_bytes:]
        return b""

    def keep(self, object_id: str, beginning: bytes) -> None:
        """Keep the first bytes of a rendition.

        Raises:
            OSError: the directory cannot be written.
        """
        with self._files.new_file(_checksum_name(object_id)) as file:
            file.write(beginning)
            file.flush()
            self._ledger.note_head(object_id, len(beginning), time.time())
            self._files.put(file.name, object_id)
        checksum = Checksum(blake3.blake3(beginning).hexdigest(), is_proven=True)
        self._facts.note_checksum(_checksum_name(object_id), checksum)

    def drop(self, rendition: Rendition) -> None:
        """Delete what `find` would find, as all of the rendition is there or about to be."""
        for object_id, _ in self._of(rendition):
            self.delete(object_id)

    def delete(self, object_id: str) -> bool:
        """Delete a head; say whether it was there."""
        was_there = self._files.delete(object_id)
        if was_there:
            self._ledger.note_headless(object_id)
        return was_there

    def sweep(self, older_than_s: float) -> None:
        """Delete the heads of at least an age."""
        now = time.time()
        for each in list(self.scan()):
            if now - each.mtime_ns / 1e9 > older_than_s:
                self.delete(each.id)

    def _of(self, rendition: Rendition) -> Iterator[tuple[str, int]]:
        """Yield ids and sizes of the headers of the heads that hold a rendition's first frames."""
        if not rendition.source.audio:
            return
        for object_id in self._files.of_audio(rendition.source.audio):
            donor = read_entry(self._files.path(object_id))
            if donor is not None and donor.identity == rendition.identity:
                yield object_id, donor.header_bytes

    def _read(self, object_id: str) -> bytes:
        with contextlib.suppress(OSError):
            content = Path(self._files.path(object_id)).read_bytes()
            known = self._facts.checksum_of(_checksum_name(object_id))
            if known is None or known.blake3 == blake3.blake3(content).hexdigest():
                return content
            self.delete(object_id)
        return b""


def head_size(rendition: Rendition) -> int:
    """Return the size of a rendition's head in bytes; 0 where it is too short to have one."""
    size = len(rendition.header) + mp3.frames_size(rendition.bitrate_bps, HEAD_FRAMES)
    return size if rendition.length >= _WORTH_A_HEAD * size else 0


def read_beginning(path: str) -> bytes:
    """Return what of an object would be its head; b"" where it has or needs none."""
    with contextlib.suppress(OSError):
        entry = read_entry(path)
        size = _head_size_of(entry) if entry is not None else 0
        if entry is not None and 0 < _WORTH_A_HEAD * size <= entry.size_bytes:
            with open(path, "rb") as file:
                return file.read(size)
    return b""


def _head_size_of(entry: Entry) -> int:
    if entry.identity is None or entry.size_bytes != entry.expected_size():
        return 0
    bitrate = bitrate_bps(parse_quality(entry.identity.quality))
    return entry.header_bytes + mp3.frames_size(bitrate, HEAD_FRAMES)


def _checksum_name(object_id: str) -> str:
    """Return by which name the checksum of a head is known: the object has another one."""
    return f"{object_id}.head"
