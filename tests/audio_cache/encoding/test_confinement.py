"""What ffmpeg sees of this process, and the limits that it has."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from audio_cache.encoding import confinement
from audio_cache.encoding.confinement import confine, environment
from audio_cache.encoding.ffmpeg import FFmpegRun, find_ffmpeg
from audio_cache.encoding.survey import count_samples, survey
from audio_cache.errors import DamagedSourceError, EncodeError
from audio_cache.sources.source import read_source
from tests.helpers.audio import DATA
from tests.helpers.ffmpeg import StubFFmpeg

TELL = """import json, os, resource, sys
kinds = (resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
limits = [-1]
while -1 in limits:  # none, as in the moment after its start
    limits = [resource.getrlimit(kind)[0] for kind in kinds]
os.write(int(sys.argv[-1][5:]), json.dumps([dict(os.environ), limits]).encode())
"""


def told_by_ffmpeg(tmp_path: Path, wait_limit_s: float) -> tuple[dict[str, str], list[int]]:
    """Return environment and limits of what runs in the place of ffmpeg."""
    script = tmp_path / "tell.py"
    script.write_text(TELL)
    program = find_ffmpeg(
        StubFFmpeg(tmp_path / "stub", f'exec {sys.executable} {script} "$@"').path
    )
    with FFmpegRun(program, ("{out}",), wait_limit_s=wait_limit_s) as run:
        said = b"".join(data for _, data in run.read())
        assert run.finish().returncode == 0
    seen, limits = json.loads(said)
    return seen, limits


def test_ffmpeg_sees_nothing_of_our_settings_and_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PASSWORD", "SECRET_KEY", "DATABASE_URL", "AUDIO_CACHE_DIR", "FFREPORT"):
        monkeypatch.setenv(name, "file=/tmp/ours")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    seen, _ = told_by_ffmpeg(tmp_path, 10)
    # What the shell of the stub sets by itself does not count.
    assert set(seen) - {"PWD", "OLDPWD", "SHLVL", "_"} <= set(environment())
    assert (seen["PATH"], seen["LC_ALL"], "LANG" in seen) == (os.environ["PATH"], "C", False)
    assert "ours" not in "".join(seen.values())


def test_looking_for_ffmpeg_shows_it_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "ours")
    script = tmp_path / "ffmpeg"
    script.write_text('#!/bin/sh\necho "ffmpeg version ${PASSWORD:-none} Copyright"\n')
    script.chmod(0o755)
    assert find_ffmpeg(script).identity.startswith("ffmpeg-none-")


def test_ffmpeg_has_limits_of_memory_processor_time_and_file_size(tmp_path: Path) -> None:
    _, limits = told_by_ffmpeg(tmp_path, 100.5)
    assert limits == [1 << 30, 60 + 101 * 8, 1 << 20]
    _, limits = told_by_ffmpeg(tmp_path, float("inf"))
    assert limits[1] > 1 << 40


def test_limits_that_are_lower_already_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    lower = (1 << 28, 1 << 28)
    set_limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: lower)
    monkeypatch.setattr(resource, "prlimit", lambda pid, kind, limit: set_limits.append(limit))
    confine(1, 10)
    assert set_limits[0] == lower


def test_who_may_not_limit_others_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(resource, "prlimit", refused)
    confine(os.getpid(), 10)
    monkeypatch.delattr(resource, "prlimit")
    confine(os.getpid(), 10)


def test_a_process_that_works_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_LEAST_CPU_S", 1)
    monkeypatch.setattr(confinement, "_CORES", 0)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        confine(process.pid, 10)
        assert process.wait() < 0


def test_a_process_that_takes_more_memory_than_it_may_does_not_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confinement, "MEMORY_BYTES", 200 << 20)
    take = "import sys; sys.stdin.read(1); bytes(300 << 20)"
    piped = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", take], **piped) as process:
        confine(process.pid, 10)
        assert b"MemoryError" in process.communicate(b"x")[1]


def test_a_file_is_not_called_damaged_for_memory_that_ffmpeg_did_not_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confinement, "MEMORY_BYTES", 24 << 20)
    source = read_source(DATA / "stereo.flac")
    ffmpeg = find_ffmpeg()
    for read in (lambda: count_samples(ffmpeg, source), lambda: survey(source, ffmpeg)):
        with pytest.raises(EncodeError, match=r"stereo\.flac': ffmpeg .*memory") as caught:
            read()
        assert not isinstance(caught.value, DamagedSourceError)


def test_what_the_system_kills_is_not_called_damaged_and_the_limit_is_named(tmp_path: Path) -> None:
    killed = find_ffmpeg(StubFFmpeg(tmp_path, "kill -KILL $$").path)
    with pytest.raises(EncodeError, match="AUDIO_CACHE_ENCODE_TIMEOUT_S limits") as caught:
        count_samples(killed, read_source(DATA / "stereo.flac"))
    assert not isinstance(caught.value, DamagedSourceError)
