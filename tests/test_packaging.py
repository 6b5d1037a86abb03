"""The bounds in pyproject.toml, the lock files, and the wheel that is built from the checkout."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from conftest import give_up
from tests.helpers.audio import make_audio
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.waiting import LIMIT_S

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = [Requirement(each) for each in PROJECT["dependencies"]]
EXTRAS = [
    Requirement(each) for extra in PROJECT["optional-dependencies"].values() for each in extra
]
# What several hosts share, each behind an extra.
ENGINES = [
    Requirement(each)
    for extra in ("celery", "redis", "s3")
    for each in PROJECT["optional-dependencies"][extra]
]
BACKENDS = ROOT / "src" / "audio_cache" / "backends"
OURS = {"_typeshed", "audio_cache", "benchmarks", "conftest", "docs", "fuzz", "mixtape", "tests"}
# What need not be installed, and is called otherwise than its distribution.
_CALLED = {"visqol": "visqol-python"}
_PINNED = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)


def imported(folders: Iterable[Path], but: Path | None = None) -> set[str]:
    """Return the distributions from elsewhere that the modules in some folders import.

    Args:
        folders: which.
        but: a folder in them that is left out.
    """
    names: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        if but is not None and path.is_relative_to(but):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    beside = {path.stem for folder in folders for path in folder.rglob("*.py")}
    known = packages_distributions()
    outside = names - OURS - beside - set(sys.stdlib_module_names)
    return {canonicalize_name(known.get(name, [_CALLED.get(name, name)])[0]) for name in outside}


def names(requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def locked(name: str) -> dict[str, Version]:
    """Return the versions in a lock file by name."""
    return {name: Version(version) for name, version in _PINNED.findall((ROOT / name).read_text())}


def test_every_package_that_the_product_imports_is_declared_and_no_other() -> None:
    assert imported([ROOT / "src"], but=BACKENDS) == names(RUNTIME)
    assert imported([BACKENDS]) - names(RUNTIME) == names(ENGINES)


def test_every_package_that_tests_docs_and_benchmarks_import_is_declared() -> None:
    folders = [ROOT / "tests", ROOT / "docs", ROOT / "benchmarks", ROOT / "fuzz"]
    # The earlier host is a checkout whose package is called `app`.
    assert imported(folders) - {"app"} <= names(RUNTIME) | names(EXTRAS)


def test_the_lowest_versions_that_are_tested_are_the_lower_bounds() -> None:
    versions = locked("requirements-lowest.lock")
    bounds = {
        canonicalize_name(each.name): Version(specifier.version)
        for each in RUNTIME
        for specifier in each.specifier
        if specifier.operator == ">="
    }
    assert bounds.keys() == names(RUNTIME)
    assert {name: versions[name] for name in bounds} == bounds


def test_what_is_installed_is_within_the_bounds() -> None:
    versions = locked("requirements-dev.lock")
    compared = PROJECT["optional-dependencies"]["bench"]  # as far as there are wheels
    for requirement in [*RUNTIME, *EXTRAS]:
        if requirement.name != PROJECT["name"] and str(requirement) not in compared:
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_tests_run_with_the_versions_that_are_served() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name
)
def test_a_lock_file_names_no_index_and_no_path(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("--hash=sha256:") > len(_PINNED.findall(text))
    assert not re.search(r"://|index|find-links|/", text)


def run(*command: str | Path) -> str:
    """Run a program to its end and return what it said; fail with that where it fails."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    said = result.stdout + result.stderr
    if result.returncode and "Retrying" in said:
        give_up("the package index can't be reached: connect to the network")
    assert result.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that is built from the sdist that is built from the checkout."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder)
    (sdist,) = folder.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, sdist)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def programs(wheel: Path, tmp_path: Path) -> Path:
    """Return where the commands are in a new environment that has only the wheel's own needs."""
    folder = tmp_path / "environment"
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    install = (*pip, "install", "--no-compile", "--no-deps")
    lock = ROOT / "requirements.lock"
    run(*install, "--only-binary", ":all:", "--require-hashes", "--requirement", lock)
    run(*install, wheel)
    run(*pip, "check")
    return python.parent


@pytest.fixture
def server(programs: Path, tmp_path: Path) -> Iterator[MixtapeServe]:
    (tmp_path / "music").mkdir()
    make_audio(tmp_path / "music" / "song.flac", samples=132_300)
    program = (str(programs / "mixtape"),)
    with MixtapeServe(tmp_path / "music", tmp_path / "data", program, PYTHONPATH="") as server:
        yield server


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (metadata,) = (name for name in held if name.endswith("/METADATA"))
        described = archive.read(metadata).decode()
    assert {name for name in held if ".dist-info/" not in name} == files
    assert {"audio_cache/py.typed", "mixtape/templates/base.html"} <= files
    assert "# audio_cache and mixtape" in described


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_installed_wheel_plays_music(server: MixtapeServe) -> None:
    address = server.address
    with urllib.request.urlopen(f"{address}/", timeout=LIMIT_S) as page:
        text = page.read().decode()
    (style, *_) = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', text)
    with urllib.request.urlopen(address + style, timeout=LIMIT_S) as sheet:
        assert sheet.headers.get_content_type() == "text/css"
    with urllib.request.urlopen(f"{address}/play/song.flac?quality=low", timeout=LIMIT_S) as answer:
        music = answer.read()
    assert answer.headers.get_content_type() == "audio/mpeg"
    assert music.startswith(b"ID3")
    assert len(music) == int(answer.headers["Content-Length"])
    assert len(music) > 3 * 128_000 // 8
    server.process.terminate()
    assert "Traceback" not in server.finish()
    assert server.process.returncode == 0
