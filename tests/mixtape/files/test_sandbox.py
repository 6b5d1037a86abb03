"""Content that would harm whoever reads it, read where it cannot."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mixtape.errors import AudioFileError, PictureError
from mixtape.files import pictures, sandbox, sandbox_process
from mixtape.files.audio_file import read_audio_file
from mixtape.files.pictures import read_picture, shrink
from mixtape.files.sandbox import SANDBOXES, SandboxError, Sandboxes
from tests.audio_cache.sources.bombs import id3_frame, id3_tag, inflating
from tests.helpers.processes import is_alive
from tests.helpers.tracks import embed, make_picture, open_picture, place
from tests.helpers.waiting import finish, wait_until

PICTURE = make_picture(200, 200)
SMALL = {"edge": 96, "formats": ["PNG", "JPEG"], "min_edge": 1}


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    sandboxes = Sandboxes(most=2)
    yield sandboxes
    sandboxes.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give content a second of processor time."""
    monkeypatch.setattr(sandbox, "CPU_S", 1)


def endless_jpeg(scans: int = 2_000, edge: int = 3_000) -> bytes:
    """Return a progressive JPEG that refines the same picture so many times: 80 kB, 17 s."""
    out = io.BytesIO()
    Image.new("RGB", (edge, edge), "gray").save(out, "JPEG", progressive=True)
    content = out.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + b"\xff\xd9"


def process_of(sandboxes: Sandboxes) -> int:
    """Return the id of the process that answered last."""
    return sandboxes._idle[-1].pid


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
def test_a_jpeg_of_2000_scans_is_given_up_and_keeps_no_other_waiting() -> None:
    errors: list[BaseException] = []

    def shrink_endless() -> None:
        try:
            shrink(endless_jpeg(), 96)
        except PictureError as error:
            errors.append(error)

    thread = threading.Thread(target=shrink_endless)
    thread.start()
    shown = 0
    while thread.is_alive() and shown < 10:
        assert open_picture(shrink(PICTURE, 96)).size == (96, 96)
        shown += 1
    finish(thread)
    assert shown
    assert [str(error) for error in errors] == [
        "the picture takes longer to read than the 1 s that there are for it"
    ]


def test_content_is_ended_after_some_time_too_where_it_does_not_work(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox, "REAL_S", 1)
    os.mkfifo(tmp_path / "pipe.mp3")
    with pytest.raises(SandboxError, match="than the 1 s"):
        sandboxes.ask("picture", {"path": os.fspath(tmp_path / "pipe.mp3")})


def test_a_process_is_used_again_and_replaced_where_it_has_gone(sandboxes: Sandboxes) -> None:
    for _ in range(3):
        sandboxes.ask("shrink", SMALL, PICTURE)
    first = process_of(sandboxes)
    sandboxes.ask("shrink", SMALL, PICTURE)
    assert process_of(sandboxes) == first
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_alive(first), "the end of a process")
    assert sandboxes.ask("shrink", SMALL, PICTURE)[1]
    assert process_of(sandboxes) != first


def test_a_process_that_is_killed_while_idle_tells_nothing_about_the_next_content(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandboxes.ask("shrink", SMALL, PICTURE)
    [process] = sandboxes._idle
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(process.pid), "the end of a process")
    # As in the moment in which its threads end one after the other.
    monkeypatch.setattr(process, "poll", lambda: None)
    assert sandboxes.ask("shrink", SMALL, PICTURE)[1]
    assert process_of(sandboxes) != process.pid


