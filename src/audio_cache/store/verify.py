"""Verification: holding what is stored against what it says it is, and mending what is bad."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from ..encoding.cancellation import Cancellation
from ..encoding.ffmpeg import FFmpegRun
from ..errors import AudioCacheError, EncodeInterruptedError
from ..quality import QualityLevel, parse_quality
from .cache import AudioCache
from .comparison import find_deviation, find_rendition
from .damage import decode, find_damage
from .entry import Entry, Verdict, read_entry, stat_or_none
from .facts import Checksum
from .objects import hash_file


class State(Enum):
    """The condition of an entry."""

    SOUND = "sound"
    OUTDATED = "outdated"
    DAMAGED = "damaged"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found out about an entry, or about an object that has no name.

    Args:
        path: the entry.
        state: its condition, after the repair if there was one.
        reason: what is wrong with it, in words; for a sound one, anything unusual about it.
        source: what it was made from; None if audio_cache did not make it.
        quality: of the entry.
        object_id: of the object that it is; "" where it is none.
    """

    path: Path
    state: State
    reason: str = ""
    source: Path | None = None
    quality: QualityLevel | None = None
    object_id: str = field(default="", compare=False)

    @property
    def is_good(self) -> bool:
        """Say whether the entry can be trusted now."""
        return self.state in (State.SOUND, State.REPAIRED)

    @property
    def is_unnamed(self) -> bool:
        """Say whether it is an object that no entry names."""
        return self.path.name == self.object_id


class Inspector:
    """Inspects what a cache has stored.

    Args:
        cache: whose files.
        deep: encode stretches again and compare them; all of an object whose checksum was not
            taken from the encoder's hands, since nothing else vouches for it.
        cancellation: ends it.
    """

    def __init__(
        self, cache: AudioCache, *, deep: bool = False, cancellation: Cancellation | None = None
    ) -> None:
        self._cache = cache
        self._deep = deep
        self._cancellation = cancellation or Cancellation()

    def inspect(self, path: Path) -> Inspection | None:
        """Inspect an entry, or an object; None where it is gone.

        Raises:
            EncodeInterruptedError: somebody interrupted it.
            FFmpegNotFoundError: there is no ffmpeg to decode it.
        """
        self._cancellation.pause(0)
        try:
            entry = read_entry(path)
            if entry is None:
                return None
            found = self._describe(path, entry)
            damage, oddity = self._examine(found, entry)
            if damage is not None:
                return replace(found, state=State.DAMAGED, reason=damage)
            found = _compare_with_source(self._cache, found, entry)
            return found if found.reason else replace(found, reason=oddity)
        except FileNotFoundError as error:
            if isinstance(error, AudioCacheError):
                raise
            return None
        except OSError as error:
            return Inspection(path, State.DAMAGED, f"it cannot be read: {error.strerror or error}")

    def _describe(self, path: Path, entry: Entry) -> Inspection:
        if entry.identity is None:
            return Inspection(path, State.SOUND)
        object_id = self._object_id(path)
        source = self._cache.facts.source_of(path.name)
        if source is None:
            # It has no name, or one that is not its own.
            source = next((each for each, _ in self._cache.facts.origins_of(object_id)), None)
        quality = parse_quality(entry.identity.quality)
        return Inspection(path, State.SOUND, "", source, quality, object_id)

    def _examine(self, found: Inspection, entry: Entry) -> tuple[str | None, str]:
        """Return what is wrong with the bytes, None for nothing, and what else is to be said."""
        damage = find_damage(found.path, entry)
        if damage is not None or not found.object_id:
            return damage or self._decode(found.path, entry), ""
        known = self._cache.facts.checksum_of(found.object_id)
        actual = Checksum(hash_file(found.path), is_proven=known is not None and known.is_proven)
        if known is not None and known.blake3 != actual.blake3:
            words = "its bytes are not those that were written: the checksum differs"
            return self._decode(found.path, entry) or words, ""
        oddity = ""
        if self._deep:
            damage, oddity, is_proven = self._compare_bytes(found, is_proven=actual.is_proven)
            actual = replace(actual, is_proven=is_proven)
        if damage is None and not actual.is_proven:
            damage = self._decode(found.path, entry)
        if damage is None and actual != known:
            self._cache.facts.note_checksum(found.object_id, actual)
        return damage, oddity

    def _compare_bytes(self, found: Inspection, *, is_proven: bool) -> tuple[str | None, str, bool]:
        """Return the damage, what else is to be said, and whether the bytes are proven now."""
        rendition = find_rendition(self._cache, found.object_id)
        if rendition is None:
            words = "no source is known that gives the same bytes today: its checksum was compared"
            return None, words, is_proven
        try:
            damage = find_deviation(
                found.path, rendition, whole=not is_proven, on_start=self._cancellation.hold
            )
        except EncodeInterruptedError:
            raise
        except AudioCacheError as error:
            return None, f"its source cannot be encoded to compare them: {error}", is_proven
        return damage, "", damage is None

    def _decode(self, path: Path, entry: Entry) -> str | None:
        on_start: Callable[[FFmpegRun], None] = self._cancellation.hold
        return decode(self._cache.ffmpeg, path, entry.identity, on_start)

    def _object_id(self, path: Path) -> str:
        """Return the id of the object that a file is, by its name or as a link; "" for none."""
        objects = self._cache.objects
        if objects.path(path.name) == os.fspath(path):
            return path.name
        noted = self._cache.facts.id_of(path.name)
        if noted:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samefile(path, objects.path(noted)):
                    return noted
        # What the index says is of another file, or the index was lost.
        return self._ids.get(path.stat().st_ino) or noted or ""

    @functools.cached_property
    def _ids(self) -> dict[int, str]:
        """Return the ids of the objects by their inodes."""
        objects, found = self._cache.objects, {}
        for each in objects.scan():
            with contextlib.suppress(FileNotFoundError):
                found[os.stat(objects.path(each.id)).st_ino] = each.id
        return found


