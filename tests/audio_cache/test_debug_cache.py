"""The command `python -m audio_cache.debug_cache`, as people have it in their notes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audio_cache import AudioCache


def run(*arguments: str | bytes | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "audio_cache.debug_cache", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache")


@pytest.mark.parametrize(("cached", "code"), [(True, 0), (False, 1)])
def test_the_module_prints_the_explanation(
    album: Path, cache: AudioCache, cached: bool, code: int
) -> None:
    name = b"Album/-\xff\n.flac"
    source = Path(os.fsdecode(os.fsencode(album) + b"/" + name))
    shutil.copy(album / "Album/Track.flac", source)
    if cached:
        cache.transcode_file(source)
    done = run(album, name, cache.cache_dir)
    assert (done.returncode, done.stderr) == (code, b"")
    lines = done.stdout.decode("utf-8").splitlines()
    assert lines[0] == f"path      {album}/Album/-\N{REPLACEMENT CHARACTER}\\n.flac"
    assert lines[1].startswith("hash      ")


def test_it_writes_what_the_command_line_writes(album: Path, cache: AudioCache) -> None:
    cache.transcode_file(album / "Album/Track.flac", "low")
    options = ["--music-root", album, "--cache-dir", cache.cache_dir]
    command = [sys.executable, "-m", "audio_cache", "debug", *options, "Album/Track.flac"]
    theirs = subprocess.run(command, capture_output=True, check=True)
    assert run(album, "Album/Track.flac", cache.cache_dir).stdout == theirs.stdout != b""


def test_a_cache_that_is_missing_is_told_with_the_files_it_would_hold(
    album: Path, tmp_path: Path
) -> None:
    done = run(album, "Album/Track.flac", tmp_path / "nowhere")
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"problem   there is no cache directory" in done.stdout
    assert b"_medium_192k.mp3" in done.stdout
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("given", [(), ("one",), ("one", "two", "three", "four")])
def test_other_than_three_arguments_are_a_usage_error(given: tuple[str, ...]) -> None:
    done = run(*given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Usage: python -m audio_cache.debug_cache" in done.stderr


def test_help_names_the_three_arguments() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert b"MUSIC_ROOT REL_PATH CACHE_DIR" in b" ".join(done.stdout.split())
