"""Programs from outside Python: without them a test skips on a laptop and fails in CI."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = {
    "chromium": "chromium",
    "curl": "curl",
    "dbus-daemon": "dbus-daemon",
    "ffmpeg": "ffmpeg",
    "firefox": "firefox-esr",
    "gdbus": "libglib2.0-bin",
    "mopidy": "mopidy",
    "mpv": "mpv",
    "nginx": "nginx-light",
    "node": "nodejs",
    "postgres": "postgresql",
    "redis-server": "redis-server",
    "strace": "strace",
    "strawberry": "strawberry",
    "xdotool": "xdotool",
    "Xvfb": "xvfb",
}
# Of Chromium the one without the parts that only a screen needs: it takes two thirds of the time.
PREFERRED = {"chromium": "chromium-headless-shell", "firefox": "firefox-esr"}


# About what a test takes that has one of these marks, in seconds; those of the site say that they
# may take ten minutes.
_TAKES_S = {"timeout": 30.0, "slow": 5.0, "browser": 2.0}
_OTHERS_TAKE_S = 0.1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, or one process would be at them long after others."""
    takes_s: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        marks = [mark for mark in _TAKES_S if item.get_closest_marker(mark)]
        takes_s[item.path] += _TAKES_S[marks[0]] if marks else _OTHERS_TAKE_S
    items.sort(key=lambda item: -takes_s[item.path])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test marked `needs("nginx", ...)` where one of the programs is missing."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if find_program(program) is None:
                give_up(f"{program} is missing: apt-get install {PACKAGES[program]}")


def find_program(name: str) -> str | None:
    """Return the path of a program; Debian keeps servers where a user's PATH does not look."""
    postgres = ":".join(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True))
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:{postgres}"
    preferred = shutil.which(PREFERRED.get(name, name), path=path)
    return preferred or shutil.which(name, path=path)


def give_up(reason: str) -> NoReturn:
    """Skip, but fail where CI=true: everything is installed there and nothing left untested."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