def test_content_that_crashes_its_reader_is_refused(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = sandbox._start
    crashed: list[int] = []

    def start() -> subprocess.Popen[bytes]:
        process = started()
        os.kill(process.pid, signal.SIGSEGV)
        crashed.append(process.pid)
        return process

    monkeypatch.setattr(sandbox, "_start", start)
    with pytest.raises(SandboxError, match=f"crash .signal {signal.SIGSEGV:d}"):
        sandboxes.ask("shrink", SMALL, PICTURE)
    assert len(crashed) == 1


def test_a_refusal_ends_no_process(sandboxes: Sandboxes) -> None:
    sandboxes.ask("shrink", SMALL, PICTURE)
    first = process_of(sandboxes)
    with pytest.raises(PictureError, match="not a PNG or JPEG picture"):
        sandboxes.ask("shrink", SMALL, b"no picture")
    with pytest.raises(ValueError, match="no such task"):
        sandboxes.ask("no such task", {})
    assert process_of(sandboxes) == first


def test_many_at_once_have_two_processes(sandboxes: Sandboxes) -> None:
    threads = [
        threading.Thread(target=sandboxes.ask, args=("shrink", SMALL, PICTURE)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        finish(thread)
    assert len(sandboxes._idle) <= 2


def test_it_sees_no_secret_and_has_limits(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "secret")
    sandboxes.ask("shrink", SMALL, PICTURE)
    process = Path("/proc", str(process_of(sandboxes)))
    assert b"secret" not in (process / "environ").read_bytes()
    limits = (process / "limits").read_text()
    (memory,) = (line for line in limits.splitlines() if line.startswith("Max address space"))
    assert str(sandbox_process.MEMORY_BYTES) in memory


def test_where_none_can_be_started_the_content_is_not_blamed(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="does not start"):
        sandboxes.ask("shrink", SMALL, PICTURE)


def test_it_ends_with_its_parent() -> None:
    code = (
        "from mixtape.files.sandbox import SANDBOXES; import os; "
        "SANDBOXES.ask('picture', {'path': '/dev/null'}); "
        "os.write(1, str(SANDBOXES._idle[0].pid).encode()); os._exit(0)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    wait_until(lambda: not is_alive(int(said)), "the end of a process without a parent")


def test_a_fork_has_processes_of_its_own() -> None:
    shrink(PICTURE, 96)
    first = process_of(SANDBOXES)
    pid = os.fork()
    if not pid:
        own = 1
        try:
            own = int(bool(SANDBOXES._idle) or not shrink(PICTURE, 96))
            SANDBOXES.close()
        finally:
            os._exit(own)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    shrink(PICTURE, 96)
    assert process_of(SANDBOXES) == first


@pytest.mark.slow
def test_an_mp3_whose_tags_inflate_to_gigabytes_is_an_error(mp3: Path, tmp_path: Path) -> None:
    assert len(zlib.decompress(inflating(3 << 20))) == 3 << 20
    path = tmp_path / "bomb.mp3"
    frame = id3_frame(b"TXXX", bytes((0, 0, 0, 1)) + inflating(1_500 << 20), 0x0009)
    path.write_bytes(id3_tag(frame) + mp3.read_bytes())
    with pytest.raises(AudioFileError, match="not readable as audio: it takes too much memory"):
        read_audio_file(path)


@pytest.mark.usefixtures("hurried")
def test_a_file_that_gave_no_picture_is_not_tried_again_until_it_changes(
    flac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(flac, tmp_path / "a.flac")
    embed(path, (3, PICTURE))
    asked: list[str] = []
    ask = SANDBOXES.ask

    def harmed(task: str, *more: object) -> tuple[dict[str, object], bytes]:
        asked.append(task)
        raise SandboxError("takes longer")

    monkeypatch.setattr(SANDBOXES, "ask", harmed)
    monkeypatch.setattr(pictures, "_BARE", set())
    assert [read_picture(path) for _ in range(3)] == [None] * 3
    assert asked == ["picture"]
    monkeypatch.setattr(SANDBOXES, "ask", ask)
    assert read_picture(path) is None
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert read_picture(path) == PICTURE


def test_a_process_that_was_killed_says_nothing_of_its_content(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = sandbox._start
    killers: list[threading.Timer] = []

    def start_one_that_is_killed() -> subprocess.Popen[bytes]:
        process = start()
        os.kill(process.pid, signal.SIGSTOP)
        killers.append(threading.Timer(0.2, os.kill, (process.pid, signal.SIGKILL)))
        killers[-1].start()
        return process

    monkeypatch.setattr(sandbox, "_start", start_one_that_is_killed)
    with pytest.raises(OSError, match="was killed"):
        sandboxes.ask("shrink", SMALL, PICTURE)
    for killer in killers:
        killer.join()
