"""Links that take the place of files, as somebody who may write to a music folder can make them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def exchange(file: Path, target: Path) -> None:
    """Put a link in the place of a file, as one step."""
    link = file.with_suffix(".link")
    link.symlink_to(target)
    os.replace(link, file)


@contextmanager
def coming_and_going(file: Path, target: Path) -> Iterator[None]:
    """Exchange a file for a link and back again all the time."""
    kept = file.with_suffix(".kept")
    os.link(file, kept)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            exchange(file, target)
            back = file.with_suffix(".back")
            os.link(kept, back)
            os.replace(back, file)
            back.unlink(missing_ok=True)  # rename leaves it where both are one file

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield
    finally:
        is_over.set()
        swapper.join()