def inspect_entry(
    cache: AudioCache, path: Path, cancellation: Cancellation | None = None
) -> Inspection | None:
    """Inspect one entry, or object, as an `Inspector` does; None where it is gone.

    Raises:
        EncodeInterruptedError: somebody interrupted it.
        FFmpegNotFoundError: there is no ffmpeg to decode it.
    """
    return Inspector(cache, cancellation=cancellation).inspect(path)


def repair_entry(cache: AudioCache, inspection: Inspection) -> Inspection:
    """Encode a bad entry again if its source exists; return its condition after that."""
    source, quality = inspection.source, inspection.quality
    if inspection.is_good:
        return inspection
    if inspection.is_unnamed:
        cache.objects.delete(inspection.object_id)
        return replace(inspection, state=State.REPAIRED, reason=f"deleted: {inspection.reason}")
    if source is None or quality is None:
        return _hopeless(inspection, "and there is no record of what it was made from: delete it")
    if stat_or_none(source) is None:
        return _hopeless(inspection, "and its source is gone")
    try:
        # An outdated one may hold the right audio with old tags, which needs no encoding.
        cache.transcode_file(source, quality, overwrite=inspection.state is State.DAMAGED)
    except EncodeInterruptedError:
        raise
    except (AudioCacheError, OSError) as error:
        return _hopeless(inspection, f"and cannot be encoded again: {error}")
    if cache.get_cache_path(source, quality) != inspection.path:
        # It was under another source's name, where no lookup of its own source would find it.
        inspection.path.unlink(missing_ok=True)
    if inspection.object_id:
        # The other names of the object are still links to the bad file.
        cache.rename_object(inspection.object_id)
    return replace(inspection, state=State.REPAIRED)


def verify(
    cache: AudioCache,
    *,
    repair: bool = False,
    deep: bool = False,
    jobs: int = 1,
    entries: Iterable[Path] | None = None,
) -> Iterator[Inspection]:
    """Yield an inspection of all that is stored, as they become known.

    Args:
        cache: whose entries.
        repair: encode bad ones again where their source is there.
        deep: encode stretches of them again and compare those byte for byte.
        jobs: how many entries to look at at once.
        entries: which; by default all, and the objects that have no name.
    """
    cancellation = Cancellation()
    inspector = Inspector(cache, deep=deep, cancellation=cancellation)

    def inspect(path: Path) -> Inspection | None:
        found = inspector.inspect(path)
        return repair_entry(cache, found) if repair and found is not None else found

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="verify")
    try:
        paths = cache.stored_files() if entries is None else entries
        for future in as_completed([pool.submit(inspect, path) for path in paths]):
            found = future.result()
            if found is not None:
                yield found
    finally:
        cancellation.set()
        pool.shutdown(cancel_futures=True)


def _compare_with_source(cache: AudioCache, found: Inspection, entry: Entry) -> Inspection:
    if entry.identity is None:
        return replace(found, reason="it was not made by audio_cache: only its decoding was tried")
    if found.is_unnamed:
        return replace(found, reason="no entry names it: it is of no source as that is now")
    if found.source is None or found.quality is None:
        return replace(found, reason="nothing is known of its source until that is played again")
    if cache.get_cache_path(found.source, found.quality) != found.path:
        return replace(found, state=State.OUTDATED, reason="it is under the name of another source")
    with contextlib.suppress(OSError):
        if stat_or_none(found.source) is None:
            return replace(found, reason="its source is gone")
    valid = cache.find(found.source, found.quality)
    if isinstance(valid, Verdict):
        return replace(found, state=State.OUTDATED, reason=valid.value)
    return found


def _hopeless(inspection: Inspection, why: str) -> Inspection:
    return replace(inspection, reason=f"{inspection.reason}, {why}")
