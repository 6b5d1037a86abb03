"""What CI does with tests that fail beside others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PATIENTLY = Path(__file__).parents[1] / ".ci" / "patiently.py"
PYTEST = Path(sys.executable).with_name("pytest")
# Each test fails until it has been run as often as its name says.
SUITE = """
import pathlib, pytest
pytestmark = pytest.mark.odd
@pytest.mark.parametrize("passes_at", {passes_at})
def test_it(passes_at):
    runs = pathlib.Path(f"runs {{passes_at}}")
    runs.write_text(runs.read_text() + "." if runs.exists() else ".")
    assert len(runs.read_text()) >= passes_at
"""
INI = "[pytest]\naddopts = -m 'not odd'\nmarkers = odd: left out unless asked for"


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no plugin, which takes most of the time of so small a suite."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(root: Path, suite: str, *options: str) -> tuple[int, list[str]]:
    """Return how CI ends with a suite, and what it says of the tests."""
    (root / "test_odd.py").write_text(suite)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -m 'not odd'\nmarkers = odd: left out")
    command = [sys.executable, PATIENTLY, PYTEST, *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    said = [each for each in done.stdout.splitlines() if each.startswith("===")]
    return done.returncode, [each.removeprefix("=== ") for each in said if "=====" not in each]


def run_odd(root: Path, *passes_at: int) -> tuple[int, list[str]]:
    """Return what becomes of tests that pass at these tries; nothing else runs them."""
    options = ("-m", "odd", "-o", f"cache_dir={root}/noted")
    return run(root, SUITE.format(passes_at=passes_at), *options)


def test_what_passes_by_itself_is_named_and_lets_the_rest_pass(tmp_path: Path) -> None:
    status, said = run_odd(tmp_path, 1, 2, 3)
    assert status == 0
    assert said[-2:] == [
        "test_odd.py::test_it[2] passed by itself, at try 1",
        "test_odd.py::test_it[3] passed by itself, at try 2",
    ]


def test_what_fails_each_time_fails_the_whole(tmp_path: Path) -> None:
    status, said = run_odd(tmp_path, 2, 9)
    assert status == 1
    assert said[-2:] == [
        "test_odd.py::test_it[2] passed by itself, at try 1",
        "test_odd.py::test_it[9] failed 3 times",
    ]
    assert len((tmp_path / "runs 9").read_text()) == 3


def test_many_failures_are_no_accident(tmp_path: Path) -> None:
    status, [said] = run_odd(tmp_path, *range(2, 12))
    assert (status, said) == (1, "10 tests failed, which are too many to be tried again")


@pytest.mark.parametrize("suite", ["def test_it(: pass", ""])
def test_what_keeps_tests_from_running_is_not_tried_again(tmp_path: Path, suite: str) -> None:
    status, said = run(tmp_path, suite)
    assert status > 1
    assert said == []
