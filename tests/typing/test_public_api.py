"""Types of the public API, as a type checker of its users sees them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow  # and mypy is no part of what runs with the lowest versions
def test_the_signatures_of_the_contract_pass_mypy() -> None:
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "tests/typing/public_api.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
