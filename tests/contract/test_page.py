"""The page of the contract: a test holds every promise on it, and every test here holds one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs.generate import DOCS

HERE = Path(__file__).parent
ROOT = DOCS.parent
PROMISE = re.compile(r"^\| (.+) \| ((?:`[^`]+`(?:, )?)+) \|$")
LINES = [
    line
    for line in (DOCS / "contract.md").read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|--", "| promise |", "| defect |"))
]
HELD = [
    (found[1], re.findall(r"`([^`]+)`", found[2])) for found in map(PROMISE.match, LINES) if found
]


def find_tests(module: Path) -> set[str]:
    """Return the names of a module's tests, and of its classes of tests."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    body = ast.parse(module.read_text("utf-8")).body
    names = {node.name for node in body if isinstance(node, kinds)}
    return {name for name in names if name.lower().startswith("test")}


def place_of(test: str) -> tuple[Path, str]:
    """Return the module that a name on the page leads to, and what it names in there."""
    file, _, name = test.partition("::")
    return (ROOT if file.startswith("tests/") else HERE) / file, name


def test_every_promise_names_what_holds_it() -> None:
    assert len(HELD) == len(LINES) > 40


@pytest.mark.parametrize(("promise", "tests"), HELD)
def test_what_holds_a_promise_is_there(promise: str, tests: list[str]) -> None:
    for module, name in map(place_of, tests):
        found = find_tests(module)
        assert name in found if name else found, f"{promise}: {module.name} has no {name}"


@pytest.mark.parametrize("module", sorted(HERE.glob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_of_the_contract_holds_a_promise(module: Path) -> None:
    named = {name for _, tests in HELD for path, name in map(place_of, tests) if path == module}
    is_whole = "" in named or module == Path(__file__)
    assert is_whole or find_tests(module) == named
