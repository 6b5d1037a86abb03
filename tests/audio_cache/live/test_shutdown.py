"""The end of a server in the middle of live encodes: clean, soon, and with nothing left running."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from audio_cache.store.cache import AudioCache
from audio_cache.store.partial import is_locked
from tests.helpers.audio import make_noise
from tests.helpers.ffmpeg import StubFFmpeg
from tests.helpers.gunicorn import Server
from tests.helpers.processes import is_alive
from tests.helpers.renditions import files_under, partial_of
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.slow
# gunicorn's own, and the one that the host runs.
PLAIN = "gthread"
OURS = "mixtape.server.worker.ListenerWorker"


class Stage:
    """A server in the middle of an encode that takes a quarter of a minute."""

    def __init__(self, root: Path, worker: str) -> None:
        self.root = root
        self.ffmpeg = StubFFmpeg(root, speed=6)
        self.server = Server(root, worker=worker, AUDIO_CACHE_FFMPEG=self.ffmpeg.path)
        self.track = make_noise(self.server.music / "track.flac", samples=90 * 44_100)
        self.part = partial_of(AudioCache(self.server.cache_dir), self.track)

    def begin(self) -> int:
        """Let the encode come as far as a resume needs; return the worker's process."""
        self.server.play("track.flac", span="0-9")
        wait_until(lambda: self.part.stat().st_size > 150_000)
        return self.server.worker_pid()

    def assert_nothing_runs(self, worker: int) -> None:
        assert not is_alive(worker)
        assert not self.ffmpeg.running()
        assert not is_locked(self.part)
        assert files_under(self.server.cache_dir) == {f"partials/{self.part.name}"}

    def assert_gone_on_with(self) -> None:
        """Start a server again and see that it makes only what is missing."""
        with Server(self.root, name="next", AUDIO_CACHE_FFMPEG=self.ffmpeg.path) as server:
            played = server.play("track.flac")
        plain = AudioCache(self.root / "plain").transcode_file(self.track, "low")
        assert played.body == plain.read_bytes()
        assert [each.is_whole for each in self.ffmpeg.encodes()] == [True, False]


@pytest.mark.parametrize("worker", [PLAIN, OURS])
def test_an_encode_that_nobody_waits_for_ends_and_is_gone_on_with(
    tmp_path: Path, worker: str
) -> None:
    stage = Stage(tmp_path, worker)
    with stage.server as server:
        pid = stage.begin()
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert "SIGKILL" not in server.log
    stage.assert_nothing_runs(pid)
    stage.assert_gone_on_with()


def test_listeners_who_wait_or_do_not_read_do_not_keep_the_server_from_ending(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path, OURS)
    with stage.server as server, contextlib.ExitStack() as listeners:
        pid = stage.begin()
        # Who waits for the encoder, who seeks and does not read, who does not read a large file.
        names = [("track.flac", "low", "0-"), ("track.flac", "low", "700000-")]
        for name, quality, span in [*names, ("track.flac", "original", "0-")]:
            listener = listeners.enter_context(server.open(name, quality, span))
            assert listener.recv(9) == b"HTTP/1.1 "
        assert server.inside()["readers"] == 2
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert "SIGKILL" not in server.log
    stage.assert_nothing_runs(pid)


def test_an_answer_that_is_soon_complete_is_completed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, OURS)
    with stage.server as server:
        stage.begin()
        size = stage.part.stat().st_size
        # Half a second of encoding away; the server gives it some seconds.
        with server.open("track.flac", span=f"0-{size + 16_000}") as listener:
            assert listener.recv(9) == b"HTTP/1.1 "
            server.process.terminate()
            received = b""
            while piece := listener.recv(65536):
                received += piece
            assert len(received.partition(b"\r\n\r\n")[2]) == size + 16_001
        assert server.process.wait(60) == 0


def test_a_crash_leaves_no_encoder(tmp_path: Path) -> None:
    stage = Stage(tmp_path, PLAIN)
    with stage.server as server:
        pid = stage.begin()
        with server.open("track.flac", span="700000-") as seek:
            assert seek.recv(9) == b"HTTP/1.1 "
            server.kill()
    # A killed process takes a moment to be gone, and its files are open until its last thread is.
    wait_until(lambda: not (is_alive(pid) or stage.ffmpeg.running() or is_locked(stage.part)))
    stage.assert_nothing_runs(pid)
