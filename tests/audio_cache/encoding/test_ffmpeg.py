"""Starting ffmpeg, hearing what it says, and ending it."""

from __future__ import annotations

import os
import sys
import threading
import time
from ast import literal_eval
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from audio_cache.encoding import ffmpeg, launch
from audio_cache.encoding.ffmpeg import FFmpeg, FFmpegRun, end_all, find_ffmpeg, running_count
from audio_cache.errors import EncodeError, EncodeInterruptedError, FFmpegNotFoundError
from tests.helpers.audio import DATA, make_audio
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.processes import open_files, processes_naming
from tests.helpers.renditions import rendition_of
from tests.helpers.waiting import LIMIT_S, wait_until

# Endless sound under a name to look for.
NOISE = ("-f", "lavfi", "-i", "anoisesrc", "-f", "s16le", "{out}")


def endless(marker: object) -> tuple[str, ...]:
    return (*NOISE[:-3], "-metadata", f"title={marker}", *NOISE[-3:])


def stub(tmp_path: Path, body: str) -> FFmpeg:
    return find_ffmpeg(StubFFmpeg(tmp_path / "stub", body).path)


def python(code: str) -> str:
    """Return a stub's body that runs Python with the arguments of ffmpeg."""
    return f'exec {sys.executable} -c "{code}" "$@"'


def read_all(run: FFmpegRun) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for index, data in run.read():
        found[index] = found.get(index, b"") + data
    return found


def test_the_ffmpeg_of_the_wheel_is_found_and_named() -> None:
    found = find_ffmpeg()
    assert found.path == imageio_ffmpeg.get_ffmpeg_exe()
    assert found.identity.startswith("ffmpeg-")
    assert found == find_ffmpeg(found.path)


def test_a_configured_ffmpeg_goes_before_it(tmp_path: Path) -> None:
    other = StubFFmpeg(tmp_path / "stub").path
    assert find_ffmpeg(other).path == str(other)
    assert find_ffmpeg(other).identity == find_ffmpeg().identity


def test_another_build_has_another_identity(tmp_path: Path) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\necho ffmpeg version 7.0 Copyright\necho --enable-$0\n")
    script.chmod(0o755)
    copy = tmp_path / "other"
    copy.write_bytes(script.read_bytes())
    copy.chmod(0o755)
    assert find_ffmpeg(script).identity.startswith("ffmpeg-7.0-")
    assert find_ffmpeg(script).identity != find_ffmpeg(copy).identity


def test_without_the_wheel_the_one_on_the_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg, "_bundled_ffmpeg", lambda: None)
    program = StubFFmpeg(tmp_path / "stub").path
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert find_ffmpeg().path == str(program)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(FFmpegNotFoundError, match="imageio-ffmpeg"):
        find_ffmpeg()


def test_an_ffmpeg_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(FFmpegNotFoundError, match=r"no-such-ffmpeg.*AUDIO_CACHE_FFMPEG"):
        find_ffmpeg(tmp_path / "no-such-ffmpeg")
    with FFmpegRun(FFmpeg(str(tmp_path / "gone"), "gone"), NOISE) as run:
        assert read_all(run) == {}
        with pytest.raises(FileNotFoundError, match=r"cannot start .*gone"):
            run.finish()


def test_outputs_are_read_apart_and_what_ffmpeg_counted_is_reported() -> None:
    each = ("-map", "0:a", "-c:a", "pcm_s16le", "-f", "s16le", "{out}")
    arguments = ("-i", str(DATA / "stereo.flac"), *each, *each[:-1], "{out}")
    with FFmpegRun(find_ffmpeg(), arguments, outputs=2) as run:
        found = read_all(run)
        report = run.finish()
    assert sorted(found) == [0, 1]
    assert found[0] == found[1]
    assert len(found[0]) == 4410 * 4
    assert (report.returncode, report.stderr) == (0, "")
    assert report.decoded_samples == 4410
    assert report.encoded_samples == (4410, 4410)
    assert running_count() == 0


def test_ffmpeg_gets_no_input_and_no_descriptor_but_its_own(tmp_path: Path) -> None:
    kept = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(kept, True)
    say = "os.write(int(sys.argv[-1][5:]), repr((sys.stdin.read(), fds)).encode())"
    program = stub(tmp_path, python(f"import os, sys; fds = os.listdir('/proc/self/fd'); {say}"))
    try:
        with FFmpegRun(program, ("{out}",)) as run:
            said, descriptors = literal_eval(read_all(run)[0].decode())
    finally:
        os.close(kept)
    assert said == ""
    # Three standard ones, the output, and the one that lists them.
    assert len(descriptors) == 5


def test_words_in_any_encoding_fail_nothing(tmp_path: Path) -> None:
    body = r"""printf '[error] M\374ll \377\376\n[verbose] \351\n' >&2; exit 0"""
    with FFmpegRun(stub(tmp_path, body), ("{out}",)) as run:
        read_all(run)
        report = run.finish()
    assert report.returncode == 0
    assert report.stderr == "M\ufffdll \ufffd\ufffd"


def test_only_the_last_errors_are_kept(tmp_path: Path) -> None:
    body = (
        'i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo "[x @ 0x1] [error] no $i" >&2; done; exit 0'
    )
    with FFmpegRun(stub(tmp_path, body), ("{out}",)) as run:
        read_all(run)
        lines = run.finish().stderr.splitlines()
    assert len(lines) == 40
    assert lines[-1].endswith("no 500")


def test_tags_that_look_like_messages_are_none(tmp_path: Path) -> None:
    tags = {
        "title": "[error] [verbose]   Input stream #0:0: 7 frames decoded (7 samples);",
        "artist": "[verbose]   Output stream #0:0 (audio): 1 frames encoded (5 samples);",
    }
    rendition = rendition_of(make_audio(tmp_path / "x.flac", samples=5000, tags=tags))
    assert len(b"".join(rendition.encode())) == rendition.length - len(rendition.header)


