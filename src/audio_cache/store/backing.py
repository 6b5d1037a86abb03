"""The object store behind a cache's directory: what all nodes keep, and this one has some of."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol, runtime_checkable

import blake3

from ..encoding.rendition import RENDITION_ID, Rendition
from ..errors import AudioCacheError
from .arrival import Arrival
from .facts import Checksum, Facts
from .object_store import ObjectStore
from .objects import LocalObjects

# After a failure nobody waits for the store again, for so long.
_RESTS_S: Final = 5.0
_TRIES_AGAIN_AFTER_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
# What is not there is not asked for again at once, by each range of a player.
_ABSENT_FOR_S: Final = 1.0
# What is there stays, unless the bucket needs room; then the track is made here.
_PRESENT_FOR_S: Final = 300.0
_MOST_KNOWN: Final = 100_000
_MOST_WAITING: Final = 200
_UPLOADERS: Final = 2
# At once, in the background; the others are fetched when they are heard again.
_MOST_FETCHED: Final = 8


@runtime_checkable
class SigningStore(Protocol):
    """An object store that gives addresses by which others get an object from it."""

    def sign(self, object_id: str, expires_in_s: float) -> str:
        """Return an address of an object that is good for some seconds."""


class BackingStore:
    """Keeps what this node makes where all nodes find it, and fetches what others have made.

    It is an addition: while it is away, renditions are made and played here as ever, and what was
    made is brought there later.

    Args:
        store: which all nodes share.
        local: this node's objects.
        facts: are told the checksums of what was fetched.
        make_room: makes room for an object of an id and a size among the local ones.
        logger: is told what cannot be done.
    """

    def __init__(
        self,
        store: ObjectStore,
        local: LocalObjects,
        facts: Facts,
        make_room: Callable[[str, int], None],
        logger: logging.Logger,
    ) -> None:
        self.store = store
        self._local = local
        self._facts = facts
        self._make_room = make_room
        self._logger = logger
        self._changed = threading.Condition()
        self._absent: dict[str, float] = {}
        self._present: dict[str, float] = {}
        self._rests_until = 0.0
        self._is_closed = False
        # Open files, so that nothing that happens to their names here is in the way.
        self._due: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._fetching: dict[str, Arrival] = {}
        self._threads: list[threading.Thread] = []

    # Fetching

    def has(self, rendition: Rendition) -> bool:
        """Say whether a rendition is there, whole, as far as its audio is identified."""
        if not rendition.source.audio:
            return False
        now = time.monotonic()
        if now < self._rests_until or now < self._absent.get(rendition.id, 0.0):
            return False
        if now < self._present.get(rendition.id, 0.0):
            return True
        try:
            found = self.store.stat(rendition.id)
        except OSError as error:
            self._rest(error)
            return False
        is_there = found is not None and found.size_bytes == rendition.length
        known = self._present if is_there else self._absent
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[rendition.id] = now + (_PRESENT_FOR_S if is_there else _ABSENT_FOR_S)
        return is_there

    def fetch(self, rendition: Rendition, arrival: Arrival | None = None) -> bool:
        """Bring a rendition here, if it is there; say whether it is here now.

        Args:
            rendition: what is wanted.
            arrival: is told how far it is.
        """
        if self._local.has(rendition.id):
            return True
        if not self.has(rendition):
            return False
        try:
            header = rendition.header
            return self._bring(rendition.id, rendition.length, header, arrival or Arrival())
        except (AudioCacheError, OSError) as error:
            # It is made here in that case, and what this disk has no room for is refused there.
            self._logger.warning("cannot fetch %s: %s", rendition.id, error)
            return False

    def bring(self, object_id: str) -> bool:
        """Bring an object here by its id alone; say whether it is here now.

        Where it cannot be brought that is logged.
        """
        if not RENDITION_ID.fullmatch(object_id) or time.monotonic() < self._rests_until:
            return False
        try:
            with self._watched(object_id):
                found = self.store.stat(object_id)
            if found is None:
                return False
            return self._bring(object_id, found.size_bytes, b"", Arrival())
        except (AudioCacheError, OSError) as error:
            self._logger.warning("cannot fetch %s: %s", object_id, error)
            return False

    def _bring(self, object_id: str, length: int, header: bytes, arrival: Arrival) -> bool:
        """Bring an object here if it has that length and begins so; say whether it has."""
        self._make_room(object_id, length)
        digest = blake3.blake3()
        with contextlib.ExitStack() as ending, self._local.new_file(object_id) as file:
            arrival.begin(file.name)
            ending.callback(arrival.end)
            for data in self._open_there(object_id, 0, length):
                digest.update(data)
                file.write(data)
                file.flush()
                arrival.grow(file.tell())
            if file.tell() != length or not _begins_with(file.name, header):
                self._logger.warning("object %s of the store is no such rendition", object_id)
                return False
            self._local.put_new(file, object_id)
        self._facts.note_checksum(object_id, Checksum(digest.hexdigest(), is_proven=False))
        return True

    def fetch_soon(self, rendition: Rendition) -> None:
        """Bring a rendition here in the background."""
        with self._changed:
            is_known = rendition.id in self._fetching
            if self._is_closed or is_known or len(self._fetching) >= _MOST_FETCHED:
                return
            arrival = self._fetching[rendition.id] = Arrival()

        def fetch() -> None:
            try:
                self.fetch(rendition, arrival)
            finally:
                arrival.end()
                with self._changed:
                    self._fetching.pop(rendition.id, None)
                    self._changed.notify_all()

        threading.Thread(target=fetch, name="fetch", daemon=True).start()

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes [start, stop) of an object, of what is being brought here or from there.

        Raises:
            OSError: they cannot be had.
        """
        arrival = self._fetching.get(object_id)
        pieces = arrival.follow(start, stop) if arrival is not None else None
        if pieces is None:
            return self._open_there(object_id, start, stop)
        return self._and_the_rest(pieces, object_id, start, stop)

    def _and_the_rest(
        self, pieces: Iterator[bytes], object_id: str, start: int, stop: int
    ) -> Iterator[bytes]:
        for data in pieces:
            start += len(data)
            yield data
        if start < stop:
            yield from self._open_there(object_id, start, stop)

    def _open_there(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        with self._watched(object_id):
            pieces = self.store.open_range(object_id, start, stop)
        return self._read(object_id, pieces)

    def _read(self, object_id: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with self._watched(object_id):
            yield from pieces

    @contextlib.contextmanager
    def _watched(self, object_id: str) -> Iterator[None]:
        """Take note of what fails: whoever asks next is not to wait for it as well."""
        try:
            yield
        except FileNotFoundError:
            self._present.pop(object_id, None)
            raise
        except OSError as error:
            self._rest(error)
            raise

    # Keeping

    def keep(self, object_id: str) -> None:
        """Bring an object of this node to the store, in the background, however often it takes."""
        with self._changed:
            if self._is_closed or object_id in self._waiting:
                return
            if len(self._waiting) >= _MOST_WAITING:
                # Nobody may wait here: it is found to be missing there by the next who looks.
                self._logger.warning("%s does not go to the object store now", object_id)
                return
            try:
                descriptor = os.open(self._local.path(object_id), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # it had to make room already
            self._waiting.add(object_id)
            self._due.put((object_id, descriptor))
            if len(self._threads) < _UPLOADERS:
                thread = threading.Thread(target=self._upload_all, name="upload", daemon=True)
                self._threads.append(thread)
                thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all that is kept is in the store; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def close(self, timeout_s: float = 2.0) -> None:
        """Give what is under way a moment, and then up; the other nodes make it themselves."""
        self.wait(timeout_s)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        while not self._due.empty():
            with contextlib.suppress(queue.Empty):
                os.close(self._due.get_nowait()[1])

    def _upload_all(self) -> None:
        while not self._is_closed:
            with contextlib.suppress(queue.Empty):
                object_id, descriptor = self._due.get(timeout=1.0)
                try:
                    self._upload(object_id, descriptor)
                except Exception:
                    self._logger.exception("%s cannot be brought to the object store", object_id)
                finally:
                    os.close(descriptor)
                    with self._changed:
                        self._waiting.discard(object_id)
                        self._changed.notify_all()

    def _upload(self, object_id: str, descriptor: int) -> None:
        tries = iter(_TRIES_AGAIN_AFTER_S)
        size_bytes = os.fstat(descriptor).st_size
        while not self._is_closed:
            try:
                found = self.store.stat(object_id)
                if found is None or found.size_bytes != size_bytes:
                    self.store.put_copy(f"/proc/self/fd/{descriptor}", object_id)
                return
            except OSError as error:
                self._logger.warning("%s is not in the object store yet: %s", object_id, error)
                with self._changed:
                    pause_s = next(tries, _TRIES_AGAIN_AFTER_S[-1])
                    self._changed.wait_for(lambda: self._is_closed, pause_s)

    def _rest(self, error: OSError) -> None:
        self._rests_until = time.monotonic() + _RESTS_S
        self._logger.warning("the object store cannot be asked: %s", error)


def _begins_with(path: str, header: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(header)) == header
