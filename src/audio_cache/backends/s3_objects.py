"""An object store that speaks S3: Amazon's, MinIO, Garage, Ceph, OpenStack Swift and others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError, GenericError, NotFoundError
from obstore.store import S3Store

from ..encoding.rendition import RENDITION_ID
from ..store.object_store import StoredObject

_SHARD_DIGITS: Final = 2
_READ_BYTES: Final = 1 << 16
_PART_BYTES: Final = 8 << 20
_CONNECTS_WITHIN: Final = timedelta(seconds=2)
# A listener waits no longer to learn whether an object is there; else he gets it as it is made.
_TELLS_WITHIN: Final = timedelta(seconds=2)
_WRITES_WITHIN: Final = timedelta(seconds=60)
_READS_WITHIN: Final = timedelta(seconds=3)
# Listeners read as slowly as they hear.
_LASTS_AT_MOST: Final = timedelta(hours=24)
# Swift answers 202 and no more where somebody else has put the same object meanwhile.
_OVERTAKEN: Final = "ETag Header missing"


class S3Objects:
    """Renditions by id in a bucket, below a prefix, each from its first moment on as a whole.

    Credentials, region and endpoint are the environment's: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL and the others that the tools of S3 know.

    Args:
        url: `s3://bucket/prefix`.
    """

    def __init__(self, url: str) -> None:
        # What has taken as long as that is not asked for again.
        self._asked: Any = _connect(url, _TELLS_WITHIN, retries=2, retry_within=_TELLS_WITHIN)
        self._read: Any = _connect(url, _READS_WITHIN, retries=1)
        # Others wait for nothing that is written, and a slow line takes a while for a part.
        self._written: Any = _connect(url, _WRITES_WITHIN, retries=4)

    def has(self, object_id: str) -> bool:
        """Say whether an object is there."""
        return self.stat(object_id) is not None

    def stat(self, object_id: str) -> StoredObject | None:
        """Return what the store says of an object; None where it is not there."""
        try:
            with _as_os_error(object_id):
                return _describe(obstore.head(self._asked, _key(object_id)))
        except FileNotFoundError:
            return None

    def open_range(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes [start, stop) of an object, in pieces; fewer where it ends before.

        Raises:
            FileNotFoundError: there is no such object.
            OSError: the store cannot be asked.
        """
        if start >= stop:
            if not self.has(object_id):
                raise FileNotFoundError(object_id)
            return iter(())
        options: Any = {"range": (start, stop)}
        try:
            with _as_os_error(object_id):
                answer = obstore.get(self._read, _key(object_id), options=options)
        except FileNotFoundError:
            raise
        except OSError:
            found = self.stat(object_id)
            if found is not None and start >= found.size_bytes:
                return iter(())
            raise
        return _read(answer, object_id)

    def put(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a complete file an object, at once and as a whole; the file loses its old name.

        Raises:
            OSError: the store cannot be written; what was there before is there still.
        """
        self.put_copy(source, object_id)
        os.unlink(source)

    def put_copy(self, source: str | os.PathLike[str], object_id: str) -> None:
        """Make a copy of a complete file an object, as `put`; the file stays."""
        # In parts where it is long; nobody sees any of them before the last is there.
        with _as_os_error(object_id), open(source, "rb") as file:
            try:
                obstore.put(
                    self._written,
                    _key(object_id),
                    file,
                    attributes={"Content-Type": "audio/mpeg"},
                    chunk_size=_PART_BYTES,
                    max_concurrency=2,
                )
            except GenericError as error:
                if _OVERTAKEN not in str(error):
                    raise

    def delete(self, object_id: str) -> bool:
        """Delete an object; say whether it was there. Who reads it reads on undisturbed."""
        was_there = self.has(object_id)
        with contextlib.suppress(FileNotFoundError), _as_os_error(object_id):
            obstore.delete(self._written, _key(object_id))
        return was_there

    def scan(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose ids begin with a prefix, in no particular order."""
        # The store lists whole folders.
        folder = f"{prefix[:_SHARD_DIGITS]}/" if len(prefix) >= _SHARD_DIGITS else None
        with _as_os_error(prefix):
            for page in obstore.list(self._written, prefix=folder):
                for item in page:
                    found = _describe(item)
                    if found.id.startswith(prefix) and RENDITION_ID.fullmatch(found.id):
                        yield found

    def sign(self, object_id: str, expires_in_s: float) -> str:
        """Return an address by which anybody gets an object for some seconds.

        Raises:
            OSError: no address can be made.
        """
        with _as_os_error(object_id):
            lasts = timedelta(seconds=expires_in_s)
            return str(obstore.sign(self._asked, "GET", _key(object_id), lasts))


def _connect(
    url: str, reads_within: timedelta, *, retries: int, retry_within: timedelta | None = None
) -> Any:
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return S3Store.from_url(
        url,
        client_options={
            "connect_timeout": _CONNECTS_WITHIN,
            "read_timeout": reads_within,
            "timeout": _LASTS_AT_MOST,
            "allow_http": is_plain,
        },
        retry_config={"max_retries": retries, "retry_timeout": retry_within or 2 * reads_within},
    )


def _key(object_id: str) -> str:
    return f"{object_id[:_SHARD_DIGITS]}/{object_id}"


def _describe(item: Any) -> StoredObject:
    object_id = str(item["path"]).rpartition("/")[2]
    return StoredObject(object_id, item["size"], round(item["last_modified"].timestamp() * 1e9))


def _read(answer: Any, object_id: str) -> Iterator[bytes]:
    with _as_os_error(object_id):
        for piece in answer.stream(min_chunk_size=_READ_BYTES):
            yield bytes(piece)


@contextlib.contextmanager
def _as_os_error(object_id: str) -> Iterator[None]:
    """Raise what the client raises as the errors that a directory gives."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise FileNotFoundError(object_id) from error
    except BaseError as error:
        # Its first line says it; the others are how the client came there.
        said = str(error).strip().splitlines()[:1]
        raise OSError(f"the object store failed: {said[0] if said else error!r}") from error
