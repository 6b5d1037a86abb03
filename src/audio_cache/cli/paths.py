"""Which files a command line means: files as they are named, folders with all below them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..sources.source import may_be_lossless


def collect_sources(
    paths: Iterable[Path], on_error: Callable[[OSError], None] = lambda error: None
) -> Iterator[Path]:
    """Yield the sources that paths name, each once.

    A file is taken as it is. Of a folder, everything below it that may be lossless is taken, in
    order of the names' bytes; hidden names are passed over, and links to folders, which could
    lead in circles, are not followed.

    Args:
        paths: files and folders; what does not exist counts as a file.
        on_error: is given the error of each folder that cannot be listed.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _below(path, on_error) if path.is_dir() else [os.fspath(path)]:
            absolute = os.path.abspath(found)
            if absolute not in seen:
                seen.add(absolute)
                yield Path(absolute)


def _below(folder: Path, on_error: Callable[[OSError], None]) -> Iterator[str]:
    for directory, folders, files in os.walk(folder, onerror=on_error):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=os.fsencode)
        for name in sorted(files, key=os.fsencode):
            if not name.startswith(".") and may_be_lossless(name):
                yield os.path.join(directory, name)
