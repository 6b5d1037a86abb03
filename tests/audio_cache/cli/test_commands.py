"""The command `audio-cache`, as people and scripts use it."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from audio_cache.cli.commands import main
from audio_cache.cli.frame import EXIT_CODES
from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import is_locked
from audio_cache.store.verify import State, verify
from audio_cache.text import bytes_in_words
from docs.generate import DOCS
from tests.helpers.audio import make_noise, make_silence
from tests.helpers.renditions import growing_of
from tests.helpers.waiting import wait_until

Run = Callable[..., Result]
COMMAND = [sys.executable, "-m", "audio_cache"]


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "data" / "cache" / "audio")


@pytest.fixture
def run(cache: AudioCache, tmp_path: Path) -> Run:
    """Return a function that runs a command on the cache, which the environment names."""

    def invoke(*arguments: str | Path, given: str = "", **environment: str) -> Result:
        environment = {"DATA_ROOT": str(tmp_path / "data"), **environment}
        words = [os.fspath(argument) for argument in arguments]
        return CliRunner(env=environment).invoke(main, words, input=given, prog_name="audio-cache")

    return invoke


@pytest.fixture
def music(tmp_path: Path, flac: Path, wav: Path, mp3: Path) -> Path:
    """Return a folder with two lossless tracks, a lossy one, and what is no track at all."""
    folder = tmp_path / "music"
    (folder / "Album" / "CD 1").mkdir(parents=True)
    shutil.copy(flac, folder / "Album" / "one [bold].flac")
    shutil.copy(wav, folder / "Album" / "CD 1" / "two.wav")
    shutil.copy(mp3, folder / "Album" / "three.mp3")
    shutil.copy(flac, folder / "Album" / ".hidden.flac")
    (folder / "notes.txt").write_text("no music")
    (folder / "loop").symlink_to(folder)
    return folder


def environment(tmp_path: Path) -> dict[str, str]:
    paths = os.pathsep.join(sys.path)
    return {**os.environ, "PYTHONPATH": paths, "DATA_ROOT": str(tmp_path / "data")}


def entries(cache: AudioCache) -> int:
    return sum(1 for _ in cache.entries())


def test_warming_a_folder_caches_all_that_is_lossless_below_it(
    run: Run, cache: AudioCache, music: Path
) -> None:
    done = run("warm", music, "--quality", "low", "--quality", "HIGH")
    assert (done.exit_code, done.stderr) == (0, "")
    for path in (music / "Album/one [bold].flac", music / "Album/CD 1/two.wav"):
        assert cache.is_cached(path, "low")
        assert cache.is_cached(path, "high")
    assert entries(cache) == 4
    assert re.search(
        r"^\[2/2\] cached +(one \[bold\]\.flac|two\.wav) +\(saves \d+ kB\)", done.stdout, re.M
    )
    assert done.stdout.splitlines()[-1].startswith("2 cached in ")


def test_warming_again_does_nothing_and_is_well(run: Run, music: Path) -> None:
    run("warm", music)
    done = run("warm", music)
    assert done.exit_code == 0
    assert done.stdout.startswith("0 cached, 2 skipped (already cached: 2)")


def test_the_quality_of_the_configuration_is_made_by_default(
    run: Run, cache: AudioCache, music: Path
) -> None:
    run("warm", music, AUDIO_CACHE_PRECACHE_QUALITIES="low")
    assert {path.name.split("_")[1] for path in cache.entries()} == {"low"}


def test_a_failed_or_missing_track_gives_exit_code_1_and_its_reason(
    run: Run, music: Path, data: Path, mp3: Path
) -> None:
    done = run("warm", data / "text.flac", music / "gone.flac", mp3, music)
    assert done.exit_code == 1
    assert "FAILED  text.flac  (is not an audio file, whatever its name says)" in done.stdout
    assert "skipped gone.flac  (missing)" in done.stdout
    assert "skipped lossy.mp3  (No transcoding needed)" in done.stdout
    summary = done.stdout.splitlines()[-1]
    assert summary.startswith(
        "2 cached, 2 skipped (missing: 1, No transcoding needed: 1), 1 failed in "
    )


def test_names_of_any_bytes_are_taken_and_shown(
    run: Run, cache: AudioCache, flac: Path, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/-\xff \n.flac"))
    shutil.copy(flac, path)
    done = run("warm", tmp_path)
    assert done.exit_code == 0
    assert "cached  -\N{REPLACEMENT CHARACTER} \\n.flac" in done.stdout
    assert cache.is_cached(path)


def test_a_name_that_begins_with_a_dash_stands_after_two_dashes(
    run: Run, cache: AudioCache, flac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(flac, "-x.flac")
    assert run("warm", "-x.flac").exit_code == 2
    assert run("warm", "--", "-x.flac").exit_code == 0
    assert cache.is_cached(tmp_path / "-x.flac")


def test_a_dry_run_says_what_it_takes_and_makes_nothing(
    run: Run, cache: AudioCache, music: Path, data: Path, tmp_path: Path
) -> None:
    cache.transcode_file(music / "Album/CD 1/two.wav")
    long = make_silence(tmp_path / "long.flac", 60)
    done = run("warm", "--dry-run", music, long, data / "lossy.mp3", data / "streamed.flac")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "3 tracks to encode, 1 min 03 s of audio"
    reasons = ("already cached", "No transcoding needed")
    assert set(lines[1:3]) == {f"1 track to skip: {reason}" for reason in reasons}
    assert re.fullmatch(
        r"about (?:\d+ min )?\d+ s, at a measured \d+ × real time per encoder", lines[3]
    )
    assert re.fullmatch(r"1\.5 MB of space, with [\d.]+ [GT]B free", lines[4])
    assert lines[5] == "not counted: 1 track whose length is unknown until decoded"
    assert entries(cache) == 1


def test_a_dry_run_of_short_tracks_says_that_its_speed_is_assumed(run: Run, music: Path) -> None:
    assert "at an assumed 60 × real time" in run("warm", "--dry-run", music).stdout


def test_a_dry_run_tells_what_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "album.flac").mkdir()
    loop = tmp_path / "loop.flac"
    loop.symlink_to(loop)
    done = run("warm", "--dry-run", loop)
    assert done.exit_code == 1
    assert "cannot be read" in done.stdout
    assert "Too many levels of symbolic links" in done.stdout


def test_only_outdated_entries_are_regenerated(run: Run, cache: AudioCache, music: Path) -> None:
    one, two = music / "Album/one [bold].flac", music / "Album/CD 1/two.wav"
    cache.store_together(one, ["low", "high"])
    make_noise(one, samples=20_000)
    assert "2 tracks to encode" not in run("regenerate", "--dry-run", music).stdout
    done = run("regenerate", music)
    assert done.exit_code == 0
    assert done.stdout.startswith("1 track to encode")
    assert "\n[1/1] cached" in done.stdout
    assert cache.is_cached(one, "low")
    assert cache.is_cached(one, "high")
    assert not cache.is_cached(one, "medium")
    assert not cache.is_cached(two, "low")
    assert run("regenerate", music).stdout.startswith("0 cached in ")


def test_stats_say_what_the_cache_holds(run: Run, cache: AudioCache, music: Path) -> None:
    one = music / "Album/one [bold].flac"
    made = cache.store_together(one, ["low", "high"])
    size = {each: cache.get_cache_path(one, each).stat().st_size for each in made}
    cache.get_cache_path(music / "x.flac").write_bytes(b"ID3 of another program")
    (cache.cache_dir / "0.mp3.part").write_bytes(b"12345")
    answer = json.loads(run("stats", "--json").stdout)
    source = one.stat().st_size
    assert answer["cache_dir"] == str(cache.cache_dir)
    assert (answer["entries"], answer["size_bytes"]) == (3, sum(size.values()) + 22)
    assert (answer["sources"], answer["source_bytes"]) == (1, source)
    assert (answer["foreign"], answer["foreign_bytes"]) == (1, 22)
    assert (answer["partials"], answer["partial_bytes"]) == (1, 5)
    assert answer["qualities"]["low"] == {
        "entries": 1,
        "size_bytes": size["low"],
        "source_bytes": source,
        "saving": round(1 - size["low"] / source, 4),
    }
    text = run("stats").stdout
    assert text.splitlines()[0].startswith(f"{cache.cache_dir}: 3 entries, ")
    for word in ("low", "high", "foreign", "partial", "encoded from 1 source"):
        assert word in text
    assert "medium" not in text


def test_verify_reports_and_repairs(run: Run, cache: AudioCache, music: Path) -> None:
    one = music / "Album/one [bold].flac"
    entry = cache.transcode_file(one)
    assert run("verify").stdout == "1 entry: 1 sound\n"
    os.truncate(entry, 30_000)
    done = run("verify", "--json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert answer["counts"] == {"sound": 0, "outdated": 0, "damaged": 1, "repaired": 0}
    [found] = answer["entries"]
    assert (found["path"], found["source"], found["quality"]) == (str(entry), str(one), "medium")
    done = run("verify", "--repair")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"repaired {entry.name}, made from {one}: it has 30,000 bytes")
    assert {each.state for each in verify(cache)} == {State.SOUND}


def test_an_outdated_entry_is_no_failure_of_verify(
    run: Run, cache: AudioCache, music: Path
) -> None:
    one = music / "Album/one [bold].flac"
    cache.transcode_file(one)
    make_noise(one, samples=20_000)
    done = run("verify")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 entry: 1 outdated")


def test_clearing_everything_asks_first(run: Run, cache: AudioCache, music: Path) -> None:
    run("warm", music)
    size = bytes_in_words(cache.get_cache_size())
    refused = run("clear", given="n\n")
    assert refused.exit_code == 1
    assert f"Delete all 2 entries ({size}) in {cache.cache_dir}?" in refused.stdout
    assert entries(cache) == 2
    assert run("clear", given="y\n").stdout.endswith(f"deleted 2 entries, {size} freed\n")
    run("warm", music)
    assert run("clear", "--yes").stdout == f"deleted 2 entries, {size} freed\n"
    assert entries(cache) == 0


def test_clearing_by_age_deletes_the_old_without_asking(
    run: Run, cache: AudioCache, music: Path
) -> None:
    run("warm", music)
    old = next(cache.entries())
    os.utime(old, (0, 0))
    assert run("clear", "--older-than-days", "1.5").stdout.startswith("deleted 1 entry, ")
    assert entries(cache) == 1
    assert run("clear", "--older-than-days", "-1").exit_code == 2
    assert run("clear", "--older-than-days", "nan").exit_code == 2
    assert entries(cache) == 1


@pytest.mark.parametrize("by", ["option", "environment", "absolute"])
def test_debug_explains_a_lookup(run: Run, music: Path, by: str) -> None:
    path = "Album/one [bold].flac"
    given = {
        "option": lambda: run("debug", path, "--music-root", music),
        "environment": lambda: run("debug", path, MUSIC_ROOT=str(music)),
        "absolute": lambda: run("debug", music / path),
    }[by]
    before = given()
    assert before.exit_code == 1
    assert before.stdout.startswith(f"path      {music / path}\nhash      ")
    run("warm", music)
    assert given().exit_code == 0
    assert "VALID" in given().stdout


@pytest.mark.parametrize(
    "command", [["stats"], ["verify"], ["clear", "--yes"], ["debug", "x"], ["regenerate", "x"]]
)
def test_a_misspelt_cache_is_an_error_and_is_not_made(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    done = run(*command, "--cache-dir", tmp_path / "cahce")
    assert done.exit_code == 2
    assert "there is no cache in" in done.stderr
    assert not (tmp_path / "cahce").exists()


def test_a_bad_setting_is_an_error_that_names_it(run: Run, music: Path) -> None:
    done = run("warm", music, AUDIO_CACHE_MAX_WORKERS="many")
    assert done.exit_code == 2
    assert "AUDIO_CACHE_MAX_WORKERS is 'many' in the environment" in done.stderr


def test_a_cache_that_cannot_be_made_is_a_failure(run: Run, music: Path) -> None:
    done = run("warm", music, "--cache-dir", music / "notes.txt")
    assert done.exit_code == 1
    assert "notes.txt" in done.stderr


def test_logs_are_shown_on_demand(run: Run, music: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "warm", "-v", music]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, check=True)
    assert b"INFO cached" in done.stderr


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(tmp_path: Path) -> None:
    cache = AudioCache(tmp_path / "data" / "cache" / "audio")
    long = make_silence(tmp_path / "long.flac", 300)
    part = growing_of(cache, long, "medium")
    command = [*COMMAND, "warm", long]
    process = subprocess.Popen(
        command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_until(lambda: part.exists() and part.stat().st_size > 500_000)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130
    assert re.fullmatch(
        rb"1 track to encode, 5 min 00 s of audio\nabout \d+ s, at an? (?:measured|assumed) .*\n"
        rb"7.2 MB of space, with .* free\n",
        stdout,
    )
    assert stderr == b"interrupted after 0 of 1 track; run the same command to continue\n"
    assert not is_locked(part)
    begun = part.stat()
    assert begun.st_size > 400_000
    subprocess.run(command, env=environment(tmp_path), capture_output=True, check=True)
    assert cache.get_cache_path(long).stat().st_ino == begun.st_ino
    assert {each.state for each in verify(cache)} == {State.SOUND}


@pytest.mark.slow
def test_a_terminal_gets_a_bar_for_all_and_one_for_each_running_track(tmp_path: Path) -> None:
    long = make_silence(tmp_path / "long silence [b].flac", 120)
    (tmp_path / "broken.flac").write_text("no music")
    ours, theirs = pty.openpty()
    settings = {**environment(tmp_path), "TERM": "xterm-256color", "COLUMNS": "100"}
    settings.pop("NO_COLOR", None)
    command = [*COMMAND, "warm", long, tmp_path / "broken.flac"]
    shown = b""
    with subprocess.Popen(command, env=settings, stdout=theirs) as process:
        os.close(theirs)
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:
            pass  # the terminal was hung up: Linux tells with EIO
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8"))
    assert process.returncode == 1
    assert re.search(r"2 tracks .*━.* [012]/2 ", text)
    assert re.search(r"long silence \[b\]\.flac .*━.* \d+ % ", text)
    assert re.search(r"\[\d/2\] FAILED  broken\.flac  \(is not an audio file", text)
    assert "1 cached, 1 failed in " in text


def test_every_command_and_option_is_documented_and_nothing_else() -> None:
    page = (DOCS / "cli.md").read_text("utf-8")
    assert re.findall(r"^### `audio-cache (\w+)`$", page, re.M) == sorted(main.commands)
    sections = re.split(r"^### `audio-cache \w+`$", page, flags=re.M)[1:]
    for (name, command), section in zip(sorted(main.commands.items()), sections, strict=True):
        options = [each for each in command.params if isinstance(each, click.Option)]
        flags = {flag for option in options for flag in option.opts}
        documented = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", section.partition("Options:")[2]))
        assert documented == flags | {"--help"}, name


def test_the_documented_exit_codes_are_those_that_exist() -> None:
    page = (DOCS / "cli.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", page, re.M)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES
