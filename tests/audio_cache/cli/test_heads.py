"""`audio-cache warm --heads`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audio_cache import AudioCache
from audio_cache.cli.commands import main
from tests.helpers.audio import make_noise


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    make_noise(folder / "long.flac", samples=45 * 44_100)
    make_noise(folder / "short.flac", samples=44_100)
    return folder


def warm(cache: AudioCache, music: Path, *options: str, **environment: str) -> Result:
    where = ["--cache-dir", os.fspath(cache.cache_dir)]
    arguments = ["warm", "--heads", "--quality", "low", *options, os.fspath(music), *where]
    return CliRunner(env=environment).invoke(main, arguments)


def test_it_says_what_heads_take_and_makes_them(tmp_path: Path, music: Path) -> None:
    cache = AudioCache(tmp_path / "cache")
    result = warm(cache, music)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("heads of 2 tracks: 32")
    assert "1 head made; 1 other there already, too short or failed" in result.output
    assert cache.ledger.head_sizes()[0] == 1
    assert "0 heads made" in warm(cache, music).output


def test_a_dry_run_makes_none(tmp_path: Path, music: Path) -> None:
    cache = AudioCache(tmp_path / "cache")
    assert warm(cache, music, "--dry-run").exit_code == 0
    assert cache.ledger.head_sizes() == (0, 0)


def test_what_the_cap_cannot_hold_is_not_begun(tmp_path: Path, music: Path) -> None:
    cache = AudioCache(tmp_path / "cache")
    result = warm(cache, music, AUDIO_CACHE_MAX_SIZE="1200kB")
    assert result.exit_code == 1
    assert "the cache has room for" in result.output
    assert "AUDIO_CACHE_MAX_SIZE" in result.output
    assert cache.ledger.head_sizes() == (0, 0)


def test_a_track_that_is_damaged_is_named(tmp_path: Path, music: Path) -> None:
    cache = AudioCache(tmp_path / "cache")
    broken = tmp_path / "broken.flac"
    content = bytearray((music / "long.flac").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    broken.write_bytes(content)
    result = warm(cache, broken)
    assert result.exit_code == 1
    assert "FAILED" in result.output
    assert "broken.flac" in result.output
    assert cache.ledger.head_sizes() == (0, 0)
