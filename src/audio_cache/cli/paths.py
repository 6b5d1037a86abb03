"""The sources that a command line names: files as given, folders with everything below them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..sources.sheet_tracks import cut_files
from ..sources.source import may_be_lossless


def collect_sources(
    paths: Iterable[Path], on_error: Callable[[OSError], None] = lambda error: None
) -> Iterator[Path]:
    """Yield the sources that paths name, each once.

    A file is taken as given. A folder stands for everything below it that may be lossless, in the
    order of the names' bytes; hidden names are skipped, and links to folders, which could form
    loops, are not followed. A file that a CUE sheet cuts into tracks stands for those.

    Args:
        paths: files and folders; a path that does not exist counts as a file.
        on_error: receives the error for each folder that cannot be listed.
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
        names = [name for name in sorted(files, key=os.fsencode) if not name.startswith(".")]
        tracks, _ = cut_files(directory, names)
        for name in filter(may_be_lossless, names):
            parts = [track.path for track in tracks if os.path.basename(track.file) == name]
            yield from parts or [os.path.join(directory, name)]
