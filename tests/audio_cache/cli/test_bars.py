"""Progress bars on a terminal: whatever takes long in a large cache has one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from audio_cache.cli.commands import main
from audio_cache.store.cache import AudioCache
from tests.helpers.rooms import plant, play

# Rich takes the output for a terminal then.
TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "100"}


def run(cache: AudioCache, words: list[str], *, on_terminal: bool) -> str:
    """Return what a command prints, without colours."""
    command = [*words, "--cache-dir", os.fspath(cache.cache_dir)]
    runner = CliRunner(env={**TERMINAL, "NO_COLOR": None} if on_terminal else {})
    result = runner.invoke(main, command)
    assert result.exit_code == 0, result.output
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.output)


@pytest.mark.parametrize(
    ("words", "bars"),
    [
        (["stats"], ["counting"]),
        (["verify"], ["listing", "verifying"]),
        (["upgrade"], ["upgrading"]),
        (["plan"], ["replaying the plays"]),
        (["clear", "--yes"], ["counting", "deleting"]),
        (["warm", "SONG", "--quality", "low"], ["looking for music", "looking", "1 track"]),
        (["warm", "SONG", "--heads"], ["looking for music", "looking", "making heads"]),
        (["regenerate", "SONG"], ["looking for music", "looking for what is outdated"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_command_shows_what_it_is_at(
    cache: AudioCache, song: Path, words: list[str], bars: list[str]
) -> None:
    cache.transcode_file(song, "high")
    words = [os.fspath(song) if word == "SONG" else word for word in words]
    text = run(cache, words, on_terminal=True)
    for bar in bars:
        assert re.search(rf"^\s*{bar} +\S*[━╸╺ ]+.* \d+/(\d+|\?) ", text, re.M), (bar, text)


def test_where_there_is_no_terminal_there_are_no_bars(cache: AudioCache) -> None:
    play(cache, plant(cache, 1))
    assert json.loads(run(cache, ["stats", "--json"], on_terminal=False))["entries"]
    assert json.loads(run(cache, ["plan", "--json"], on_terminal=False))["plays"] == 1
    text = run(cache, ["clear", "--yes"], on_terminal=False)
    assert text == "deleted 1 entry, 100 kB freed\n"
