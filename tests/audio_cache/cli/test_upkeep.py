"""The commands that look after a cache: verifying its bytes, and taking over an earlier one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audio_cache.cli.commands import main
from audio_cache.store.cache import AudioCache
from tests.helpers.legacy import write_legacy

Run = Callable[..., Result]


@pytest.fixture
def run(cache: AudioCache) -> Run:
    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--cache-dir", os.fspath(cache.cache_dir)])

    return invoke


def test_upgrade_takes_over_what_it_can_and_says_what_it_left(
    run: Run, cache: AudioCache, song: Path, wav: Path
) -> None:
    write_legacy(cache, song, "low")
    write_legacy(cache, wav, "low")
    entry = cache.get_cache_path(song, "low")
    song.unlink()
    done = run("upgrade")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"left as it is: {entry.name}: its source is gone: {song}",
        "1 entry taken over, 1 left",
    ]
    assert json.loads(run("upgrade", "--json").stdout) == {
        "taken_over": 0,
        "left": [
            {
                "path": str(entry),
                "problem": f"its source is gone: {song}",
                "source": str(song),
            }
        ],
    }


def test_upgrade_of_a_cache_of_today_has_nothing_to_do(
    run: Run, cache: AudioCache, song: Path
) -> None:
    cache.transcode_file(song, "low")
    done = run("upgrade")
    assert (done.exit_code, done.stdout) == (0, "no entries of earlier versions\n")


def test_verify_deep_finds_a_byte_that_was_wrong_from_the_first(
    run: Run, cache: AudioCache, song: Path
) -> None:
    entry = cache.transcode_file(song, "low")
    content = bytearray(entry.read_bytes())
    at = content.index(b"\xff\xfb", len(content) // 2) + 150
    content[at] ^= 1
    entry.write_bytes(content)
    cache.facts.close()
    (cache.cache_dir / "index.db").unlink()
    # What verifies without comparing can only take the bytes as they are.
    assert run("verify").stdout.splitlines()[-1] == "1 entry: 1 sound"
    assert AudioCache(cache.cache_dir).is_cached(song, "low")
    deep = run("verify", "--deep")
    assert deep.exit_code == 1
    assert f"byte {at:,} is not what its source gives" in deep.stdout
    assert run("verify", "--deep", "--repair").exit_code == 0
    assert run("verify", "--deep").stdout == "1 entry: 1 sound\n"


@pytest.mark.parametrize("command", ["stats", "verify", "upgrade"])
def test_a_pipe_by_the_name_of_an_entry_keeps_nobody_waiting(
    run: Run, cache: AudioCache, command: str
) -> None:
    os.mkfifo(cache.cache_dir / f"{'0' * 32}_high_256k.mp3")
    done = run(command)
    assert isinstance(done.exception, SystemExit | None), done.exception
