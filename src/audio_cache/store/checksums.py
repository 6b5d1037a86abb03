"""Checksums of the bytes of objects: BLAKE3, which keeps up with any disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import blake3

_READ_BYTES: Final = 1 << 20


def hash_open_file(fd: int) -> str:
    """Return the BLAKE3 of all that an open file holds; its position stays where it is."""
    digest = blake3.blake3()
    at = 0
    while data := os.pread(fd, _READ_BYTES, at):
        digest.update(data)
        at += len(data)
    return digest.hexdigest()


def hash_file(path: Path | str) -> str:
    """Return the BLAKE3 of a file.

    Raises:
        OSError: it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return hash_open_file(fd)
    finally:
        os.close(fd)
