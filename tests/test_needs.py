"""What holds for all tests: which programs they need, and in which order their files come."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import PACKAGES, find_program

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return a suite of one test that needs nginx, which this machine seems to lack."""
    root = Path(__file__).parents[1]
    pytester.makeconftest((root / "conftest.py").read_text("utf-8"))
    pytester.makeini("[pytest]\nmarkers = needs(*programs): from outside")
    pytester.makepyfile("import pytest\n@pytest.mark.needs('nginx')\ndef test_it(): pass")
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    monkeypatch.delenv("CI", raising=False)
    return pytester


def test_a_missing_program_skips_the_test_with_its_reason(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*nginx is missing: apt-get install nginx-light"])


def test_a_missing_program_fails_the_test_in_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*nginx is missing: apt-get install nginx-light"])


def test_the_programs_of_ci_are_those_that_tests_may_need() -> None:
    ci = (Path(__file__).parents[1] / ".ci" / "run").read_text("utf-8")
    listed = ci.partition("packages=(")[2].partition(")")[0]
    assert set(PACKAGES.values()) <= set(listed.split())


def test_a_program_is_found_on_the_path_and_where_debian_keeps_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "player"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("player") == str(program)
    assert find_program("no-such-player") is None


def test_the_files_that_take_longest_come_first(pytester: pytest.Pytester) -> None:
    root = Path(__file__).parents[1]
    pytester.makeconftest((root / "conftest.py").read_text("utf-8"))
    pytester.makeini("[pytest]\nmarkers =\n    slow: seconds\n    browser: in a browser")
    many = "\n".join(f"def test_{number}(): pass" for number in range(5))
    slow = "import pytest\npytestmark = pytest.mark.slow\ndef test_it(): pass"
    pages = slow.replace("slow", "browser")
    pytester.makepyfile(test_a=many, test_b=pages, test_c=slow, test_d=f"{slow}\n{many}")
    result = pytester.runpytest_inprocess("-v")
    result.assert_outcomes(passed=13)
    files = [line.partition("::")[0] for line in result.outlines if "::" in line]
    assert list(dict.fromkeys(files)) == ["test_d.py", "test_c.py", "test_b.py", "test_a.py"]
