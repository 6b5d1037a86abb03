"""Runs pytest, and whatever failed beside other tests again by itself, one after the other.

Use: patiently.py PYTEST [ARGUMENT ...]. A test that fails each time fails the whole; one that
needed another try is named at the end, so that nobody takes it for sound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TRIES = 2
# A machine that is busy makes one test fail, or two. More are a fault, and are only waited for.
MOST = 8
_TESTS_FAILED = 1


def main(command: list[str]) -> int:
    """Return what the process is to end with."""
    status = subprocess.run(command, check=False).returncode
    if status != _TESTS_FAILED:
        return status
    cache = cache_of(command)
    failed = sorted(json.loads((cache / "v" / "cache" / "lastfailed").read_text("utf-8")))
    if len(failed) > MOST:
        say(f"{len(failed)} tests failed, which are too many to be tried again")
        return status
    needed = {test: tries(command[0], cache, test) for test in failed}
    for test, number in needed.items():
        passed = f"passed by itself, at try {number}" if number else f"failed {TRIES + 1} times"
        say(f"{test} {passed}")
    return 0 if failed and all(needed.values()) else status


def tries(pytest: str, cache: Path, test: str) -> int:
    """Return at which try a test passes by itself; 0 if at none."""
    for number in range(1, TRIES + 1):
        say(f"try {number} of {test}")
        again = [pytest, "-m", "", "-o", f"cache_dir={cache}", test]
        if subprocess.run(again, check=False).returncode == 0:
            return number
    return 0


def cache_of(command: list[str]) -> Path:
    """Return where pytest notes what failed."""
    named = [each.partition("=")[2] for each in command if each.startswith("cache_dir=")]
    return Path([".pytest_cache", *named][-1])


def say(text: str) -> None:
    """Print a line that is found again in a long log."""
    print(f"=== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
