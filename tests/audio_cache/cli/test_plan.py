"""The command `audio-cache plan`: what goes next, and what other sizes would have held."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from audio_cache import AudioCache
from audio_cache.cli.commands import main
from tests.helpers.rooms import in_index, plant, planted_entry, planted_source, play


def plan(cache: AudioCache, *arguments: str, cap: str = "4MB") -> str:
    """Return what the command says, with a cap and no floor."""
    settings = {"AUDIO_CACHE_MAX_SIZE": cap, "AUDIO_CACHE_MIN_FREE": "0"}
    words = ["plan", "--cache-dir", os.fspath(cache.cache_dir), *arguments]
    result = CliRunner(env=settings).invoke(main, words, prog_name="audio-cache")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def used(cache: AudioCache) -> list[str]:
    """Return the ids of four objects: played twice, never, once, and pinned."""
    ids = [plant(cache, number) for number in range(4)]
    for number, listener in ((0, "one"), (0, "two"), (2, "one")):
        play(cache, ids[number], listener)
    for number, object_id in enumerate(ids[:3]):
        name = planted_entry(cache, number).name
        source = planted_source(number)
        cache.facts.note_entry(name, source, "low", (1, 2, 3, 4, 5), object_id)
    cache.pin("a mixtape", [Path(planted_source(3))], ["low"])
    return ids


def test_what_goes_next_is_named_in_order(cache: AudioCache, used: list[str]) -> None:
    lines = plan(cache).splitlines()
    assert lines[0].endswith(" used, a cap of 4.0 MB")
    assert "100 kB pinned" in lines
    start = lines.index("would go next:")
    assert lines[start + 1] == "  /music/1.flac, low, 100 kB: never played"
    assert lines[start + 2].startswith("  /music/2.flac, low, 100 kB: 1 play, the last ")
    assert lines[start + 3].startswith("  /music/0.flac, low, 100 kB: 2 plays, the last ")
    assert lines[start + 4] == ""
    assert in_index(cache).keys() == set(used)


def test_hit_rates_are_of_the_recorded_plays(cache: AudioCache, used: list[str]) -> None:
    text = plan(cache, "--size", "50kB", "--size", "1GB")
    assert "of 3 recorded plays, a cache would have held:" in text
    assert "     50 kB    0.0%,   0.0% by bytes" in text
    assert "    1.0 GB   33.3%,  33.3% by bytes" in text


def test_scripts_get_the_same_as_json(cache: AudioCache, used: list[str]) -> None:
    found = json.loads(plan(cache, "--json", "--count", "2"))
    assert [each["id"] for each in found["next"]] == [used[1], used[2]]
    assert found["next"][1]["sources"] == ["/music/2.flac"]
    assert found["next"][1]["plays"] == 1
    assert (found["cap_bytes"], found["floor_bytes"]) == (4_000_000, 0)
    assert found["pinned_bytes"] == 100_000
    assert [rate["size_bytes"] for rate in found["rates"]] == [
        1_000_000,
        2_000_000,
        4_000_000,
        8_000_000,
        16_000_000,
    ]
    assert found["rates"][-1]["plays"] == 0.3333


def test_a_cache_that_was_never_played_says_so(cache: AudioCache) -> None:
    cache.pin("somebody", [], ["low"])
    lines = plan(cache).splitlines()
    assert "nothing would go: there is nothing, or all of it is pinned" in lines
    assert lines[-1] == "no plays are recorded yet"


def test_a_size_that_is_none_is_a_usage_error(cache: AudioCache) -> None:
    words = ["plan", "--cache-dir", os.fspath(cache.cache_dir), "--size", "lots"]
    result = CliRunner().invoke(main, words, prog_name="audio-cache")
    assert result.exit_code == 2
    assert "--size takes bytes, 200GB or 10%: 'lots' is no amount of disk space" in result.output