def test_a_hanging_ffmpeg_is_ended_when_its_time_is_up(tmp_path: Path) -> None:
    program = stub(tmp_path, "exec sleep 600")
    arguments = ("-i", str(tmp_path), "{out}")
    with (
        FFmpegRun(program, arguments, wait_limit_s=0.2) as run,
        pytest.raises(EncodeError, match=r"after 0 s.*AUDIO_CACHE_ENCODE_TIMEOUT_S") as caught,
    ):
        read_all(run)
    assert caught.value.returncode == -9
    assert not Path(f"/proc/{run._process.pid}").exists()


def test_an_ffmpeg_that_closes_its_outputs_and_stays_is_ended_too(tmp_path: Path) -> None:
    close = "os.close(int(sys.argv[-1][5:])); os.close(2); time.sleep(600)"
    program = stub(tmp_path, python(f"import os, sys, time; {close}"))
    with FFmpegRun(program, ("{out}",), wait_limit_s=LIMIT_S) as run:
        assert read_all(run) == {}
        run._wait_left_s = 0.0
        with pytest.raises(EncodeError, match="was ended"):
            run.finish()


def test_the_time_of_a_slow_reader_does_not_count() -> None:
    with FFmpegRun(find_ffmpeg(), NOISE, wait_limit_s=30) as run:
        reading = run.read()
        next(reading)
        before, paused = run._wait_left_s, time.monotonic()
        # The pipe is full long before this many starts of ffmpeg are over.
        for _ in range(3):
            ffmpeg._identify.cache_clear()
            find_ffmpeg()
        paused_s = time.monotonic() - paused
        next(reading)
        assert before - run._wait_left_s < paused_s


def test_a_limit_of_any_size_can_be_waited_for() -> None:
    with FFmpegRun(
        find_ffmpeg(), ("-i", str(DATA / "stereo.flac"), *NOISE[-3:]), wait_limit_s=1e9
    ) as run:
        assert len(read_all(run)[0]) == 4410 * 4


def test_closing_early_leaves_no_process(tmp_path: Path) -> None:
    with FFmpegRun(find_ffmpeg(), endless(tmp_path)) as run:
        next(run.read())
        assert processes_naming(str(tmp_path))
        assert running_count() == 1
    assert processes_naming(str(tmp_path)) == []
    assert running_count() == 0
    run.close()


def test_leaving_an_encode_early_leaves_no_process(tmp_path: Path) -> None:
    path = make_audio(tmp_path / "x.flac", samples=400_000)
    pieces = rendition_of(path).encode()
    next(pieces)
    pieces.close()
    assert processes_naming(str(path)) == []


@pytest.mark.parametrize("end", [end_all, None], ids=["all", "one"])
def test_who_reads_an_ended_ffmpeg_learns_of_it(
    tmp_path: Path, end: Callable[[], None] | None
) -> None:
    with FFmpegRun(find_ffmpeg(), endless(tmp_path)) as run:
        next(run.read())
        ending = threading.Thread(target=end or run.kill)
        ending.start()
        read_all(run)
        with pytest.raises(EncodeInterruptedError):
            run.finish()
        ending.join()
    assert processes_naming(str(tmp_path)) == []


def test_niceness_is_applied_and_0_is_none(tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for nice in (0, 7):
        with FFmpegRun(find_ffmpeg(), endless(tmp_path), nice=nice) as run:
            next(run.read())
            [pid] = processes_naming(str(tmp_path))
            assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, own + nice)


def test_its_threads_do_not_interrupt_each_other(tmp_path: Path) -> None:
    with FFmpegRun(find_ffmpeg(), endless(tmp_path)) as run:
        next(run.read())
        [pid] = processes_naming(str(tmp_path))
        for thread in os.listdir(f"/proc/{pid}/task"):
            assert os.sched_getscheduler(int(thread)) == os.SCHED_BATCH


def test_where_policies_are_forbidden_it_runs_by_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with FFmpegRun(find_ffmpeg(), endless(tmp_path)) as run:
        next(run.read())
        [pid] = processes_naming(str(tmp_path))
        assert os.sched_getscheduler(pid) == os.sched_getscheduler(0)


def test_a_running_ffmpeg_stands_back_with_all_its_threads(tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with FFmpegRun(find_ffmpeg(), endless(tmp_path)) as run:
        next(run.read())
        [pid] = processes_naming(str(tmp_path))
        run.stand_back(5)
        run.stand_back(3)
        for thread in os.listdir(f"/proc/{pid}/task"):
            assert os.getpriority(os.PRIO_PROCESS, int(thread)) == min(19, own + 5)
        run.kill()
        run.stand_back(7)


def test_ffmpeg_ends_with_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[FFmpegRun] = []

    def start_and_leave() -> None:
        run = FFmpegRun(find_ffmpeg(), endless(tmp_path))
        next(run.read())
        started.append(run)

    thread = threading.Thread(target=start_and_leave)
    thread.start()
    thread.join()
    [run] = started
    wait_until(lambda: run._process.poll() is not None, "the kernel to end ffmpeg")
    run.close()


def test_no_descriptor_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = find_ffmpeg()
    before = open_files()
    with FFmpegRun(program, endless(tmp_path), outputs=1) as run:
        next(run.read())
    monkeypatch.setattr(launch, "find_limits", lambda nice: [])
    with pytest.raises(FFmpegNotFoundError, match="cannot start"):
        FFmpegRun(FFmpeg(str(tmp_path / "gone"), "gone"), ("{out}", "{out}"), outputs=2)
    assert open_files() == before
