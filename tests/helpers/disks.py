"""Disks of a small size, mounted for a while."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.waiting import LIMIT_S


@contextmanager
def small_disk(path: Path, *options: str) -> Iterator[None]:
    """Mount a disk at a path; skip the test where this user may not mount any.

    Args:
        path: of a directory, which is made if it is missing.
        options: such as "size=1m" or "nr_inodes=4".
    """
    path.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", ",".join(options), "none", os.fspath(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True, timeout=LIMIT_S)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk takes the right to mount: {error}")
    try:
        yield
    finally:
        # Lazily: a process that just ends may hold it for another moment.
        subprocess.run(["umount", "-l", os.fspath(path)], check=True, timeout=LIMIT_S)
