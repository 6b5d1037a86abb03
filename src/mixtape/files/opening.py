"""Opening a file again by its name, and only the one that was opened before."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Device and inode; they stand for a file as long as somebody has it open.
Identity = tuple[int, int]


def identity_of(descriptor: int) -> Identity:
    """Return what tells an open file from all others."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def require_identity(found: Identity, known: Identity | None, path: Path) -> None:
    """Make sure that a file is the one that was opened before by the same name.

    A name can come to stand for a file outside of the music, by a link that is swapped in.

    Args:
        known: of the one before; None where there was none.

    Raises:
        FileNotFoundError: it is another file.
    """
    if known is not None and found != known:
        raise FileNotFoundError(errno.ENOENT, "Another file took its place", os.fspath(path))


@contextmanager
def opened_again(path: Path, known: Identity | None) -> Iterator[IO[bytes]]:
    """Open a file for reading.

    Raises:
        OSError: it cannot be opened, or is another one than before.
    """
    with path.open("rb") as file:
        require_identity(identity_of(file.fileno()), known, path)
        yield file
