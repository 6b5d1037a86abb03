"""The rules of this house: short files, tests beside their subject, helpers that stand once."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = (".py", ".js")
MOST_LINES = 400
PACKAGES = ("audio_cache", "mixtape")
# Shorter ones say too little to be worth a home of their own.
REPEATABLE_CHARACTERS = 80


def code_files(*folders: str) -> Iterator[Path]:
    """Yield the code of these folders; that of other projects lies in folders called vendor."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in CODE and "vendor" not in path.parts:
                yield path


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "docs", "fuzz"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in code_files(folder)
    }
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_tests_of_a_room_stand_in_a_folder_of_its_name(package: str) -> None:
    source, tests = ROOT / "src" / package, ROOT / "tests" / package
    tested = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    rooms = {path.parent.relative_to(source) for path in source.rglob("*.py")}
    assert tested <= rooms
    # Deeper folders may be tested from the room that they are in.
    assert {room for room in rooms if len(room.parts) <= 1} <= tested


def test_no_helper_of_the_tests_stands_twice() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in code_files("tests", "benchmarks", "docs", "fuzz"):
        if path.suffix == ".py":
            for name, body in helpers_of(path):
                homes[body].append(f"{path.relative_to(ROOT)}: {name}")
    assert [places for places in homes.values() if len(places) > 1] == []


def helpers_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the code, without its docstring, of each function that is no test."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
            statements = node.body[1:] if ast.get_docstring(node) else node.body
            body = "\n".join(map(ast.unparse, statements))
            if len(body) >= REPEATABLE_CHARACTERS:
                yield node.name, body
